"""`/smart/launch` and `/smart/callback`: the EHR opens the profile, its user signs in, the profile appears."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

import msgspec
from flask import Blueprint, Response, redirect, request

from cds_service.advice import discrete
from cds_service.advice.silence import WORDS
from cds_service.answer import Answer
from cds_service.hooks.errors import ServiceError
from cds_service.hooks.services import INTENDED_USE
from cds_service.pages import layout, result
from cds_service.pages.models import REGULATORY
from cds_service.pages.smart import launch, profile
from cds_service.pages.smart.launch import LaunchError, Pending
from cds_service.pages.smart.profile import Desk

_COOKIE = "smart-launch"
_MINUTES = 10


def blueprint(desk: Desk) -> Blueprint:
    """The app of one tenant."""
    app = Blueprint("smart", __name__, url_prefix="/smart")
    tenant = desk.site.tenant
    secure = tenant.public_url.startswith("https://")

    @app.get("/launch")
    def begin() -> Response:
        issuer, token = request.args.get("iss", ""), request.args.get("launch", "")
        if not issuer or not token:
            return _refused("The profile is opened from the card in the EHR; this address alone opens nothing.", 400)
        try:
            url, pending = launch.begin(issuer, token, tenant)
        except LaunchError as error:
            return _refused(str(error), 403)
        response = Response(redirect(url, 302).get_data(), status=302, headers={"Location": url})
        # Between two sites of one window: Lax is enough, and inside an EHR's frame only None is sent.
        framed = secure and bool(tenant.smart.frame_ancestors)
        response.set_cookie(
            _COOKIE,
            _packed(pending),
            max_age=60 * _MINUTES,
            path="/smart/callback",
            httponly=True,
            secure=secure,
            samesite="None" if framed else "Lax",
        )
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/callback")
    def callback() -> Response:
        pending = _unpacked(request.cookies.get(_COOKIE, ""))
        if pending is None or not pending.state or request.args.get("state") != pending.state:
            return _refused("This sign-in was not begun here, or it is over. Please open the card again.", 400)
        if "code" not in request.args:
            return _spent(_refused("The EHR did not allow the profile to open.", 403))
        try:
            granted = launch.finish(pending, request.args["code"], tenant)
            answered = profile.assess(granted, desk, datetime.now(UTC))
        except LaunchError as error:
            return _spent(_refused(str(error), 403))
        except ServiceError as error:
            return _spent(_refused(error.text, error.status))
        return _spent(_page(answered, desk))

    return app


def _page(answered: Answer, desk: Desk) -> Response:
    ancestors = " ".join(desk.site.tenant.smart.frame_ancestors) or "'none'"
    assessment = answered.assessment
    return layout.html(
        "smart/profile.html",
        ancestors=ancestors,
        assessment=assessment,
        result=result.read(discrete.result(assessment), desk.site.zone) if assessment else None,
        read=assessment.inputs if assessment else (),
        card=answered.card,
        silence=WORDS[answered.silence] if answered.silence else "",
        intended_use=INTENDED_USE,
        regulatory=REGULATORY,
    )


def _refused(words: str, status: int) -> Response:
    return layout.html("smart/refused.html", status=status, words=words)


def _spent(response: Response) -> Response:
    response.delete_cookie(_COOKIE, path="/smart/callback")
    return response


def _packed(pending: Pending) -> str:
    """Only the browser that began can finish: the state has to come back both in the URL and in this cookie."""
    return urlsafe_b64encode(msgspec.json.encode(pending)).decode()


def _unpacked(cookie: str) -> Pending | None:
    try:
        return msgspec.json.decode(urlsafe_b64decode(cookie), type=Pending)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None

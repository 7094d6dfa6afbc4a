"""`/smart/launch` and `/smart/callback`: the EHR opens the profile, its user signs in, the profile appears."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
from flask import Blueprint, Response, request

from cds_service.answering import gate
from cds_service.during import case_access
from cds_service.during.case_access import CaseReader
from cds_service.operations import logs
from cds_service.pages import layout, open_pages
from cds_service.smart import launch, profile, view
from cds_service.smart.faults import EhrError, LaunchError
from cds_service.smart.launch import Pending
from cds_service.smart.profile import ProfileDesk
from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants.tenant import Tenant
from cds_service.trust import egress
from cds_service.trust.errors import Forbidden, ServiceError, TooManyRequests
from cds_service.trust.throttle import Throttle

_PURPOSE = "smart-launch"
_SIGN_IN_S = 600
_SIGN_INS_PER_S, _SIGN_INS_AT_ONCE, _SIGN_INS_UNDER_WAY = 10.0, 100, 3


def blueprint(desk: ProfileDesk, *, at_once: int) -> Blueprint:
    """The app of every tenant: which of them follows from the FHIR server that launches, or from the launch URL.

    `at_once`: sign-ins of all tenants together that may hold a thread; whoever knows a listed address can begin one.
    """
    app = Blueprint("smart", __name__, url_prefix="/smart")
    throttle = Throttle([_sign_ins(site.tenant) for site in desk.sites.values()])
    places = threading.BoundedSemaphore(at_once)

    @contextlib.contextmanager
    def admitted(site: TenantRuntime) -> Iterator[None]:
        with throttle.admitted(site.tenant, now=time.monotonic()):
            if not places.acquire(blocking=False):
                raise TooManyRequests("Too many sign-ins at once.", retry_after_s=1)
            try:
                yield
            finally:
                places.release()

    @app.get("/launch")
    @app.get("/launch/<tenant_id>")
    def begin(tenant_id: str | None = None) -> Response:
        issuer, token = request.args.get("iss", ""), request.args.get("launch", "")
        if not issuer or not token:
            return _refused("The profile is opened from the card in the EHR; this address alone opens nothing.", 400)
        try:
            site = _site(desk, issuer, tenant_id)
            with admitted(site):
                url, pending = launch.begin(issuer, token, site)
        except TooManyRequests as error:
            return _later(error)
        except LaunchError as error:
            # What stands in the URL is anybody's text: only a hospital's own id goes into the log.
            return _not_launched(error, tenant_id if tenant_id in desk.sites else None)
        response = Response(status=302, headers={"Location": url, "Cache-Control": "no-store"})
        _keep(response, pending, desk, site)
        return response

    @app.get("/callback")
    def callback() -> Response:
        state = request.args.get("state", "")
        site, pending = _begun(state, desk)
        if site is None or pending is None:
            return _not_launched(LaunchError("state-expired"), None, status=400)
        try:
            with admitted(site):
                response = _answered(pending, site, desk)
        except TooManyRequests as error:
            return _later(error)  # the sign-in stays begun: the same address can be tried again
        response.delete_cookie(_cookie(site, state), path="/", secure=_secure(site), httponly=True)
        return response

    return app


def _answered(pending: Pending, site: TenantRuntime, desk: ProfileDesk) -> Response:
    """The profile, or why there is none; every refusal is a line in the log, without the patient."""
    received = datetime.now(UTC)
    try:
        gate.check_region(site.tenant)
        launch.check_sender(pending, request.args.get("iss"))
        if "code" not in request.args:
            raise LaunchError("ehr-refused" if "error" in request.args else "no-code")
        granted = launch.finish(pending, request.args["code"], site, now=received.timestamp())
        opened = profile.open_for(granted, site, desk, received)
    except LaunchError as error:
        return _not_launched(error, site.tenant.id)
    except ServiceError as error:
        return _refused(error.text, error.status)
    reader = CaseReader(site.tenant.id, granted.patient_id, granted.user)
    has_cases = case_access.has_cases(reader, site, desk.records, received)
    response = view.page(opened, cases=case_access.address(site.tenant) if has_cases else "")
    if has_cases:
        case_access.remember(response, site.tenant, reader, desk.seal)
    if opened.answered.assessment is not None and opened.answered.silence is None:
        open_pages.remember(response, site.tenant, opened.answered.assessment.assessment_id, desk.seal)
    return response


def _site(desk: ProfileDesk, issuer: str, tenant_id: str | None) -> TenantRuntime:
    """The tenant that lists this FHIR server. Raises LaunchError where none does or more than one, or it is shut."""
    listed = [site for site in desk.sites.values() if egress.allowed(issuer, site.tenant) is not None]
    if tenant_id is not None:
        listed = [site for site in listed if site.tenant.id == tenant_id]
    if not listed:
        raise LaunchError("not-listed", "No hospital here has listed the FHIR server that asked for the launch.")
    if len(listed) > 1:
        raise LaunchError(
            "two-tenants", "Two hospitals list this FHIR server: each has to register /smart/launch/ and its tenant id."
        )
    try:
        gate.check_region(listed[0].tenant)
    except Forbidden as error:
        raise LaunchError("region", error.text) from error
    return listed[0]


def _begun(state: str, desk: ProfileDesk) -> tuple[TenantRuntime | None, Pending | None]:
    """The sign-in that this browser began: the state has to come back both in the URL and in a cookie sealed here."""
    for site in desk.sites.values():
        sealed = request.cookies.get(_cookie(site, state), "")
        pending = desk.seal.open(_PURPOSE, sealed, Pending, seconds=_SIGN_IN_S) if state else None
        if pending is not None and (pending.state, pending.tenant_id) == (state, site.tenant.id):
            return site, pending
    return None, None


def _keep(response: Response, pending: Pending, desk: ProfileDesk, site: TenantRuntime) -> None:
    # Between two sites of one window Lax is enough; inside an EHR's frame only None is sent.
    framed = _secure(site) and bool(site.tenant.smart.frame_ancestors)
    response.set_cookie(
        _cookie(site, pending.state),
        desk.seal.close(_PURPOSE, pending),
        max_age=_SIGN_IN_S,
        path="/",
        httponly=True,
        secure=_secure(site),
        samesite="None" if framed else "Lax",
    )


def _cookie(site: TenantRuntime, state: str) -> str:
    """One cookie for each sign-in, so that two patients can be opened side by side."""
    return f"{'__Host-' if _secure(site) else ''}{_PURPOSE}-{state[:16]}"


def _secure(site: TenantRuntime) -> bool:
    return site.tenant.public_url.startswith("https://")


def _sign_ins(tenant: Tenant) -> Tenant:
    """The tenant with the limits of sign-ins, which nobody has to prove who they are to begin: never more than calls.

    In each worker; a slow EHR of one hospital leaves places for the sign-ins of the others.
    """
    limits = tenant.limits
    slower = msgspec.structs.replace(
        limits,
        requests_per_s=min(limits.requests_per_s, _SIGN_INS_PER_S),
        burst=min(limits.burst, _SIGN_INS_AT_ONCE),
        concurrent=min(limits.concurrent, _SIGN_INS_UNDER_WAY),
    )
    return msgspec.structs.replace(tenant, limits=slower)


def _later(error: TooManyRequests) -> Response:
    response = _refused("Many people are opening profiles just now. Please try again in a moment.", error.status)
    response.headers["Retry-After"] = str(error.retry_after_s or 1)
    return response


def _not_launched(error: LaunchError, tenant_id: str | None, status: int = 403) -> Response:
    """Refused by us, or not possible by a fault of the EHR's server: told apart, each with its word in the log."""
    logs.note("launch-refused", tenant=tenant_id, reason=error.why)
    return _refused(str(error), 502 if isinstance(error, EhrError) else status, error.why)


def _refused(words: str, status: int, why: str = "") -> Response:
    return layout.html("smart/refused.html", status=status, words=words, why=why)

"""The URLs of the CDS Hooks protocol; the only place that reads the clock."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from flask import Blueprint, Response, request

from cds_service.advice.silence import WORDS, Reason
from cds_service.answer import Answer, Knowledge, answer
from cds_service.hooks import card as cards
from cds_service.hooks import request as hook_request
from cds_service.hooks.errors import BadRequest, DataUnobtainable, NotJson, UnknownService
from cds_service.hooks.services import HOOKS, SERVICE_ID, discovery
from cds_service.site import Site

_JSON_TYPES = ("application/json", "application/fhir+json")
SILENCE_EXTENSION = "io.surgical-risk.silence"


class Deployment(msgspec.Struct, frozen=True):
    """The tenants that this process answers for, and what it knows."""

    sites: tuple[Site, ...]
    knowledge: Knowledge


def blueprint(deployment: Deployment) -> Blueprint:
    """Discovery and the service."""
    routes = Blueprint("cds-hooks", __name__)
    generic = deployment.sites[0]
    discovered = msgspec.json.encode(discovery(HOOKS, prefetch=generic.templates, public_url=generic.tenant.public_url))

    @routes.get("/cds-services", strict_slashes=False)
    def discover() -> Response:
        return Response(discovered, mimetype="application/json")

    @routes.post("/cds-services/<service_id>")
    def serve(service_id: str) -> Response:
        if service_id != SERVICE_ID:
            raise UnknownService("No such service.", diagnostics=f"offered: {SERVICE_ID}")
        received = datetime.now(UTC)
        site = deployment.sites[0]
        return _respond(_answer(_body(), site, deployment.knowledge, received), site)

    return routes


def _body() -> bytes:
    if request.mimetype not in _JSON_TYPES:
        raise NotJson("The body has to be JSON.", diagnostics="Content-Type: application/json")
    body = request.get_data(cache=False)
    if not body:
        raise BadRequest("The body is empty.")
    return body


def _answer(body: bytes, site: Site, knowledge: Knowledge, received: datetime) -> Answer:
    hook = hook_request.read(body, offered=HOOKS)
    if hook.hook not in site.tenant.hooks:
        return Answer(silence="mode-off")
    try:
        return answer(hook, site=site, knowledge=knowledge, received=received)
    except DataUnobtainable:
        if site.tenant.on_failure != "empty":
            raise
        return Answer(silence="data-unobtainable")


def _respond(given: Answer, site: Site) -> Response:
    shown = () if given.card is None else (given.card,)
    extension = _why_silent(given.silence) if given.silence and site.tenant.explain_silence else msgspec.UNSET
    response = Response(cards.encode(cards.CardsResponse(shown, extension)), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def _why_silent(reason: Reason) -> dict[str, object]:
    return {SILENCE_EXTENSION: {"reason": reason, "text": WORDS[reason]}}

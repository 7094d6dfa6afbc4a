"""Where Subscriptions send what they tell of operations: notifications, and the rest-hook of R4 as HAPI has it."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import msgspec
from flask import Blueprint, Response, g, request

from cds_service.during import mode_gate
from cds_service.during_subscriptions import source_server
from cds_service.during_subscriptions.source_server import BEARER
from cds_service.during_subscriptions.taking import Taker, Took
from cds_service.records import time_limit
from cds_service.records.during_cases import Arrival
from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants.during_source_rules import SEARCHED
from cds_service.tenants.tenant_parts import DuringSource
from cds_service.trust import json_limits
from cds_service.trust.client_jwt import Caller
from cds_service.trust.errors import BadRequest, Forbidden, UnknownService
from cds_service.web.during_routes import answered, proven
from cds_service.web.hook_routes import Deployment, sent_body
from fhir_mappings.during.notification import read_notification

_ENDPOINT: Literal["notifications"] = "notifications"
HOOKED = "rest-hook"


class _Admitted(msgspec.Struct, frozen=True):
    """Who sends: proven by the secret of the tenant's source, or as a client of the tenant."""

    site: TenantRuntime
    source: DuringSource
    caller: Caller
    at: datetime


def blueprint(deployment: Deployment, taker: Taker, wake: Callable[[], None]) -> Blueprint:
    """Where to send; not there for a tenant that names no source. `wake`: something has to be asked for."""
    routes = Blueprint("during-subscriptions", __name__, url_prefix="/during")

    @routes.post("/<tenant_id>/notifications")
    def notifications(tenant_id: str) -> Response:
        who = _admit(tenant_id, deployment)
        with deployment.throttle.admitted(who.caller.tenant, now=time.monotonic()):
            return answered(lambda: _notified(who, taker, wake))

    @routes.post("/<tenant_id>/hook")
    def hook(tenant_id: str) -> Response:
        who = _hooked(tenant_id, deployment)
        with deployment.throttle.admitted(who.caller.tenant, now=time.monotonic()):
            return _done(lambda: _called(who, taker, wake))

    @routes.put("/<tenant_id>/hook/<kind>/<own>")
    def resource(tenant_id: str, kind: str, own: str) -> Response:  # noqa: ARG001 — the resource itself says what it is
        who = _hooked(tenant_id, deployment)
        with deployment.throttle.admitted(who.caller.tenant, now=time.monotonic()):
            sent = sent_body(who.caller).body
            json_limits.check(sent, who.caller.tenant.limits)
            return _done(lambda: _put(who, sent, taker))

    @routes.delete("/<tenant_id>/hook/<kind>/<own>")
    def deleted(tenant_id: str, kind: str, own: str) -> Response:  # noqa: ARG001 — whose it was nobody says
        who = _hooked(tenant_id, deployment)
        with deployment.throttle.admitted(who.caller.tenant, now=time.monotonic()):
            return _done(lambda: _lost(who, taker))

    return routes


def _notified(who: _Admitted, taker: Taker, wake: Callable[[], None]) -> Took:
    sent = sent_body(who.caller).body
    json_limits.check(sent, who.caller.tenant.limits)
    told = read_notification(sent)
    if told is None:
        raise BadRequest("The body has to be a notification.", diagnostics="Subscriptions R5 Backport 1.1 for FHIR R4")
    if told.subscription not in who.source.subscriptions:
        raise Forbidden("This Subscription is not one of the tenant's.")
    by = source_server.access(who.site, who.source)
    took = taker.take(told, who.site, by, who.at, who.site.tenant.fetch_budget_s)
    if took.missing:
        wake()
    return took


def _called(who: _Admitted, taker: Taker, wake: Callable[[], None]) -> Took:
    """An empty POST: something changed, and a search finds what."""
    positions = taker.positions
    positions.change(who.site.tenant.id, SEARCHED, lambda one: one.asked_next(who.at), who.at)
    wake()
    return Took()


def _put(who: _Admitted, sent: bytes, taker: Taker) -> Took:
    arrived, lost = taker.keep([sent], who.site, Arrival(HOOKED, who.caller.issuer or HOOKED, who.at))
    if lost:
        _lost(who, taker)
    return Took(arrived.kept, arrived.repeated, arrived.refused, arrived.not_of_a_course, lost)


def _lost(who: _Admitted, taker: Taker) -> Took:
    taker.positions.change(who.site.tenant.id, SEARCHED, lambda one: one.lost(who.at), who.at)
    return Took(lost=1)


def _hooked(tenant_id: str, deployment: Deployment) -> _Admitted:
    who = _admit(tenant_id, deployment)
    if not who.source.rest_hook:
        raise UnknownService("Not Found")
    return who


def _admit(tenant_id: str, deployment: Deployment) -> _Admitted:
    received = deployment.clock()
    g.endpoint = _ENDPOINT
    site = mode_gate.check_open(deployment.desk.sites.get(tenant_id), deployment.desk.records, received)
    source = site.tenant.during.source
    if source is None:
        raise UnknownService("Not Found")
    time_limit.ends_at(g.started + time_limit.OF_A_CALL_S + site.tenant.fetch_budget_s)
    caller = _caller(site, source, deployment, received.timestamp())
    g.tenant = caller.tenant
    return _Admitted(site, source, caller, received)


def _caller(site: TenantRuntime, source: DuringSource, deployment: Deployment, now: float) -> Caller:
    if source.header_variable is not None and _shows_secret(source):
        return Caller(site.tenant, None)
    return proven(site, deployment, _ENDPOINT, now, named=source.header_variable is not None)


def _shows_secret(source: DuringSource) -> bool:
    """Whether the header holds the secret, compared in constant time; with or without `Bearer` before it."""
    held, shown = source_server.secret(source.header_variable), request.headers.get(source.header, "")
    if held is None:
        return False
    # A header's bytes come as latin-1 (PEP 3333).
    return hmac.compare_digest(shown.removeprefix(BEARER).strip().encode("latin-1"), held.reveal().encode())


def _done(take: Callable[[], Any]) -> Response:
    """Nothing but 200: HAPI reads what a rest-hook answers as FHIR, and sends once more what it cannot read."""
    response = answered(take)
    response.set_data(b"")
    return response

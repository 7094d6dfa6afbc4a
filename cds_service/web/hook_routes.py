"""The URLs of the CDS Hooks protocol; the only place that reads the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import msgspec
from flask import Blueprint, Response, g, request

from cds_service.answering import calls, gate
from cds_service.answering.calls import CallDesk
from cds_service.chart_orders import templates
from cds_service.hooks import feedback
from cds_service.hooks.services import HOOKS, IDS, SERVICE_ID, called_for, discovery
from cds_service.operations import logs, metrics
from cds_service.patient_data.gather import encoded
from cds_service.records import time_limit
from cds_service.records.database import DatabaseError
from cds_service.records.feedback import Sender
from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants.tenant import Hook
from cds_service.trust import body, client_jwt
from cds_service.trust.client_jwt import Caller, Endpoint, Verifier
from cds_service.trust.errors import Forbidden, NotJson, NotReady, TooLarge, Unauthorized, UnknownService
from cds_service.trust.throttle import Throttle
from cds_service.validation.standing import GoLiveWatch

Clock = Callable[[], datetime]
_JSON_TYPES = ("application/json", "application/fhir+json")
DISCOVERY_MAX_AGE_S = 300
NO_SERVICES = b'{"services":[]}'


def now() -> datetime:
    """The instant at which a request is received (aware)."""
    return datetime.now(UTC)


class Deployment(msgspec.Struct, frozen=True):
    """The tenants that this process answers for, what it knows, and who may come in."""

    sites: tuple[TenantRuntime, ...]
    desk: CallDesk
    verifier: Verifier
    throttle: Throttle
    standing: GoLiveWatch
    body_limit_bytes: int
    discovery_auth: Literal["open", "required"] = "open"
    clock: Clock = now


def blueprint(deployment: Deployment) -> Blueprint:
    """Discovery, the service and its feedback."""
    routes = Blueprint("cds-hooks", __name__)
    generic = deployment.sites[0]
    discovered: dict[str, bytes] = {}
    # The list for whoever asks; a demo or dev tenant that requires no proof shows what it opted in to (DEC-05).
    open_list = _discovery(generic, HOOKS if generic.tenant.client_jwt == "required" else generic.tenant.hooks)

    @routes.get("/cds-services", strict_slashes=False)
    def discover() -> Response:
        caller = _discovering(deployment)
        listed, of = open_list, deployment.sites
        if caller is not None:
            site = deployment.desk.sites[caller.tenant.id]
            listed, of = discovered.get(caller.tenant.id) or _discovery(site, site.tenant.hooks), (site,)
            discovered[caller.tenant.id] = listed
        if not any(gate.is_listed(site.tenant, site.zone, deployment.clock()) for site in of):
            listed = NO_SERVICES
        response = Response(listed, mimetype="application/json")
        response.headers["Cache-Control"] = f"max-age={DISCOVERY_MAX_AGE_S}"
        response.vary.add("Authorization")
        return response

    @routes.post("/cds-services/<service_id>")
    def serve(service_id: str) -> Response:
        received = deployment.clock()
        caller = _admit(service_id, "service", deployment, received)
        with deployment.throttle.admitted(caller.tenant, now=time.monotonic()):
            hooks = called_for(service_id, caller.tenant)
            taken = calls.answer_call(
                sent_body(caller), caller=caller, desk=deployment.desk, received=received, hooks=hooks
            )
        g.hook = taken.hook
        response = _no_store(Response(taken.response, mimetype="application/json"))
        if taken.milliseconds and not caller.tenant.is_production:
            timing = (f"{step};dur={duration}" for step, duration in taken.milliseconds.items())
            response.headers["Server-Timing"] = ", ".join(timing)
        return response

    @routes.post("/cds-services/<service_id>/feedback")
    def give_feedback(service_id: str) -> Response:
        received = deployment.clock()
        caller = _admit(service_id, "feedback", deployment, received)
        with deployment.throttle.admitted(caller.tenant, now=time.monotonic()):
            given = feedback.read_feedback(sent_body(caller).body, caller.tenant.limits)
            _store(given, Sender(caller.tenant.id, caller.issuer, service_id), deployment, received)
        return _no_store(Response(feedback.acknowledgement(given), mimetype="application/json"))

    return routes


def _discovery(site: TenantRuntime, hooks: tuple[Hook, ...]) -> bytes:
    tenant = site.tenant
    return msgspec.json.encode(
        discovery(
            hooks,
            prefetch=lambda hook: {key: encoded(one) for key, one in templates(hook, site).items()},
            public_url=tenant.public_url,
            per_hook=tenant.lists_id_per_hook,
        )
    )


def _discovering(deployment: Deployment) -> Caller | None:
    """Who asks for discovery: the list is open, and a token that fails gets the open list, unless it is required."""
    header = request.headers.get("Authorization")
    if header is None and deployment.discovery_auth == "open":
        return None
    try:
        caller = _verified(header, "discovery", deployment, deployment.clock(), SERVICE_ID)
    except (Unauthorized, Forbidden, NotReady):
        if deployment.discovery_auth == "required":
            raise
        return None
    return caller if caller.issuer is not None else None


def _admit(service_id: str, endpoint: Endpoint, deployment: Deployment, received: datetime) -> Caller:
    """The caller, once service, size and token are right; nothing was read of the body yet (J-21)."""
    g.endpoint = endpoint
    time_limit.ends_at(g.started + time_limit.OF_A_CALL_S)
    if service_id not in IDS:
        raise _unknown()
    if (request.content_length or 0) > deployment.body_limit_bytes:
        raise TooLarge("The body is too large.", diagnostics=f"at most {deployment.body_limit_bytes} bytes")
    caller = _verified(request.headers.get("Authorization"), endpoint, deployment, received, service_id)
    g.tenant = caller.tenant
    time_limit.ends_at(g.started + caller.tenant.deadline_s)
    if not called_for(service_id, caller.tenant):
        raise _unknown()
    return caller


def _unknown() -> UnknownService:
    return UnknownService("No such service.", diagnostics=f"offered: {SERVICE_ID}")


def _verified(
    header: str | None, endpoint: Endpoint, deployment: Deployment, received: datetime, service_id: str
) -> Caller:
    try:
        caller = deployment.verifier.verify(header, endpoint=endpoint, service_id=service_id, now=received.timestamp())
        gate.check_region(caller.tenant)
        return caller
    except Unauthorized as error:
        why = client_jwt.reason(error)
        metrics.refusals.labels(why).inc()
        logs.note("caller-refused", endpoint=endpoint, reason=why)
        raise
    except DatabaseError as error:
        raise NotReady("The service cannot answer now.", retry_after_s=5) from error


def sent_body(caller: Caller) -> body.Received:
    """The body as it was sent, within the limits of the caller's tenant. Raises ServiceError."""
    if request.mimetype not in _JSON_TYPES:
        raise NotJson("The body has to be JSON.", diagnostics="Content-Type: application/json")
    # What the server itself ends is read as it comes: werkzeug's stream would copy it three times more.
    ended = request.environ.get("wsgi.input_terminated", False)
    sent = body.Sent(
        stream=request.environ["wsgi.input"] if ended else request.stream,
        length=request.content_length,
        encoding=request.headers.get("Content-Encoding", ""),
        socket=request.environ.get("gunicorn.socket"),
    )
    received = body.read_body(sent, caller.tenant.limits)
    # What went by before, as for the proof of who calls, is of the call's time too.
    return msgspec.structs.replace(received, since=min(received.since, g.started))


def _store(given: feedback.Feedback, sender: Sender, deployment: Deployment, received: datetime) -> None:
    """Committed, or not acknowledged."""
    try:
        deployment.desk.records.store_feedback(given.items, sender, received_at=received)
    except DatabaseError as error:
        raise NotReady("The feedback could not be kept; send it again.", retry_after_s=5) from error
    for item in given.items:
        metrics.feedback.labels(sender.tenant_id, item.outcome).inc()
    metrics.suggestions.labels(sender.tenant_id).inc(sum(len(item.accepted_suggestions) for item in given.items))


def _no_store(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response

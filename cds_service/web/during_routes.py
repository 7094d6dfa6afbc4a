"""The ways in by which others send what is recorded of an operation: nothing of it where the tenant's mode is off."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
from flask import Blueprint, Response, g, request

from cds_service.during import mode_gate
from cds_service.during.intake import Intake
from cds_service.hooks.services import SERVICE_ID
from cds_service.operations import logs, metrics
from cds_service.patient_data import bundles
from cds_service.records import time_limit
from cds_service.records.database import DatabaseError
from cds_service.records.during_cases import Arrival
from cds_service.tenant_runtime import TenantRuntime
from cds_service.trust import client_jwt, json_limits
from cds_service.trust.client_jwt import Caller, Endpoint
from cds_service.trust.errors import BadRequest, Forbidden, NotReady, Unauthorized
from cds_service.web.hook_routes import Deployment, sent_body

_TYPES = ("collection", "batch", "transaction", "searchset")
_RETRY_S = 5
POSTED = "post"


def blueprint(deployment: Deployment, intake: Intake) -> Blueprint:
    """A Bundle posted with the tenant's JWT."""
    routes = Blueprint("during-ways-in", __name__, url_prefix="/during")

    @routes.post("/<tenant_id>/observations")
    def observations(tenant_id: str) -> Response:
        received = deployment.clock()
        g.endpoint = "observations"
        time_limit.ends_at(g.started + time_limit.OF_A_CALL_S)
        site = mode_gate.check_open(deployment.desk.sites.get(tenant_id), deployment.desk.records, received)
        caller = proven(site, deployment, "observations", received.timestamp())
        g.tenant = caller.tenant
        with deployment.throttle.admitted(caller.tenant, now=time.monotonic()):
            sent = sent_body(caller).body
            json_limits.check(sent, caller.tenant.limits)
            arrival = Arrival(POSTED, caller.issuer or "", received)
            return answered(lambda: intake.take(_resources(sent), site, arrival))

    return routes


def answered(take: Callable[[], Any]) -> Response:
    """The numbers of what was committed; NotReady where nothing could be."""
    try:
        taken = take()
    except DatabaseError as error:
        raise NotReady("What was sent could not be kept; send it again.", retry_after_s=_RETRY_S) from error
    response = Response(msgspec.json.encode(taken), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def proven(
    site: TenantRuntime, deployment: Deployment, endpoint: Endpoint, now: float, *, named: bool = False
) -> Caller:
    """Who sends, by its token, for this tenant. `named`: also a tenant that asks for no proof elsewhere asks here.

    Raises Unauthorized, Forbidden, NotReady.
    """
    try:
        header = request.headers.get("Authorization")
        caller = deployment.verifier.verify(header, endpoint=endpoint, service_id=SERVICE_ID, now=now)
        if named and caller.issuer is None:
            raise Unauthorized("Authentication failed.")
    except Unauthorized as error:
        why = client_jwt.reason(error)
        metrics.refusals.labels(why).inc()
        logs.note("caller-refused", endpoint=endpoint, reason=why)
        raise
    except DatabaseError as error:
        raise NotReady("The service cannot answer now.", retry_after_s=_RETRY_S) from error
    if caller.tenant.id != site.tenant.id:
        raise Forbidden("This client may not send for this tenant.")
    return caller


def _resources(sent: bytes) -> list[bytes]:
    page = bundles.read_bundle(sent, _TYPES)
    if page is None:
        raise BadRequest("The body has to be a Bundle.", diagnostics=f"of type {', '.join(_TYPES)}")
    return [bytes(one) for one in page.result.resources] + [b""] * page.result.unread_entries

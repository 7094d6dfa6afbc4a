"""Alive, ready, counted: what an orchestrator, an operator and Prometheus ask; nothing here names a patient."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from flask import Blueprint, Response

from cds_service.answering import gate
from cds_service.operations import drain, metrics, readiness
from cds_service.operations.readiness import Trouble
from cds_service.records import time_limit
from cds_service.records.database import DatabaseError
from cds_service.records.records import Records
from cds_service.tenants.tenant import Tenant

# Whoever asks gives up after a second (Kubernetes' default).
HEALTH_S = 0.5


def blueprint(
    records: Records,
    tenants: tuple[Tenant, ...],
    details: Callable[[], Mapping[str, object]],
    helpful: Mapping[str, Trouble],
) -> Blueprint:
    """`/livez`, `/readyz`, `/health`, `/metrics`; none of them needs a token.

    `details`: what `/readyz` tells besides. `helpful`: the parts without which the service is poorer, but answers.
    """
    routes = Blueprint("health", __name__)
    needed: Mapping[str, Trouble] = {"database": records.unready, "record": records.unwritten}

    @routes.get("/livez")
    def live() -> Response:
        """Without any reading: a process that answers this is not to be killed, whatever it waits for."""
        return _json({"status": "alive"}, 200)

    @routes.get("/health")
    def health() -> Response:
        return _json({"status": "alive", "killSwitch": _kill_switch(records, tenants)}, 200)

    @routes.get("/ready")
    @routes.get("/readyz")
    def ready() -> Response:
        found = readiness.asked(needed, helpful)
        whether = found.parts["database"] == readiness.OK
        told = {"status": found.status, "database": whether, "parts": found.parts, **details()}
        response = _json(told, 200 if found.is_ready else 503)
        if not found.is_ready:
            response.headers["Retry-After"] = str(drain.RETRY_AFTER_S)
        return response

    @routes.get("/metrics")
    def exposition() -> Response:
        return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)

    return routes


def _kill_switch(records: Records, tenants: tuple[Tenant, ...]) -> str:
    try:
        with time_limit.within(HEALTH_S):
            switches = records.switches.current()
    except DatabaseError:
        return "unknown"
    killed = [tenant.id for tenant in tenants if gate.is_killed(tenant, switches)]
    return "on" if len(killed) == len(tenants) else "partly" if killed else "off"


def _json(told: object, status: int) -> Response:
    response = Response(msgspec.json.encode(told), status=status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response

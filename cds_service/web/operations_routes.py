"""What holds for every request and response: its time, origins, safe headers, one log line, one count."""

from __future__ import annotations

import time

from flask import Blueprint, Response, g, request

from cds_service.operations import logs, metrics
from cds_service.operations.traces import Tracing
from cds_service.records import time_limit
from cds_service.tenants.tenant import Tenant
from cds_service.web.http_lanes import ARRIVED

PREFLIGHT_MAX_AGE_S = 600
# R-G20: a browser that was here once comes back by https only; a production tenant has no other URL (T-01).
HSTS = "max-age=31536000"


def blueprint(tenants: tuple[Tenant, ...], *, tracing: Tracing | None = None) -> Blueprint:
    """What is done around every request; it has no URL of its own."""
    routes = Blueprint("operations", __name__)
    if tracing is not None:
        _trace(routes, tracing)
    transport = {"Strict-Transport-Security": HSTS} if any(tenant.is_production for tenant in tenants) else {}

    @routes.before_app_request
    def begin() -> None:
        g.started = ARRIVED.get() or time.monotonic()
        time_limit.begin()

    @routes.teardown_app_request
    def end(_error: BaseException | None) -> None:
        time_limit.forget()

    @routes.after_app_request
    def finish(response: Response) -> Response:
        _allow_origin(response, tenants)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.extend(transport)
        if (endpoint := g.get("endpoint")) is not None:
            _count(response, endpoint)
        return response

    return routes


def _trace(routes: Blueprint, tracing: Tracing) -> None:
    """A span around every request; where traces are off, none of this is there to be called."""

    @routes.before_app_request
    def begin_span() -> None:
        rule = request.url_rule.rule if request.url_rule else None
        g.span = tracing.begin(request.method, rule, request.headers.get("traceparent"))

    @routes.after_app_request
    def describe_span(response: Response) -> Response:
        if (begun := g.get("span")) is not None:
            tenant: Tenant | None = g.get("tenant")
            tracing.describe(
                begun[0],
                response.status_code,
                tenant=tenant.id if tenant else None,
                endpoint=g.get("endpoint"),
                hook=g.get("hook"),
            )
        return response

    @routes.teardown_app_request
    def end_span(_error: BaseException | None) -> None:
        if (begun := g.pop("span", None)) is not None:
            tracing.end(*begun)


def _allow_origin(response: Response, tenants: tuple[Tenant, ...]) -> None:
    """CORS for listed origins, on errors and preflights too; never `*`, never credentials (O-01..O-04)."""
    if not request.path.startswith(("/cds-services", "/demo/fhir")):
        return
    if "Vary" in response.headers:
        response.vary.add("Origin")
    else:
        response.headers["Vary"] = "Origin"
    origin = request.headers.get("Origin")
    if origin is None:
        return
    caller: Tenant | None = g.get("tenant")
    if not any(origin in tenant.cors_origins for tenant in ((caller,) if caller else tenants)):
        return
    response.headers["Access-Control-Allow-Origin"] = origin
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = ", ".join(sorted(response.allow))
        response.headers["Access-Control-Allow-Headers"] = "authorization, content-type"
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_MAX_AGE_S)


def _count(response: Response, endpoint: str) -> None:
    elapsed_s = time.monotonic() - g.started
    tenant: Tenant | None = g.get("tenant")
    tenant_id, hook = tenant.id if tenant else "", g.get("hook", "")
    metrics.responses.labels(tenant_id, endpoint, hook, str(response.status_code)).inc()
    metrics.seconds.labels(endpoint).observe(elapsed_s)
    logs.note(
        "answered",
        tenant=tenant_id or None,
        endpoint=endpoint,
        hook=hook or None,
        status=response.status_code,
        total_ms=round(1000 * elapsed_s, 2),
    )

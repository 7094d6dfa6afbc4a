"""OpenTelemetry traces: a span for each request and for each step, with listed attributes; nothing unless asked for.

Asked for by the standard OTEL_* variables, written by the extra `tracing`. Without either, nothing of it is imported
and no request does anything for it (test_traces.py).
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from contextvars import Token
from functools import cache
from typing import TYPE_CHECKING, Any

from cds_service.operations import logs
from cds_service.stopwatch import Stopwatch

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span

# Everything that a span may carry (R-G07, R-G08): our own words and numbers, never a URL, an id or a message.
ATTRIBUTES = frozenset(
    {
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "surgical_risk.tenant",
        "surgical_risk.endpoint",
        "surgical_risk.hook",
    }
)
SERVICE_NAME = "surgical-risk"
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
_WORD = re.compile(r"[A-Za-z0-9_/.:{}-]{1,200}", re.ASCII)
_VARIABLE = re.compile(r"<(?:[^:<>]+:)?(\w+)>")


class TraceError(Exception):
    """The OTEL_* variables ask for something that this service does not do; the message says which one."""


class Tracing:
    """Begins and ends the spans of one worker; lives as long as it."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry import context, trace  # noqa: PLC0415 — of an extra that need not be there
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        self._provider, self._context, self._trace = provider, context, trace
        self._tracer = provider.get_tracer(SERVICE_NAME)
        self._parents = TraceContextTextMapPropagator()
        Stopwatch.told = self.step

    def begin(self, method: str, rule: str | None, traceparent: str | None) -> tuple[Span, Token[Context]]:
        """Start a request's span, under the caller's trace if it names one; the span is named by the route."""
        method, route = method if method in _METHODS else "_OTHER", route_of(rule)
        # Of what a caller may say of its trace only the two ids: `tracestate` and `baggage` hold what it likes.
        parent = self._parents.extract({"traceparent": traceparent}) if traceparent else None
        span = self._tracer.start_span(f"{method} {route}", context=parent, kind=self._trace.SpanKind.SERVER)
        span.set_attributes(listed({"http.request.method": method, "http.route": route}))
        return span, self._context.attach(self._trace.set_span_in_context(span))

    def describe(self, span: Span, status: int, *, tenant: str | None, endpoint: str | None, hook: str | None) -> None:
        """Say what became of the request; 5xx is an error, without its message."""
        told = {"surgical_risk.tenant": tenant, "surgical_risk.endpoint": endpoint, "surgical_risk.hook": hook}
        span.set_attributes(listed({"http.response.status_code": status, **told}))
        if status >= 500:
            span.set_status(self._trace.StatusCode.ERROR)

    def end(self, span: Span, token: Token[Context]) -> None:
        """End the request's span."""
        self._context.detach(token)
        span.end()

    def step(self, name: str, started: float, ended: float) -> None:
        """A step of the request under way; `started` and `ended` in seconds of the monotonic clock."""
        if not self._trace.get_current_span().is_recording():
            return
        since = time.time_ns() - time.monotonic_ns()
        span = self._tracer.start_span(name, start_time=since + int(started * 1e9))
        span.end(end_time=since + int(ended * 1e9))

    def close(self) -> None:
        """Send what waits to be sent, and end."""
        self._provider.shutdown()


def opened(environ: Mapping[str, str] = os.environ) -> Tracing | None:
    """The tracing that the environment asks for; None where it asks for none. Raises TraceError."""
    named = exporter_named(environ)
    if named is None:
        return None
    try:
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        exporter = _exporter(named)
    except ImportError:
        logs.warn("traces-not-installed")
        return None
    provider = TracerProvider(resource=_resource(environ))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider)


def exporter_named(environ: Mapping[str, str]) -> str | None:
    """`otlp` or `console`; None where traces are off, which they are until a variable names where they go."""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    places = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    somewhere = any(environ.get(name) for name in places)
    named = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() or ("otlp" if somewhere else "none")
    if named not in ("otlp", "console", "none"):
        raise TraceError(f"OTEL_TRACES_EXPORTER={named}: otlp, console or none")
    if named == "otlp":
        for name in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
            if environ.get(name, "http/protobuf") != "http/protobuf":
                raise TraceError(f"{name}={environ[name]}: only http/protobuf")
    return None if named == "none" else named


@cache
def route_of(rule: str | None) -> str:
    """A URL rule as OpenTelemetry writes it, variables in braces; never the URL that was called."""
    return "unmatched" if rule is None else _VARIABLE.sub(r"{\1}", rule)


def listed(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Of the attributes those on the list, and of their values only numbers and plain words."""
    return {name: value for name, value in attributes.items() if name in ATTRIBUTES and _may_be_told(value)}


def _may_be_told(value: object) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and _WORD.fullmatch(value) is not None)


def _exporter(named: str) -> SpanExporter:
    """Where and how is said by the OTEL_EXPORTER_OTLP_* variables, which the exporter reads itself."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter  # noqa: PLC0415

    return OTLPSpanExporter() if named == "otlp" else ConsoleSpanExporter()


def _resource(environ: Mapping[str, str]) -> Any:
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

    named = "OTEL_SERVICE_NAME" in environ or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return Resource.create({} if named else {"service.name": SERVICE_NAME})

"""An OpenTelemetry collector on loopback: what a service exported, as it came over the wire."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from cds_service.stopwatch import Stopwatch
from cds_service.web.app import TRACING
from tests.cds_service.trust.listener import Listener, listening
from tests.conformance.conftest import an_app


class Collected:
    """The application whose spans go to the collector."""

    def __init__(self, app: Flask, listener: Listener) -> None:
        self.app = app
        self._listener = listener

    def exported(self) -> bytes:
        """Every byte exported, once the application has ended."""
        self.app.extensions[TRACING].close()
        return b"".join(self._listener.bodies)

    def spans(self) -> list[Any]:
        """Every span, oldest first."""
        self.app.extensions[TRACING].close()
        sent = [ExportTraceServiceRequest.FromString(body) for body in self._listener.bodies]
        scopes = [scope for each in sent for resource in each.resource_spans for scope in resource.scope_spans]
        return sorted((span for scope in scopes for span in scope.spans), key=lambda span: span.start_time_unix_nano)


@contextlib.contextmanager
def collecting(monkeypatch: pytest.MonkeyPatch, folder: Path, **settings: Any) -> Iterator[Collected]:
    """An application that exports its traces as the standard variables say."""
    monkeypatch.setattr(Stopwatch, "told", None)
    with listening(lambda _: (200, {"Content-Type": "application/x-protobuf"}, b"")) as listener:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", listener.url())
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        yield Collected(an_app(folder, **settings), listener)


def attributes(span: Any) -> dict[str, Any]:
    """A span's attributes as plain values."""
    return {pair.key: pair.value.string_value or pair.value.int_value for pair in span.attributes}

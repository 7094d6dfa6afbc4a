"""Traces: off until asked for, one span per request and per step, and nothing in them that is not on the list."""

import subprocess
import sys

import pytest

from cds_service.operations import traces
from cds_service.stopwatch import Stopwatch
from tests.acceptance.requests import a_request
from tests.cds_service.operations.collector import attributes, collecting
from tests.conformance.conftest import SERVICE, an_app

PARENT = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, None),
        ({"OTEL_SERVICE_NAME": "x"}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, "otlp"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, "otlp"),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "otlp"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "console"),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, None),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}, None),
    ],
)
def test_traces_are_off_until_the_environment_names_where_they_go(environment, named):
    assert traces.exporter_named(environment) == named


@pytest.mark.parametrize(
    "environment",
    [
        {"OTEL_TRACES_EXPORTER": "jaeger"},
        {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"},
    ],
)
def test_what_cannot_be_done_is_said_at_the_start(environment):
    with pytest.raises(traces.TraceError, match="OTEL_"):
        traces.opened(environment)


def test_without_the_extra_the_service_says_so_and_goes_on(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    assert traces.opened({"OTEL_TRACES_EXPORTER": "otlp"}) is None
    assert "traces-not-installed" in "".join(capsys.readouterr())


def test_off_means_nothing_imported_and_nothing_called(tmp_path, monkeypatch):
    monkeypatch.setattr(Stopwatch, "told", None)
    app = an_app(tmp_path, demo=True)
    called = [each.__name__ for group in (app.before_request_funcs, app.after_request_funcs) for each in group[None]]
    assert not [name for name in called if "span" in name]
    assert Stopwatch.told is None
    program = (
        "import sys; from cds_service.web.app import create_app; from cds_service.web.settings import Settings\n"
        f"create_app(Settings(demo=True, database_url='sqlite:///{tmp_path}/other.sqlite3'))\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "[]"


def test_a_request_is_one_span_with_its_steps_as_children(monkeypatch, tmp_path):
    with collecting(monkeypatch, tmp_path, demo=True) as collected:
        header = {"traceparent": f"00-{PARENT[0]}-{PARENT[1]}-01", "tracestate": "canary=1", "baggage": "canary=1"}
        assert collected.app.test_client().post(SERVICE, json=a_request(), headers=header).status_code == 200
        request, *steps = collected.spans()
    assert request.name == "POST /cds-services/{service_id}"
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == PARENT
    assert not request.trace_state
    assert attributes(request) == {
        "http.request.method": "POST",
        "http.route": "/cds-services/{service_id}",
        "http.response.status_code": 200,
        "surgical_risk.tenant": "demo",
        "surgical_risk.endpoint": "service",
        "surgical_risk.hook": "order-select",
    }
    assert [step.name for step in steps] == ["order", "data", "features", "scores", "card"]
    for step in steps:
        assert step.parent_span_id == request.span_id
        assert request.start_time_unix_nano <= step.start_time_unix_nano <= step.end_time_unix_nano
        assert step.end_time_unix_nano <= request.end_time_unix_nano


def test_a_request_that_fails_and_one_that_matches_nothing_have_a_span_each(monkeypatch, tmp_path):
    def broken(*_args, **_options):
        raise RuntimeError("Patient/pt-b is broken")

    with collecting(monkeypatch, tmp_path, demo=True) as collected:
        http = collected.app.test_client()
        monkeypatch.setattr("cds_service.answering.calls.answer", broken)
        assert http.post(SERVICE, json=a_request()).status_code == 500
        assert http.open("/Patient/pt-b", method="PT-B").status_code == 404
        failed, unknown = collected.spans()
    assert (failed.status.code, failed.status.message) == (2, "")
    assert not failed.events
    assert unknown.name == "_OTHER unmatched"
    assert attributes(unknown)["http.response.status_code"] == 404


def test_only_listed_attributes_and_plain_words_are_told():
    given = {"http.route": "/x?name=Müller", "url.full": "/x", "surgical_risk.tenant": None, "surgical_risk.hook": "a"}
    assert traces.listed(given) == {"surgical_risk.hook": "a"}


def test_a_service_name_of_the_operator_is_kept(monkeypatch, tmp_path):
    with collecting(monkeypatch, tmp_path, demo=True) as collected:
        collected.app.test_client().get("/health")
        assert b"surgical-risk" in collected.exported()
    monkeypatch.setenv("OTEL_SERVICE_NAME", "risk-east")
    with collecting(monkeypatch, tmp_path, demo=True) as collected:
        collected.app.test_client().get("/health")
        assert b"risk-east" in collected.exported()

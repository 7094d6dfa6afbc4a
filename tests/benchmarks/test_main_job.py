"""A prefetched order-select beside a route that only parses the same body; and five searches at 20 ms each."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.requests import a_patient, a_request, an_asa_class, bundle
from tests.benchmarks import bodies, measured
from tests.cds_service.patient_data.fhir_server import serving
from tests.end_to_end import servers

pytestmark = pytest.mark.benchmark
ROUNDS, REQUESTS = 6, 250
# What is asked for is in AIM; what is asserted only guards against getting worse (docs/performance.md).
AIM, LEAST_RATIO = 0.6, 0.15
FETCH_AIM_MS, FETCH_P50_MS = 30.0, 90.0
TENANT: dict[str, Any] = {"id": "benchmark", "environment": "dev", "mode": "on", "dedupe_window_s": 0}


def test_an_answer_costs_at_most_what_parsing_its_request_twice_would(tmp_path: Path) -> None:
    body = bodies.body()
    with (
        servers.service(TENANT, "--workers", "1") as url,
        measured.gunicorn("parsing", "tests.benchmarks.parsing_route:app", tmp_path / "log") as parsing,
    ):
        answering = measured.Server("answering", int(url.rpartition(":")[2]))
        assert_answers(answering, body)
        for server in (parsing, answering):
            measured.post(server, body, 100)
        rounds = [
            (measured.post(answering, body, REQUESTS), measured.post(parsing, body, REQUESTS)) for _ in range(ROUNDS)
        ]
    ratio = statistics.median(parsed.cpu_ms / answered.cpu_ms for answered, parsed in rounds)
    print(f"\n{len(body) / 1000:.0f} kB, one gthread worker, {ROUNDS} rounds of {REQUESTS}, medians:")
    for name, side in (("answering an order", 0), ("parsing alone", 1)):
        runs = [pair[side] for pair in rounds]
        print(
            f"  {name:20} {statistics.median(run.cpu_ms for run in runs):6.3f} CPU-ms/request"
            f" {statistics.median(run.per_s for run in runs):7.0f}/s"
            f"  p50 {statistics.median(run.p50_ms for run in runs):.2f} ms"
        )
    print(f"  throughput of answering beside parsing, by CPU: {ratio:.2f} (asked for: {AIM})")
    assert ratio >= LEAST_RATIO


def assert_answers(server: measured.Server, body: bytes) -> None:
    """The measured answer is a whole card, not a quick refusal."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", measured.PATH, body, {"Content-Type": "application/json"})
    card = json.loads(connection.getresponse().read())["cards"][0]
    connection.close()
    assert "about 8 in 1,000" in card["summary"]


def test_five_searches_of_20_ms_are_answered_within_30_ms(tmp_path: Path) -> None:
    held = {"Observation": bundle(an_asa_class()), "Patient": a_patient()}

    def respond(path: str) -> tuple[int, Any]:
        kind = path.removeprefix("/fhir/").partition("?")[0].partition("/")[0]
        return 200, held.get(kind, bundle())

    with serving(respond, delay_s=0.02) as fhir:
        tenant = TENANT | {"fhir_base_urls": [fhir.base]}
        with servers.service(tenant, "--workers", "1") as url:
            server = measured.Server("fetching", int(url.rpartition(":")[2]))
            request = a_request(patient=...) | {"fhirServer": fhir.base}
            request["prefetch"] = {}
            body = json.dumps(request).encode()
            measured.post(server, body, 30)
            runs = [measured.post(server, body, 60) for _ in range(3)]
            time.sleep(0.1)
    best = min(run.p50_ms for run in runs)
    searches = len({path.partition("?")[0] for path in fhir.paths})
    print(f"\nnothing prefetched, {searches} searches of 20 ms: p50 {best:.1f} ms (asked for: {FETCH_AIM_MS})")
    assert best <= FETCH_P50_MS

"""The whole service beside an empty route and beside HealthChain, every request new.

Run with the real servers of .ci/run, not by `make bench`: HealthChain comes from the package index, into an
environment of its own.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import requests

from tests.benchmarks import bodies, bounds, measured
from tests.benchmarks.test_main_job import GUARDED, a_fresh_token
from tests.end_to_end import healthchain_client, servers

pytestmark = pytest.mark.end_to_end
ROUNDS, REQUESTS = 6, 100
ROUTE = Path(__file__).with_name("healthchain_route.py")


@contextlib.contextmanager
def healthchain(folder: Path) -> Iterator[measured.Server]:
    port = servers.free_port()
    command = [str(healthchain_client.python()), str(ROUTE), f"127.0.0.1:{port}"]
    with servers.running(command, f"http://127.0.0.1:{port}/cds-services", log=folder / "healthchain.log", cwd=folder):
        yield measured.Server("healthchain", port)


def test_the_whole_service_beside_an_empty_route_and_beside_healthchain(tmp_path: Path) -> None:
    body, token = bodies.body(), a_fresh_token("RS384")
    with (
        measured.gunicorn("parsing", "tests.benchmarks.parsing_route:app", tmp_path / "parsing") as parsing,
        servers.service(GUARDED, "--workers", "1") as url,
        healthchain(tmp_path) as theirs,
    ):
        reading = msgspec.structs.replace(theirs, path="/read/surgical-risk")
        as_json = {"Content-Type": "application/json"}
        asked = requests.post(f"http://127.0.0.1:{theirs.port}{reading.path}", data=body, headers=as_json, timeout=60)
        assert asked.json()["cards"][0]["summary"] == "97 results"
        sides = {
            "an empty route": (parsing, None),
            "the whole service, RS384": (measured.Server("whole", int(url.rpartition(":")[2])), token),
            "HealthChain, an empty service": (theirs, None),
            "HealthChain, prefetch as FHIR objects": (reading, None),
        }
        for server, authorization in sides.values():
            measured.post(server, body, 30, authorization=authorization)
        rounds = [
            {
                name: measured.post(server, body, REQUESTS, authorization=authorization)
                for name, (server, authorization) in sides.items()
            }
            for _ in range(ROUNDS)
        ]
    print(f"\n{len(body) / 1000:.0f} kB, one process each, {ROUNDS} rounds of {REQUESTS}, every request new, medians:")
    ratios = {
        name: statistics.median(one["an empty route"].cpu_ms / one[name].cpu_ms for one in rounds) for name in sides
    }
    for name in sides:
        cpu = statistics.median(one[name].cpu_ms for one in rounds)
        p50 = statistics.median(one[name].p50_ms for one in rounds)
        print(f"  {name:38} {cpu:7.2f} CPU-ms/request  p50 {p50:6.2f} ms  beside an empty route: {ratios[name]:.2f}")
    assert bounds.WHOLE.holds(ratios["the whole service, RS384"])
    assert ratios["the whole service, RS384"] > ratios["HealthChain, prefetch as FHIR objects"]

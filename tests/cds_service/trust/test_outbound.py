"""The one way out: whatever a server does, a call is over within its time and its bytes; a dead one is not asked."""

from __future__ import annotations

import resource
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cds_service.operations import metrics
from cds_service.trust import circuit, egress_session
from cds_service.trust.outbound import Door, OutboundError
from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from tests.cds_service.trust import unhelpful
from tests.cds_service.trust.listener import listening
from tests.patience import tried_again

LATE_S = 1.0  # what a loud machine may add to a deadline of 0.3 s


def a_door(*, connections: int = 4, url_rule=lambda _: True) -> Door:
    return Door("t", "fhir", url_rule=url_rule, address_rule=lambda *_: True, connections=connections)


def why(door: Door, url: str, *, for_s: float = 0.3, most: int = 1_000_000, **headers: str) -> tuple[str, float]:
    """Our word for why there was no answer, and the seconds until it was said."""
    began = time.monotonic()
    with pytest.raises(OutboundError) as error:
        door.get(url, until=began + for_s, at_most_bytes=most, headers=headers)
    return error.value.why, time.monotonic() - began


@pytest.mark.parametrize("behaviour", unhelpful.EVERY, ids=lambda behaviour: behaviour.__name__)
@tried_again
def test_every_call_ends_in_time_whatever_the_server_does(behaviour: unhelpful.Behaviour) -> None:
    with unhelpful.serving(behaviour) as base:
        told, seconds = why(a_door(), f"{base}/x")
    assert told in ("too-late", "too-large", "no-answer", "unreadable")
    assert seconds < 0.3 + LATE_S


@tried_again
def test_the_time_holds_for_the_handshake_too() -> None:
    with unhelpful.serving(unhelpful.hang) as base:
        told, seconds = why(a_door(), base.replace("http://", "https://"))
    assert (told, seconds < 0.3 + LATE_S) == ("too-late", True)


@tried_again
def test_the_time_holds_for_a_name_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(10) and [])
    door = a_door(connections=20)
    with ThreadPoolExecutor(20) as callers:
        told = list(callers.map(lambda _: why(door, "http://slow.example.org/"), range(20)))
    assert {word for word, _ in told} == {"too-late"}
    assert max(seconds for _, seconds in told) < 0.3 + LATE_S
    assert door.lookups == egress_session.LOOKUPS  # and no thread more is held by them
    answered.set()


def test_the_limit_in_bytes_holds_before_compression_and_after() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for behaviour in (unhelpful.huge, unhelpful.bomb):
        with unhelpful.serving(behaviour) as base:
            assert why(a_door(), f"{base}/x", for_s=5)[0] == "too-large"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 120_000  # KiB; the bomb's own making is in it


def test_a_compressed_answer_is_read() -> None:
    import gzip

    body = gzip.compress(b'{"resourceType": "Bundle"}')
    with listening(lambda _: (200, {"Content-Encoding": "gzip"}, body)) as server:
        reply = a_door().get(server.url("/x"), until=time.monotonic() + 2, at_most_bytes=1000)
    assert reply.body == b'{"resourceType": "Bundle"}'


@tried_again
def test_calls_beyond_the_tenant_s_connections_wait_no_longer_than_their_time() -> None:
    with unhelpful.serving(unhelpful.hang) as base:
        door = a_door(connections=2)
        with ThreadPoolExecutor(10) as callers:
            told = list(callers.map(lambda _: why(door, f"{base}/x"), range(10)))
    assert {word for word, _ in told} <= {"busy", "too-late"}
    assert max(seconds for _, seconds in told) < 0.3 + LATE_S


@pytest.mark.parametrize(("name", "value"), [("Authorization", "Bearer ☃"), ("X", "a\r\nHost: evil"), ("X", "\x00")])
def test_what_http_cannot_carry_is_sent_nowhere(name: str, value: str) -> None:
    with listening() as server:
        assert why(a_door(), server.url("/x"), **{name: value})[0] == "refused"
        assert server.connections == 0


def test_a_server_that_hung_up_between_two_calls_is_asked_again() -> None:
    with listening() as server:  # HTTP/1.0: it hangs up after each answer
        door = a_door()
        for _ in range(3):
            assert door.get(server.url("/x"), until=time.monotonic() + 2, at_most_bytes=99).status == 200


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit, "FAILURES", 3)
    monkeypatch.setattr(circuit, "PAUSE_S", 0.4)


@pytest.mark.usefixtures("quick")
@tried_again
def test_a_server_that_failed_again_and_again_is_not_asked_and_a_probe_finds_it_again() -> None:
    door = a_door()
    with unhelpful.serving(unhelpful.hang) as base:
        port = int(base.rpartition(":")[2])
        for _ in range(3):
            assert why(door, f"{base}/x", for_s=0.25)[0] == "too-late"
        told, seconds = why(door, f"{base}/x")
        assert (told, seconds < 0.2, door.open_circuits) == ("open-circuit", True, 1)
        assert (door.is_open_for(f"{base}/y"), door.is_open_for("http://127.0.0.1:1/y")) == (True, False)
        time.sleep(0.5)
        assert why(door, f"{base}/x", for_s=0.25)[0] == "too-late"  # the probe
        assert why(door, f"{base}/x")[0] == "open-circuit"
    time.sleep(0.5)
    with listening() as other:
        door._circuits = {  # the same server, well again, on the port that this machine gave
            type(key)(key.scheme, key.host, other.port if key.port == port else key.port): one
            for key, one in door._circuits.items()
        }
        assert door.get(other.url("/x"), until=time.monotonic() + 2, at_most_bytes=99).status == 200
        assert door.open_circuits == 0


@pytest.mark.usefixtures("quick")
def test_a_server_that_says_no_is_not_a_server_that_is_gone() -> None:
    door = a_door()
    with listening(lambda _: (500, {}, b"")) as server:
        for _ in range(10):
            assert door.get(server.url("/x"), until=time.monotonic() + 2, at_most_bytes=99).status == 500
    assert door.open_circuits == 0


@pytest.mark.usefixtures("quick")
def test_one_server_s_circuit_is_not_another_s() -> None:
    door = a_door()
    with unhelpful.serving(unhelpful.hang) as dead, listening() as server:
        for _ in range(4):
            why(door, f"{dead}/x", for_s=0.25)
        assert door.get(server.url("/x"), until=time.monotonic() + 2, at_most_bytes=99).status == 200


def test_an_application_counts_every_call_by_its_end(tmp_path: Path) -> None:
    create_app(Settings(demo=True, database_url=f"sqlite:///{tmp_path}/record", state_directory=tmp_path))
    with unhelpful.serving(unhelpful.hang) as base:
        why(a_door(), f"{base}/x")
    assert b'surgical_risk_outbound_calls_total{purpose="fhir",result="too-late",tenant="t"}' in metrics.exposition()

"""What is remembered of answers: for the very request in the very state, bounded in bytes and time, unreadable."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cds_service.trust import retries
from cds_service.trust.retries import MOST_BYTES, MOST_OWN_BYTES, Request, RetryCache

ANSWER = b'{"cards":[' + b" " * 15_000 + b"]}"


def request(number: int = 0, *, tenant: str = "t", state: bytes = b"s") -> Request:
    return Request(tenant, b"body %d" % number, state)


@pytest.fixture(params=["shared", "own"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> RetryCache:
    return RetryCache(tmp_path / "answers" if request.param == "shared" else None, workers=2)


def test_the_same_request_in_the_same_state_finds_its_answer(cache: RetryCache) -> None:
    cache.keep(request(), ANSWER)
    assert cache.find(request()) == ANSWER


@pytest.mark.parametrize("other", [request(1), request(tenant="u"), request(state=b"another")])
def test_another_request_tenant_or_state_finds_none(cache: RetryCache, other: Request) -> None:
    cache.keep(request(), ANSWER)
    assert cache.find(other) is None


def test_it_ends_with_its_time(cache: RetryCache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.keep(request(), ANSWER)
    monkeypatch.setattr(retries, "KEEP_S", -1.0)
    assert cache.find(request()) is None


def test_a_sweep_removes_it_where_nobody_calls_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = RetryCache(tmp_path / "answers")
    shared.keep(request(), ANSWER)
    monkeypatch.setattr(retries, "KEEP_S", -1.0)
    shared.sweep()
    assert list((tmp_path / "answers").iterdir()) == []


def test_ten_thousand_answers_fit_in_a_container_s_shared_memory(tmp_path: Path) -> None:
    """4,311 calls filled 64 MB of /dev/shm before."""
    two = [RetryCache(tmp_path / "answers", workers=2) for _ in range(2)]
    most = 0
    for number in range(10_000):
        two[number % 2].keep(request(number), ANSWER)
        if number % 500 == 0:
            most = max(most, sum(one.stat().st_blocks * 512 for one in (tmp_path / "answers").iterdir()))
    assert most <= MOST_BYTES
    assert two[0].find(request(9_999)) == ANSWER


def test_a_worker_s_own_memory_is_bounded_too() -> None:
    own = RetryCache(None)
    for number in range(2_000):
        own.keep(request(number), ANSWER)
    found = [number for number in range(2_000) if own.find(request(number)) is not None]
    assert found == list(range(2_000 - len(found), 2_000))
    assert len(found) * len(ANSWER) <= MOST_OWN_BYTES


def test_no_two_answers_are_enciphered_alike(tmp_path: Path) -> None:
    """The same key with the same nonce would tell who reads both what differs between two answers."""
    folder = tmp_path / "answers"
    shared = RetryCache(folder)
    nonces = set()
    for _ in range(50):
        shared.keep(request(), ANSWER)
        (file,) = folder.iterdir()
        sealed = file.read_bytes()
        nonces.add(sealed[:12])
        assert b"cards" not in sealed
    assert len(nonces) == 50
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_worker_that_ends_remembers_nothing() -> None:
    own = RetryCache(None)
    own.keep(request(), ANSWER)
    own.close()
    assert own.find(request()) is None

"""A node that is told to stop is unready first, answers everything meanwhile, and resets no connection."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import requests

from tests.end_to_end.nodes import Node, callers, node

pytestmark = pytest.mark.end_to_end
MOST_BUSY = 3


class Kept(threading.local):
    """Every caller keeps its connection, as a proxy does."""

    def __init__(self) -> None:
        self.session = requests.Session()


def outcome(one: Node, session: object) -> str:
    """The status, or how the connection ended: refused is no harm, as nobody was let in."""
    try:
        return str(one.call(session).status_code)
    except requests.ConnectionError as error:
        return "refused" if "refused" in str(error) else str(error)


@pytest.mark.parametrize("keeps", [True, False], ids=["kept connections", "a connection each"])
def test_no_connection_is_reset_at_sigterm_under_load(tmp_path: Path, keeps: bool) -> None:
    seen: Counter[str] = Counter()
    kept = Kept()
    with node(tmp_path, CDS_DRAIN_S="0") as one:

        def call() -> None:
            seen[outcome(one, kept.session if keeps else requests)] += 1

        with callers(16, call):
            time.sleep(3)
            one.master.send_signal(signal.SIGTERM)
            assert one.master.wait(30) == 0
    assert seen.pop("200") > 50
    assert seen.pop("refused", 0) > 0
    # On a machine that does much else a call may wait in vain for SQLite; it is told so, and that is no reset.
    causes = [line["cause"] for line in one.lines("refused")]
    assert seen.pop("503", 0) <= MOST_BUSY, causes
    assert all("somebody else holds it" in cause for cause in causes), causes
    assert not seen, causes


def test_ready_is_503_first_and_calls_are_answered_until_the_stop(tmp_path: Path) -> None:
    with node(tmp_path, CDS_DRAIN_S="3") as one:
        assert one.ask("/readyz").json()["status"] == "ready"
        began = time.monotonic()
        one.master.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        with requests.Session() as session:
            ready = session.get(f"{one.url}/readyz", timeout=5)
            assert (ready.status_code, ready.json()["status"]) == (503, "draining")
            assert int(ready.headers["Retry-After"]) > 0
        while time.monotonic() - began < 2.5:
            answer = one.call()
            assert answer.status_code == 200
            assert one.ask("/livez").status_code == 200
            time.sleep(0.2)
        assert answer.headers["Connection"] == "close", "a client that is answered now moves on"
        assert one.master.wait(30) == 0
        assert time.monotonic() - began >= 3
        assert one.log.read_text().count("Worker exiting") == 2


def test_a_second_sigterm_does_not_wait(tmp_path: Path) -> None:
    with node(tmp_path, CDS_DRAIN_S="60") as one:
        for _ in range(2):
            one.master.send_signal(signal.SIGTERM)
            time.sleep(0.5)
        assert one.master.wait(20) == 0

"""A week of faults in a few minutes, under load: two nodes, PostgreSQL behind PgBouncer, a client whose keys are slow.

Whoever balances between the nodes asks /readyz, as an ingress does. What was acknowledged is there afterwards; a call
fails only while nobody can answer it or in a worker that was killed; no answer of 200 is without its card.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import requests
import sqlalchemy
from flask import Flask, Response
from werkzeug.serving import make_server

from cds_service.records import migrate
from tests.cds_service.records import postgres
from tests.cds_service.trust.signing import public
from tests.end_to_end import checkouts
from tests.end_to_end.checkouts import NEXT, ROOT, of, run
from tests.end_to_end.nodes import ISSUER, Node, callers, command, fill, node, until, variables, workers
from tests.end_to_end.test_hung_database import hung
from tests.end_to_end.test_small_state import in_memory

pytestmark = pytest.mark.end_to_end
CALLERS = 3
KEYS_S = 1.0
ALIVE_S = 0.2


class Seen:
    """What became of the calls, of the feedback, and how long /livez took."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.without_card = 0
        self.acknowledged = 0
        self.alive: list[float] = []
        self._lock = threading.Lock()

    def answered(self, fault: str, response: requests.Response) -> str | None:
        """Count one answer; the card that somebody may say something about."""
        with self._lock:
            self.calls[str(response.status_code)] += 1
            if response.status_code != 200:
                self.refused[f"{fault}: {response.status_code}"] += 1
                return None
            cards = response.json()["cards"]
            self.without_card += not cards
        return str(cards[0]["uuid"]) if cards else None

    def broken(self, fault: str) -> None:
        with self._lock:
            self.refused[f"{fault}: no answer"] += 1

    def kept(self) -> None:
        with self._lock:
            self.acknowledged += 1


def is_ready(one: Node) -> bool:
    try:
        return one.ask("/readyz", timeout=5).status_code == 200
    except requests.RequestException:  # stopped, or not there yet
        return False


class Week:
    """The nodes there are, the fault of the moment, and a load that goes on whatever happens."""

    def __init__(self, seen: Seen) -> None:
        self.seen, self.fault, self.nodes = seen, "none", list[Node]()

    def call(self) -> None:
        """One call and its feedback, to a node that says it is ready."""
        fault = self.fault
        try:
            ready = [one for one in list(self.nodes) if is_ready(one)]
            if not ready:
                time.sleep(0.1)
                return
            one = random.choice(ready)
            card = self.seen.answered(fault, one.call(timeout=10))
            if card and one.feedback(card, timeout=10).status_code == 200:
                self.seen.kept()
        except requests.RequestException:
            self.seen.broken(fault)

    def probe(self, ended: threading.Event) -> None:
        """Is everybody alive? As a kubelet asks, only more often."""
        while not ended.wait(0.05):
            for one in list(self.nodes):
                began = time.monotonic()
                with contextlib.suppress(requests.ConnectionError):  # stopped between two looks
                    one.ask("/livez", timeout=5)
                self.seen.alive.append(time.monotonic() - began)

    @contextlib.contextmanager
    def during(self, fault: str, seconds: float) -> Iterator[None]:
        """The fault happens in the block; then the load goes on for so long, and it has to recover."""
        self.fault = fault
        yield
        time.sleep(seconds)
        self.fault = "none"
        before = self.seen.calls["200"]
        assert until(lambda: self.seen.calls["200"] > before + 5, 30), f"nobody is answered after: {fault}"


@pytest.fixture
def slow_keys() -> Iterator[str]:
    """The URL of a client's keys, each a second away."""
    app = Flask(__name__)

    @app.get("/jwks.json")
    def keys() -> Response:
        time.sleep(KEYS_S)
        return Response(msgspec.json.encode({"keys": [public("ES384")]}), content_type="application/json")

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/jwks.json"
    server.shutdown()
    server.server_close()


@contextlib.contextmanager
def a_node(week: Week, folder: Path, url: str, keys: str, checkout: Path = ROOT, **others: str) -> Iterator[Node]:
    folder.mkdir(exist_ok=True)
    tenant = {"clients": [{"issuer": ISSUER, "jwks_url": keys}]}
    settings = {"CDS_DRAIN_S": "2", "CDS_MIGRATE_AT_START": "false", **of(checkout), **others}
    with node(folder, url, tenant=tenant, **settings) as one:
        week.nodes.append(one)
        try:
            yield one
        finally:
            week.nodes.remove(one)


def count(url: str, table: str) -> int:
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        found = int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() or 0)
    engine.dispose()
    return found


@pytest.mark.parametrize("seconds", [2.0, pytest.param(85.0, marks=pytest.mark.long)], ids=["minutes", "ten minutes"])
def test_a_bad_week_loses_nothing_that_was_acknowledged(tmp_path: Path, slow_keys: str, seconds: float) -> None:
    newer = checkouts.made(tmp_path)[NEXT]
    seen = Seen()
    week, ended = Week(seen), threading.Event()
    prober = threading.Thread(target=week.probe, args=(ended,))
    with (
        postgres.server() as server, postgres.bouncer(server) as bouncer, postgres.database(server) as direct,
        in_memory(8) as state, contextlib.ExitStack() as stack,
    ):  # fmt: skip
        url = postgres.at(bouncer, direct)
        migrate.upgrade(direct)
        first = stack.enter_context(a_node(week, tmp_path / "one", url, slow_keys, CDS_STATE_DIRECTORY=str(state)))
        with contextlib.ExitStack() as second_stack:
            second = second_stack.enter_context(a_node(week, tmp_path / "two", url, slow_keys))
            prober.start()
            with callers(CALLERS, week.call):
                assert until(lambda: seen.calls["200"] > 20, 30), "slow keys"
                with week.during("pause", seconds), hung(server):
                    time.sleep(3)
                with week.during("kill", seconds):
                    os.kill(workers(first)[0], signal.SIGKILL)
                with week.during("fill", seconds):
                    filler = fill(state)
                    os.kill(workers(first)[0], signal.SIGKILL)
                    time.sleep(2)
                    filler.unlink()
                with week.during("second start", seconds):
                    port = int(first.url.rpartition(":")[2])
                    again = command(tmp_path / "one", port)
                    environment = variables(tmp_path / "one", url, CDS_STATE_DIRECTORY=str(state))
                    assert subprocess.run(
                        again, env=environment, capture_output=True, timeout=60, check=False
                    ).returncode
                with week.during("upgrade", seconds):
                    migrated = run(newer, direct, "record", "migrate")
                    assert migrated.returncode == 0, migrated.stderr
                with week.during("drain", seconds):
                    second.master.send_signal(signal.SIGTERM)
                    assert second.master.wait(30) == 0
                    second_stack.close()
                    second_stack.enter_context(a_node(week, tmp_path / "two", url, slow_keys, newer))
            ended.set()
            prober.join()
        _proven(seen, direct)


def _proven(seen: Seen, url: str) -> None:
    assert count(url, "feedback") >= seen.acknowledged > 20, "acknowledged feedback is there"
    assert seen.without_card == 0, "a fault is no empty list of cards"
    without_answer = sum(number for what, number in seen.refused.items() if what.endswith("no answer"))
    assert without_answer <= 2 * CALLERS, (
        f"more than were under way in the two workers that were killed: {seen.refused}"
    )
    others = {what for what in seen.refused if not what.endswith("no answer")}
    assert others <= {"pause: 503", "none: 503"}, seen.refused
    slow = sorted(seen.alive)
    assert slow[int(0.99 * len(slow))] < ALIVE_S, f"/livez took up to {slow[-1]:.2f} s"
    print(f"\n{dict(seen.calls)}, {dict(seen.refused)}, feedback {seen.acknowledged}, /livez at most {slow[-1]:.3f} s")

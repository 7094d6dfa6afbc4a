"""A database that hangs, really (SIGSTOP): calls end in time with a cause, and nobody takes the node for dead."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy

from tests.cds_service.records import postgres
from tests.end_to_end.nodes import Node, node, until, workers
from tests.patience import in_a_quiet_moment

pytestmark = pytest.mark.end_to_end
# DEC-02: what a call may take, and what sixteen clients of this test add, which share the machine with the server.
DEADLINE_S = 1.8
CLIENT_S = 0.7
ALIVE_S = 0.2
# Kubernetes' default patience with a probe.
PROBE_S = 1.0


@contextlib.contextmanager
def hung(folder: str) -> Iterator[None]:
    """No process of the server does anything; its connections stay, and the kernel takes new ones."""
    first = int((Path(folder) / "data" / "postmaster.pid").read_text().splitlines()[0])
    own = [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]
    for pid in own:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in own:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def timed(one: Node, path: str) -> tuple[int, float]:
    began = time.monotonic()
    return one.ask(path, timeout=20).status_code, time.monotonic() - began


def called(one: Node) -> tuple[int, float]:
    began = time.monotonic()
    return one.call().status_code, time.monotonic() - began


def test_calls_end_within_their_deadline_and_the_node_is_alive_while_its_database_hangs(tmp_path: Path) -> None:
    def check(folder: Path) -> None:
        with postgres.server() as server, postgres.database(server) as url, node(folder, url) as one:
            assert [one.call().status_code for _ in range(4)] == [200] * 4
            with hung(server), ThreadPoolExecutor(16) as pool:
                answers = [pool.submit(called, one) for _ in range(48)]
                alive: list[tuple[int, float]] = []
                health: list[tuple[int, float]] = []
                while not all(answer.done() for answer in answers):
                    alive.append(timed(one, "/livez"))
                    health.append(timed(one, "/health"))
                    time.sleep(0.05)
                ready = one.ask("/readyz")
                told = [answer.result() for answer in answers]
            assert {status for status, _ in told} == {503}
            assert max(seconds for _, seconds in told) < DEADLINE_S + CLIENT_S
            assert {status for status, _ in alive} == {200}
            probes = sorted(seconds for _, seconds in alive)
            assert probes[len(probes) * 9 // 10] < ALIVE_S
            assert probes[-1] < PROBE_S, "an orchestrator gives up then"
            assert {status for status, _ in health} == {200}
            assert max(seconds for _, seconds in health) < DEADLINE_S
            assert (ready.status_code, ready.json()["parts"]["database"]) == (503, "it did not answer in time")
            assert ready.headers["Retry-After"]
            assert until(lambda: one.call().status_code == 200, 10), "it answers again once the database does"
            assert any("it did not answer in time" in line["cause"] for line in one.lines("refused"))

    in_a_quiet_moment(check, tmp_path)


def told_of(url: str) -> int:
    """How many workers have said that they are there."""
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        told = int(connection.exec_driver_sql("SELECT count(*) FROM worker").scalar() or 0)
    engine.dispose()
    return told


def test_a_worker_that_dies_while_the_database_hangs_is_born_again_once_it_answers(tmp_path: Path) -> None:
    with postgres.server() as folder, postgres.database(folder) as url, node(tmp_path, url) as one:
        assert until(lambda: told_of(url) == 2, 20), "both workers answer, so one is left"
        with hung(folder):
            dead = workers(one)[0]
            os.kill(dead, signal.SIGKILL)
            time.sleep(1)
            assert one.call().status_code == 503
            assert until(lambda: bool(one.lines("worker-not-born")), 40)
            assert one.master.poll() is None
            assert timed(one, "/livez")[0] == 200
        assert until(lambda: one.ask("/readyz").status_code == 200, 20)
        assert until(lambda: len(workers(one)) == 2 and dead not in workers(one), 30)
        assert [one.call().status_code for _ in range(10)] == [200] * 10


def test_the_server_ends_a_statement_that_waits_for_a_lock_so_that_none_is_left_behind(tmp_path: Path) -> None:
    def check(folder: Path) -> None:
        with postgres.server() as server, postgres.database(server) as url, node(folder, url) as one:
            assert one.call().status_code == 200
            engine = sqlalchemy.create_engine(url)
            with engine.begin() as holder:
                holder.exec_driver_sql("LOCK TABLE used_token IN ACCESS EXCLUSIVE MODE")
                with ThreadPoolExecutor(8) as pool:
                    told = list(pool.map(lambda _: called(one), range(24)))
                assert {status for status, _ in told} == {503}
                assert max(seconds for _, seconds in told) < DEADLINE_S + CLIENT_S
                waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                time.sleep(0.3)
                assert holder.exec_driver_sql(waiting).scalar() == 0
            engine.dispose()
            assert one.call().status_code == 200

    in_a_quiet_moment(check, tmp_path)

"""Answers remembered for a retry end with the service, however it ends (DEC-17: nothing of them is persisted)."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.operations import state
from tests.end_to_end.nodes import Node, node, until, workers

pytestmark = pytest.mark.end_to_end
CALLS = 6


@contextlib.contextmanager
def in_memory() -> Iterator[Path]:
    """A state directory in /dev/shm, where workers remember answers together."""
    folder = Path("/dev/shm") / f"test-{uuid.uuid4().hex[:8]}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remembered(folder: Path) -> list[Path]:
    """Every file that an answer is remembered in."""
    return [one for one in (folder / state.ANSWERS).rglob("*") if one.is_file()]


def answered(one: Node, folder: Path) -> list[Path]:
    """What is remembered after some calls: as many answers, so that looking finds what there is to find."""
    assert [one.call().status_code for _ in range(CALLS)] == [200] * CALLS
    found = remembered(folder)
    assert len(found) == CALLS
    return found


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT], ids=lambda told: told.name)
def test_they_are_gone_when_the_service_has_stopped(tmp_path: Path, told: signal.Signals) -> None:
    with in_memory() as folder, node(tmp_path, CDS_STATE_DIRECTORY=str(folder)) as one:
        answered(one, folder)
        one.master.send_signal(told)
        assert one.master.wait(30) == 0
        assert remembered(folder) == []


def test_they_are_there_for_a_retry_while_a_worker_is_replaced(tmp_path: Path) -> None:
    with in_memory() as folder, node(tmp_path, CDS_STATE_DIRECTORY=str(folder)) as one:
        before, dead = set(answered(one, folder)), workers(one)[0]
        os.kill(dead, signal.SIGKILL)
        assert until(lambda: dead not in workers(one) and len(workers(one)) == 2, 20)
        assert before <= set(remembered(folder))


def test_of_a_service_that_was_killed_the_next_start_removes_them_before_it_answers(tmp_path: Path) -> None:
    with in_memory() as folder:
        with node(tmp_path, CDS_STATE_DIRECTORY=str(folder)) as one:
            left, orphans = set(answered(one, folder)), workers(one)
            for process in (one.master.pid, *orphans):
                os.kill(process, signal.SIGKILL)
            one.master.wait(10)
            assert set(remembered(folder)) == left, "whoever is killed removes nothing"
        with node(tmp_path, CDS_STATE_DIRECTORY=str(folder)) as one:
            assert remembered(folder) == []
            answered(one, folder)

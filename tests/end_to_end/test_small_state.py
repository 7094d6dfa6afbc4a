"""A state directory that is full, cannot be written, or is another's: less is remembered, and that is told."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cds_service.records.test_kill import a_free_port
from tests.end_to_end.nodes import Node, command, fill, metric, node, small, until, variables, workers

pytestmark = pytest.mark.end_to_end


@contextlib.contextmanager
def in_memory(mebibytes: int) -> Iterator[Path]:
    """As a container's /dev/shm: a state directory in memory, with a bound."""
    folder = Path("/dev/shm") / f"test-{uuid.uuid4().hex[:8]}"
    try:
        with small(folder, mebibytes) as place:
            yield place
    finally:
        folder.rmdir()


def replaced(one: Node, dead: int) -> bool:
    return dead not in workers(one) and len(workers(one)) == 2


def test_a_worker_that_dies_while_the_directory_is_full_is_replaced_and_everybody_is_answered(tmp_path: Path) -> None:
    with in_memory(8) as folder, node(tmp_path, CDS_STATE_DIRECTORY=str(folder)) as one:
        assert [one.call().status_code for _ in range(8)] == [200] * 8
        filler = fill(folder)
        for _ in range(3):
            dead = workers(one)[0]
            os.kill(dead, signal.SIGKILL)
            assert until(lambda dead=dead: replaced(one, dead), 20)
        assert [one.call().status_code for _ in range(30)] == [200] * 30
        assert one.master.poll() is None
        ready = one.ask("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        assert "full" in ready.json()["parts"]["state"]
        assert "SIGBUS" not in one.log.read_text()
        assert until(lambda: any("full" in line["cause"] for line in one.lines("state-degraded")), 5)
        assert metric(one, "surgical_risk_state_free_bytes") < 1024 * 1024
        filler.unlink()
        assert until(lambda: one.ask("/readyz").json()["parts"]["state"] == "ok", 5)


def test_a_node_starts_with_a_full_directory(tmp_path: Path) -> None:
    with in_memory(1) as folder:
        fill(folder)
        with node(tmp_path, CDS_STATE_DIRECTORY=str(folder)) as one:
            assert [one.call().status_code for _ in range(8)] == [200] * 8
            told = one.ask("/readyz").json()["parts"]
            assert all(words != "ok" for words in (told["state"], told["counts"], told["losses"])), told
            assert "surgical_risk" in one.ask("/metrics").text or one.ask("/metrics").status_code == 200


def test_a_directory_that_can_no_longer_be_written_costs_no_answer(tmp_path: Path) -> None:
    with in_memory(8) as folder, node(tmp_path, CDS_STATE_DIRECTORY=str(folder)) as one:
        assert one.call().status_code == 200
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=False)
        assert [one.call().status_code for _ in range(8)] == [200] * 8
        assert one.ask("/readyz").status_code == 200


def test_workers_that_die_again_and_again_leave_no_more_files_and_their_counts_stay(tmp_path: Path) -> None:
    with node(tmp_path) as one:
        assert [one.call().status_code for _ in range(10)] == [200] * 10
        sizes = []
        for _ in range(4):
            dead = workers(one)[0]
            os.kill(dead, signal.SIGKILL)
            assert until(lambda dead=dead: replaced(one, dead), 20)
            assert one.call().status_code == 200
            time.sleep(1.5)
            sizes.append(len(list((tmp_path / "state" / "metrics").glob("*.db"))))
        assert until(lambda: len(list((tmp_path / "state" / "metrics").glob("*.db"))) <= sizes[0], 20), sizes
        assert metric(one, 'surgical_risk_responses_total{endpoint="service"') == 14


def test_a_second_start_on_the_port_fails_before_it_touches_the_running_node(tmp_path: Path) -> None:
    with node(tmp_path) as one:
        assert [one.call().status_code for _ in range(5)] == [200] * 5
        port = int(one.url.rpartition(":")[2])
        before = metric(one, "surgical_risk_responses_total")
        again = subprocess.run(
            command(tmp_path, port), env=variables(tmp_path), capture_output=True, text=True, timeout=60, check=False
        )
        assert again.returncode == 1
        assert f"127.0.0.1:{port}: address already in use" in again.stderr
        assert "Traceback" not in again.stderr
        assert one.call().status_code == 200
        assert metric(one, "surgical_risk_responses_total") == before + 1


def test_a_second_start_with_the_same_directory_fails_on_any_port(tmp_path: Path) -> None:
    with node(tmp_path) as one:
        assert one.call().status_code == 200
        before = metric(one, "surgical_risk_responses_total")
        another = command(tmp_path, a_free_port())
        again = subprocess.run(
            another, env=variables(tmp_path), capture_output=True, text=True, timeout=60, check=False
        )
        assert again.returncode == 1
        assert "is in use by another start of the service" in again.stderr
        assert metric(one, "surgical_risk_responses_total") == before

"""Workers are killed under load, really: no acknowledged feedback is lost, and what is lost of the rest is counted."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import sqlalchemy

from tests.acceptance.requests import a_request

pytestmark = pytest.mark.end_to_end


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(folder: Path, url: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    bind = f"127.0.0.1:{a_free_port()}"
    command = [sys.executable, "-m", "cds_service.commands.cli", "serve", "--demo", "--bind", bind, "--workers", "2"]
    environment = os.environ | {"DATABASE_URL": url, "CDS_STATE_DIRECTORY": str(folder)}
    with (
        (folder / "log").open("ab") as log,
        subprocess.Popen(command, env=environment, stderr=log, stdout=log) as master,
    ):
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until and not is_ready(bind):
                assert master.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)
            yield master, f"http://{bind}/cds-services/surgical-risk"
        finally:
            master.terminate()
            master.wait(30)


def is_ready(bind: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"http://{bind}/ready", timeout=1).status_code == 200
    return False


def workers(master: subprocess.Popen[bytes]) -> list[int]:
    """The processes that answer; the start's checks leave another child behind, which tracks resources."""
    found = Path(f"/proc/{master.pid}/task/{master.pid}/children").read_text(encoding="ascii").split()
    return [int(pid) for pid in found if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()]


def send(url: str, stop: threading.Event, acknowledged: list[str]) -> None:
    """Feedback and orders, one after the other, as fast as they are answered."""
    while not stop.is_set():
        card = str(uuid.uuid4())
        item = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-22T10:00:00Z"}
        with contextlib.suppress(requests.RequestException):
            if requests.post(f"{url}/feedback", json={"feedback": [item]}, timeout=5).status_code == 200:
                acknowledged.append(card)
        with contextlib.suppress(requests.RequestException):
            requests.post(url, json=a_request() | {"hookInstance": card}, timeout=5)


def test_no_acknowledged_feedback_is_lost_when_workers_are_killed_under_load(tmp_path, empty_url):
    acknowledged: list[str] = []
    stop = threading.Event()
    with serving(tmp_path, empty_url) as (master, url):
        senders = [threading.Thread(target=send, args=(url, stop, acknowledged)) for _ in range(4)]
        for sender in senders:
            sender.start()
        for _ in range(4):
            time.sleep(1.0)
            with contextlib.suppress(ProcessLookupError):
                os.kill(workers(master)[0], signal.SIGKILL)
        time.sleep(2.0)
        stop.set()
        for sender in senders:
            sender.join()
    engine = sqlalchemy.create_engine(empty_url)
    with engine.connect() as connection:
        kept = set(connection.exec_driver_sql("SELECT card_uuid FROM feedback").scalars())
        killed = connection.exec_driver_sql("SELECT count(*) FROM loss WHERE cause NOT IN ('killed')").scalar()
    engine.dispose()
    assert len(acknowledged) > 20
    assert set(acknowledged) <= kept
    assert killed == 0
    assert not list((tmp_path / "ledgers").glob("*.ledger")), "a worker that ended in order left its ledger"

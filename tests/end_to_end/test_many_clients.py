"""More clients than a worker takes, each sending byte after byte: who asks is answered, and the worker lives on."""

from __future__ import annotations

import contextlib
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.web import gunicorn_conf
from tests.cds_service.records.test_kill import a_free_port
from tests.end_to_end.test_slow_clients import get, wait_until_it_answers
from tests.patience import tried_again

pytestmark = pytest.mark.end_to_end
MANY = 1_500  # gunicorn takes a thousand (its worker_connections)
# What each sends at first, and what again and again from then on: also in the turn in which the worker hangs up on it.
HELD = {
    "saying nothing": (b"", b""),
    "blank lines": (b"", b"\r\n"),
    "a part of a head": (b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"a"),
    "a part of a body": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n{", b"a"),
    "idle after an answer": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b""),
    "a second head after an answer": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"G"),
    "never hanging up": (b"GET / HTTP/1.0\r\n\r\n", b"a"),
}
PAUSE_S = 0.02


# As systemd starts a service unless told otherwise, and where nobody may open more.
@pytest.fixture(scope="module", params=["1024:20000", "1024:1024", "300:300"])
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One worker of ours that may open so many files: at first, and at most."""
    port, log = a_free_port(), tmp_path_factory.mktemp("gunicorn") / "log"
    command = ["prlimit", f"--nofile={request.param}", sys.executable, "-m", "gunicorn", "tests.end_to_end.echo:app"]
    options = ["--bind", f"127.0.0.1:{port}", "--threads", "4", "--keep-alive", "30", "--no-control-socket"]
    started = [*command, *options, "--worker-class", gunicorn_conf.worker_class]
    with log.open("wb") as out, subprocess.Popen(started, stderr=out) as master:
        wait_until_it_answers(port)
        yield port
        master.terminate()
        assert master.wait(30) == 0
    told = Path(log).read_bytes()
    assert b"Too many open files" not in told
    assert told.count(b"Booting worker") == 1


@contextlib.contextmanager
def held(port: int, begun: bytes, more: bytes) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 2 * MANY), hard), hard))
    with contextlib.ExitStack() as opened:
        clients: list[socket.socket] = []
        opened.enter_context(trickling(clients, more))
        for _ in range(MANY):
            client = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            with contextlib.suppress(OSError):  # the service hung up on it already
                client.sendall(begun)
            clients.append(client)
        time.sleep(1)  # a loud machine has yet to answer those who asked for something
        yield


@contextlib.contextmanager
def trickling(clients: list[socket.socket], more: bytes) -> Iterator[None]:
    """Each of the clients sends more, again and again; those who come meanwhile too."""
    over = threading.Event()

    def trickle() -> None:
        while not over.wait(PAUSE_S):
            for client in list(clients):
                with contextlib.suppress(OSError):
                    client.send(more)

    thread = threading.Thread(target=trickle)
    if more:
        thread.start()
    try:
        yield
    finally:
        over.set()
        if more:
            thread.join()


@pytest.mark.parametrize(("begun", "more"), HELD.values(), ids=HELD)
@tried_again
def test_who_asks_is_answered_while_more_hold_connections_than_a_worker_takes(
    port: int, begun: bytes, more: bytes
) -> None:
    with held(port, begun, more):
        for _ in range(10):
            began = time.monotonic()
            assert get(port) == b"0"
            assert time.monotonic() - began < 1.0
            time.sleep(0.05)

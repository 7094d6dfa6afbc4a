"""Clients that send a byte a second, or nothing, or never hang up: nobody else waits for them (R-G09)."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.web import gunicorn_conf
from cds_service.web.http_worker import HEAD_TIMEOUT_S, HeadFirstWorker
from tests.cds_service.records.test_kill import a_free_port
from tests.patience import tried_again

pytestmark = pytest.mark.end_to_end

SLOW = 50
THREADS = 4
BEGUN = {
    "a byte of the head a second": b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "nothing": b"",
    "blank lines": b"\r\n\r\n",
    "a body that nobody reads": b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{",
    "never hanging up": b"GET / HTTP/1.0\r\n\r\n",
    "a second head after the first": b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT",
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One worker of ours with four threads."""
    port = a_free_port()
    command = [sys.executable, "-m", "gunicorn", "tests.end_to_end.echo:app", "--bind", f"127.0.0.1:{port}"]
    options = ["--threads", str(THREADS), "--keep-alive", "30", "--worker-class", gunicorn_conf.worker_class]
    log = tmp_path_factory.mktemp("gunicorn") / "log"
    with log.open("wb") as out, subprocess.Popen([*command, *options, "--no-control-socket"], stderr=out) as master:
        wait_until_it_answers(port)
        yield port
        master.terminate()
        assert master.wait(20) == 0
    assert b"Traceback" not in Path(log).read_bytes()


def wait_until_it_answers(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            assert get(port) == b"0"
            return
        time.sleep(0.1)
    raise AssertionError("the worker does not answer")


def get(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    connection.request("GET", "/")
    body = connection.getresponse().read()
    connection.close()
    return body


@contextlib.contextmanager
def clients(port: int, begun: bytes, *, each_s: float = 1.0) -> Iterator[list[socket.socket]]:
    """Fifty of them, each sending one byte more a second, or at another pace."""
    opened = [socket.create_connection(("127.0.0.1", port)) for _ in range(SLOW)]
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(each_s):
            for client in opened:
                with contextlib.suppress(OSError):
                    client.send(b"a" if begun else b"")

    for client in opened:
        client.sendall(begun)
    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        yield opened
    finally:
        stop.set()
        dripping.join()
        for client in opened:
            client.close()


def send(port: int, *parts: bytes) -> bytes:
    """The parts, a moment apart, and everything that comes back until the server hangs up or is silent for a second."""
    with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
        for part in parts:
            client.sendall(part)
            time.sleep(0.05)
        received = b""
        with contextlib.suppress(TimeoutError):
            while chunk := client.recv(65536):
                received += chunk
    return received


def test_the_service_is_served_by_this_worker() -> None:
    assert gunicorn_conf.worker_class == f"{HeadFirstWorker.__module__}.{HeadFirstWorker.__qualname__}"


@pytest.mark.parametrize("begun", BEGUN.values(), ids=BEGUN)
@tried_again
def test_fifty_slow_clients_keep_nobody_waiting(port: int, begun: bytes) -> None:
    with clients(port, begun):
        for _ in range(8):
            began = time.monotonic()
            assert get(port) == b"0"
            assert time.monotonic() - began < 1.0
            time.sleep(0.25)


@tried_again
def test_bodies_that_drip_without_being_read_keep_nobody_waiting(port: int) -> None:
    """A byte every 30 ms never ran into a limit of 50 ms for each `recv`; who asks first (RFC 9110, 10.1.1) has a
    thread before the body.
    """
    head = b"POST /unread HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 60000\r\n\r\n"
    with clients(port, head, each_s=0.03):
        for _ in range(20):
            began = time.monotonic()
            assert get(port) == b"0"
            assert time.monotonic() - began < 1.0
            time.sleep(0.1)


@tried_again
def test_a_head_that_is_not_whole_in_time_is_408_and_the_connection_ends(port: int) -> None:
    with clients(port, BEGUN["a byte of the head a second"]) as opened:
        began = time.monotonic()
        opened[0].settimeout(HEAD_TIMEOUT_S + 3)
        assert opened[0].recv(100).startswith(b"HTTP/1.1 408 ")
        assert HEAD_TIMEOUT_S - 1.5 < time.monotonic() - began < HEAD_TIMEOUT_S + 2.5
    assert get(port) == b"0"


def test_a_connection_opened_for_later_is_closed_without_a_word(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=HEAD_TIMEOUT_S + 3) as client:
        assert client.recv(1) == b""


def test_a_head_in_pieces_is_read(port: int) -> None:
    pieces = [bytes([byte]) for byte in b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r"]
    assert send(port, *pieces, b"\nab", b"cde").endswith(b"\r\n\r\n5")


def test_one_connection_carries_many_requests_and_large_bodies(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    for size in (0, 1, 70_000, 3 * 1024 * 1024):
        connection.request("POST", "/", body=b"x" * size)
        assert connection.getresponse().read() == str(size).encode()
    connection.close()


@pytest.mark.parametrize("size", [0, 1, 70_000, 113_000, 900_000])
def test_a_connection_that_was_told_to_stay_stays_although_nobody_read_the_body(port: int, size: int) -> None:
    """A call refused by its head alone (401, 415, 429) lost the next one: most clients send no POST twice."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    for _ in range(5):
        connection.request("POST", "/unread", body=b"x" * size)
        answer = connection.getresponse()
        assert answer.read() == b"unread"
        assert answer.headers["Connection"] == "keep-alive"
    connection.close()


def test_requests_sent_in_one_go_are_all_answered(port: int) -> None:
    one = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    assert send(port, one * 3).count(b"\r\n\r\n3") == 3
    assert send(port, one + one[:30], one[30:]).count(b"\r\n\r\n3") == 2


def test_a_chunked_body_is_read(port: int) -> None:
    chunks = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    assert send(port, chunks, b"2\r\nde\r\n0\r\n\r\n").endswith(b"\r\n\r\n5")


def test_a_head_without_an_end_is_431_or_refused_by_the_parser(port: int) -> None:
    assert send(port, b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000).startswith(b"HTTP/1.1 431 ")


def test_an_answer_reaches_a_client_whose_body_was_not_read(port: int) -> None:
    head = b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n"
    assert b"\r\n\r\nunread" in send(port, head + b"x" * 300_000)

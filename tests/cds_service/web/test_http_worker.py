"""A connection that was promised to stay stays, however busy the machine is (see also end_to_end/test_slow_clients)."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import get_parser

from cds_service.operations import metrics
from cds_service.web.http_connection import REFUSALS
from cds_service.web.http_worker import HeadFirstWorker
from tests.patience import tried_again

BODY = b'{"hook": "order-select"}'


@contextlib.contextmanager
def received(body: bytes, *, length: int | None = None) -> Iterator[Any]:
    """A connection with one request, of whose body so much is here."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (length or len(body)) + body)
        yield SimpleNamespace(parser=get_parser(Config(), ours, ("127.0.0.1", 1)), sock=ours)


def stays(connection: Any, *, keepalive: bool = True) -> bool:
    return HeadFirstWorker._keepalive_after(None, connection, keepalive)


def test_a_body_that_was_read_is_no_reason_to_hang_up() -> None:
    with received(BODY) as connection:
        assert next(connection.parser).body.read() == BODY
        assert stays(connection)
        assert not stays(connection, keepalive=False)


def test_a_body_that_nobody_read_and_that_is_here_is_thrown_away() -> None:
    with received(BODY) as connection:
        next(connection.parser)
        assert stays(connection)
        assert connection.sock.gettimeout() is None


@tried_again
def test_a_body_that_nobody_read_and_that_is_not_here_is_not_waited_for() -> None:
    with received(BODY, length=100) as connection:
        next(connection.parser)
        began = time.monotonic()
        assert not stays(connection)
        assert time.monotonic() - began < 0.04


def test_a_browser_that_waited_too_long_asks_again_by_itself() -> None:
    head, _, body = REFUSALS["busy"].partition(b"\r\n\r\n")
    assert b"Refresh: 2" in head.split(b"\r\n")
    assert body == b""


@pytest.mark.parametrize("why", sorted({*REFUSALS} - {"elsewhere"}))
def test_a_request_that_no_thread_ever_saw_is_counted(why: str) -> None:
    """There is no row of it: nobody has read whose it is."""
    told: list[str] = []
    conn = SimpleNamespace(refuse=told.append, close=lambda graceful: told.append(f"closed {graceful}"))
    before = metrics.unanswered.labels(why)._value.get()
    HeadFirstWorker._end(SimpleNamespace(nr_conns=1), conn, why)  # type: ignore[arg-type]
    assert metrics.unanswered.labels(why)._value.get() == before + 1
    assert told == [why, "closed True"]


def test_a_client_that_went_away_is_no_refusal() -> None:
    before = {why: metrics.unanswered.labels(why)._value.get() for why in REFUSALS}
    HeadFirstWorker._end(SimpleNamespace(nr_conns=1), SimpleNamespace(close=lambda graceful: None), "gone")  # type: ignore[arg-type]
    assert {why: metrics.unanswered.labels(why)._value.get() for why in REFUSALS} == before

"""One turn of the main loop: who is closed to make room may have an event in the same turn, and the worker lives on."""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from cds_service.web import http_worker
from cds_service.web.http_connection import Connection
from cds_service.web.http_worker import HeadFirstWorker
from tests.end_to_end.echo import app

ASKED = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
PROBED = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET / HTTP/1.0\r\n\r\n"
# Longer than a head may be: it is refused, and its sender is waited for until it hangs up.
LONG = b"GET / HTTP/1.1\r\nX: " + 70_000 * b"a"


class Turns:
    """A worker whose main loop is turned by hand; `most`: how many clients it takes."""

    def __init__(self, most: int, opened: contextlib.ExitStack) -> None:
        config = Config()
        for name, value in {"worker_connections": most, "threads": 1, "keepalive": 30}.items():
            config.set(name, value)
        self._opened = opened
        listeners = [opened.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        for listener in listeners:
            listener.setblocking(False)
        self.door, self.second_door = (listener.getsockname() for listener in listeners)
        self.worker = HeadFirstWorker(1, 1, listeners, SimpleNamespace(), 30, config, Logger(config))
        self.worker.wsgi, self.worker.tpool = app, self.worker.get_thread_pool()
        self.worker.poller = opened.enter_context(contextlib.closing(selectors.DefaultSelector()))
        self.worker.method_queue.init()
        opened.callback(self.worker.method_queue.close)
        queue = self.worker.method_queue
        self.worker.poller.register(queue.fileno(), selectors.EVENT_READ, queue.run_callbacks)
        opened.callback(self._end)
        self.worker.listen()
        self.worker.set_accept_enabled(True)

    def _end(self) -> None:
        """Every client has hung up by now."""
        for _ in range(3):
            self.turn()
        self.worker.tpool.shutdown()
        for key in list(self.worker.poller.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()

    def arrives(self, *, door: tuple[str, int] | None = None) -> socket.socket:
        """A client that has connected, and whom the worker has not seen yet."""
        client = self._opened.enter_context(socket.create_connection(door or self.door, timeout=2))
        time.sleep(0.02)
        return client

    def turn(self) -> None:
        """One turn, with all that has happened until now."""
        time.sleep(0.02)
        self.worker.wait_for_and_dispatch_events(0.05)

    def comes(self, begun: bytes = b"", *, door: tuple[str, int] | None = None) -> socket.socket:
        """A client that the worker has taken, and whose request it has answered if it was one."""
        client = self.arrives(door=door)
        client.sendall(begun)
        self.turn()
        if begun.endswith(b"\r\n\r\n"):
            self.turn()
            assert b"200 OK" in client.recv(1000)
            self.turn()
        return client

    def answers(self, client: socket.socket) -> bool:
        """Whether what the client asked is answered within a few turns; False where the worker hung up."""
        client.settimeout(0.1)
        for _ in range(10):
            self.turn()
            with contextlib.suppress(TimeoutError):
                return client.recv(1000).startswith(b"HTTP/1.1 200")
        return False


@pytest.fixture
def turns() -> Iterator[Callable[[int], Turns]]:
    with contextlib.ExitStack() as opened:
        yield lambda most: Turns(most, opened)


def is_hung_up_on(client: socket.socket) -> bool:
    client.settimeout(0.05)
    try:
        return client.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


def test_who_sends_a_byte_of_a_head_in_the_turn_in_which_it_has_to_go(turns: Callable[[int], Turns]) -> None:
    here = turns(2)
    slow = here.comes(b"GET / HTTP/1.1\r\n")
    new = here.arrives()
    slow.send(b"X")
    here.turn()
    assert is_hung_up_on(slow)
    new.sendall(ASKED)
    assert here.answers(new)
    assert here.worker.nr_conns == 1


def test_who_asks_again_in_the_turn_in_which_it_would_have_to_go_is_answered(turns: Callable[[int], Turns]) -> None:
    here = turns(3)
    idle = here.comes(ASKED)
    here.comes(ASKED)
    new = here.arrives()
    idle.sendall(ASKED)
    assert here.answers(idle)
    new.sendall(ASKED)
    assert here.answers(new)


def test_who_hangs_up_in_the_turn_in_which_it_has_to_go(turns: Callable[[int], Turns]) -> None:
    here = turns(1)
    last = here.comes(LAST)
    new = here.arrives()
    last.close()
    here.turn()
    new.sendall(ASKED)
    assert here.answers(new)


def test_who_hangs_up_in_the_turn_in_which_too_many_are_waited_for(turns: Callable[[int], Turns]) -> None:
    here = turns(2)
    last = here.comes(LAST)
    long = here.comes()
    long.sendall(LONG)
    time.sleep(0.02)
    last.close()
    here.turn()
    assert long.recv(1000).startswith(b"HTTP/1.1 431")


def test_where_no_file_is_left_who_asks_for_nothing_goes_after_the_turn(
    turns: Callable[[int], Turns], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = turns(9)
    slow, new = here.comes(b"GET / HT"), here.arrives()
    slow.send(b"X")

    def no_more(_listener: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, "accept", no_more)
        here.turn()
    assert is_hung_up_on(slow)
    new.sendall(ASKED)
    assert here.answers(new)


def test_a_new_client_is_not_the_one_that_goes(turns: Callable[[int], Turns], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where everybody else waits for an answer nobody goes, and whoever comes next waits at the door."""
    here = turns(2)
    answer = here.worker.handle

    def late(conn: Connection) -> object:
        time.sleep(0.3)
        return answer(conn)

    monkeypatch.setattr(here.worker, "handle", late)
    asking = here.arrives()
    asking.sendall(ASKED)
    here.turn()
    new = here.comes()
    assert not is_hung_up_on(new)
    new.sendall(ASKED)
    assert here.answers(new)
    assert here.answers(asking)


@pytest.mark.parametrize("held", [b"", b"GET / HTTP/1.1\r\nX: ", PROBED], ids=["nothing", "a part", "idle"])
def test_a_flood_at_the_second_address_ends_its_own_connections_alone(
    turns: Callable[[int], Turns], monkeypatch: pytest.MonkeyPatch, held: bytes
) -> None:
    monkeypatch.setattr(http_worker, "MOST_PROBES", 4)
    here = turns(6)
    idle, begun = here.comes(ASKED), here.comes(b"GET / HT")
    flood = [here.comes(held, door=here.second_door) for _ in range(8)]
    assert not is_hung_up_on(idle)
    assert not is_hung_up_on(begun)
    assert [is_hung_up_on(each) for each in flood] == [True] * 5 + [False] * 3
    begun.sendall(b"TP/1.1\r\nHost: x\r\n\r\n")
    assert here.answers(begun)
    assert here.worker.nr_conns < here.worker.worker_connections


def test_a_flood_of_clients_leaves_the_second_address_alone(turns: Callable[[int], Turns]) -> None:
    here = turns(3)
    probe = here.comes(PROBED, door=here.second_door)
    for _ in range(6):
        here.comes(b"GET / HT")
    probe.sendall(PROBED)
    assert here.answers(probe)


def test_where_every_probe_waits_for_its_answer_the_next_waits_at_the_door(
    turns: Callable[[int], Turns], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_worker, "MOST_PROBES", 2)
    here = turns(3)
    monkeypatch.setattr(here.worker, "handle", lambda _conn: time.sleep(0.3))
    asking = [here.arrives(door=here.second_door) for _ in range(4)]
    for each in asking:
        each.sendall(PROBED)
    for _ in range(4):
        here.turn()
    assert here.worker.nr_conns == 2
    until = time.monotonic() + 5
    while not all(is_hung_up_on(each) for each in asking):
        assert time.monotonic() < until
        here.turn()
    assert here.worker.nr_conns == 0

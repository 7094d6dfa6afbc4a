"""gunicorn's threaded worker, but a thread sees a request only when it is here: slow clients hold none, tenants half.

The worker of gunicorn 27.0 gives a connection to a thread at once, and the thread waits for the head for as long as the
client likes; its main loop waits up to 2 s for each client to hang up after a last answer. Measured with 16 threads:
fifty connections that send a byte a second, or nothing, or do not hang up, and nobody else is answered
(tests/end_to_end/test_slow_clients.py). Here the main loop collects heads and bodies and hangs up, and waits for
nobody; each request goes into the lane of its tenant (http_lanes.py).
"""

from __future__ import annotations

import array
import contextlib
import errno
import fcntl
import re
import selectors
import socket
import struct
import termios
import time
from collections.abc import Callable
from concurrent import futures
from functools import partial
from typing import Any, Literal

from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.http import get_parser  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from cds_service.web.http_lanes import OPERATIONS, SHARED, WAIT_AT_MOST_S, Lanes, lane_of

HEAD_TIMEOUT_S = 5.0
MOST_HEAD_BYTES = 64 * 1024
LINGER_S = 2.0
DRAIN_S = 0.05
# One call of send or recv in a thread: what is under way is ended by the caller's own limits (trust/body.py).
IO_TIMEOUT_S = 5
# A body is waited for without a thread, up to so many bytes of it; a larger one is read on by the thread, within the
# time that trust/body.py gives it.
BODY_TIMEOUT_S = 5.0
MOST_BODY_BYTES = 1024 * 1024
MOST_DECLARED_BYTES = 5 * 1024 * 1024  # beyond it the request is refused by its head alone (R-G09)
# /health, /ready and /metrics: also while every other thread is held.
OPERATIONS_THREADS = 2
_END = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"
_CHUNKED = -1
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,12})[ \t]*\r\n", re.IGNORECASE)
_AT_ONCE = re.compile(rb"\r\n(?:expect|upgrade):", re.IGNORECASE)
_IN_CHUNKS = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_PEEK = 16 * 1024
_REFUSALS = {
    "slow": b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "busy": b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "long": b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
}
Head = Literal["whole", "part", "gone", "long"]


class Connection(TConn):  # type: ignore[misc]
    """A client's connection, with what came of the head of its next request."""

    parser: Any

    def __init__(self, *args: Any, linger: Callable[[Connection], None]) -> None:
        super().__init__(*args)
        self._linger = linger
        self._taken = bytearray()
        self._wanted: int | None = None
        self.until = 0.0
        self.lane = ""
        limit = struct.pack("ll", IO_TIMEOUT_S, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)

    def receive(self) -> Head:
        """Take in what the client has sent so far, without waiting: whether a request is here, or why it never will be.

        One that came whole stays in the socket for the thread to read; of one in parts the parser is handed all.
        """
        self.sock.setblocking(False)
        if self.parser is not None and not self._taken:
            self._taken += self.parser.unreader.take_buffered()
        try:
            while not self._is_here():
                seen = self.sock.recv(_PEEK, 0 if self._taken else socket.MSG_PEEK)
                if not seen:
                    return "gone"
                if not self._taken:
                    if self._is_here_in_socket(seen):
                        return "whole"
                    seen = self.sock.recv(len(seen))
                self._taken += seen
                if self._wanted is None and len(self._taken) > MOST_HEAD_BYTES and not _is_whole(self._taken):
                    return "long"
        except BlockingIOError:
            return "part"
        except OSError:
            return "gone"
        if self.parser is None:
            self.parser = get_parser(self.cfg, self.sock, self.client)
        self.parser.unreader.unread(bytes(self._taken))
        self._taken.clear()
        self._wanted = None
        return "whole"

    def _is_here(self) -> bool:
        """Whether what was taken in holds a whole head, and its body as far as that is waited for."""
        if self._wanted is None:
            if not _is_whole(self._taken):
                return False
            self._head_is_here(bytes(self._taken))
        if self._wanted == _CHUNKED:
            return len(self._taken) >= MOST_BODY_BYTES or self._taken.endswith(_LAST_CHUNK)
        return len(self._taken) >= (self._wanted or 0)

    def _is_here_in_socket(self, seen: bytes) -> bool:
        if not _is_whole(seen):
            return False
        self._head_is_here(seen)
        if self._wanted == _CHUNKED:
            here = seen.endswith(_LAST_CHUNK)
        else:
            here = len(seen) >= (self._wanted or 0) or _readable_bytes(self.sock) >= (self._wanted or 0)
        if here:
            self._wanted = None
        return here

    def _head_is_here(self, begun: bytes) -> None:
        """The body has its own time; how long it is and whose it is stands in the head."""
        self.lane = lane_of(begun)
        self._wanted = _bytes_wanted(begun)
        self.until = time.monotonic() + BODY_TIMEOUT_S

    @property
    def has_begun(self) -> bool:
        """Whether anything of a head has come; a client that opened a connection for later is not told off."""
        return bool(self._taken)

    def refuse(self, why: str) -> None:
        """Say why the connection ends here, if the client still takes it."""
        with contextlib.suppress(OSError):
            self.sock.send(_REFUSALS[why])

    def close(self, graceful: bool = False) -> None:
        """Hang up; gracefully: once the client did, or LINGER_S later, without anybody waiting for that."""
        if graceful:
            self._linger(self)
        else:
            util.close(self.sock)


class HeadFirstWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker with another way into its threads and out of its connections."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._heads: dict[Connection, None] = {}  # in the order in which their time runs out
        self._lingering: dict[Connection, None] = {}
        self._lanes: Lanes[Connection] = Lanes(self.cfg.threads)
        self._operations = futures.ThreadPoolExecutor(OPERATIONS_THREADS, thread_name_prefix="operations")

    def load_wsgi(self) -> None:
        """The application; where several tenants share it, each may hold half of the threads."""
        super().load_wsgi()
        if getattr(self.wsgi, "extensions", {}).get(SHARED):
            self._lanes = Lanes(max(1, self.cfg.threads // 2))

    def accept(self, listener: socket.socket) -> None:
        """Take a new connection."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        self.nr_conns += 1
        self.enqueue_req(Connection(self.cfg, client, address, listener.getsockname(), linger=self._linger))

    def enqueue_req(self, conn: Connection) -> None:
        """Give a connection to a thread as soon as the head of its next request is whole; called by the main loop."""
        conn.until = time.monotonic() + HEAD_TIMEOUT_S
        self._go_on(conn, conn.receive())

    def _go_on(self, conn: Connection, head: Head) -> None:
        if head == "part":
            if conn not in self._heads:
                self._heads[conn] = None
                self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._more, conn))
            return
        if self._heads.pop(conn, self) is None:
            self.poller.unregister(conn.sock)
        if head != "whole":
            self._end(conn, head)
            return
        conn.data_ready = True
        if conn.lane == OPERATIONS:
            done = self._operations.submit(self.handle, conn)
            done.add_done_callback(lambda one: self.method_queue.defer(self.finish_request, conn, one))
        else:
            conn.until = time.monotonic() + WAIT_AT_MOST_S
            if self._lanes.enter(conn):
                super().enqueue_req(conn)

    def finish_request(self, conn: Connection, fs: Any) -> None:
        """A request is over: the next of its lane has its thread; called by the main loop."""
        if conn.lane != OPERATIONS and (following := self._lanes.leave(conn.lane)) is not None:
            super().enqueue_req(following)
        super().finish_request(conn, fs)

    def _more(self, conn: Connection, _socket: socket.socket) -> None:
        self._go_on(conn, conn.receive())

    def _end(self, conn: Connection, why: str) -> None:
        self.nr_conns -= 1
        if why in _REFUSALS:
            conn.refuse(why)
        conn.close(graceful=why in _REFUSALS)

    def murder_pending(self) -> None:
        """What gunicorn's loop calls every second: end heads that took too long, and hang up on who does not."""
        super().murder_pending()
        now = time.monotonic()
        for conn in [each for each in self._heads if each.until <= now]:
            del self._heads[conn]
            self.poller.unregister(conn.sock)
            self._end(conn, "slow" if conn.has_begun else "gone")
        for conn in self._lanes.overdue(now):
            self._end(conn, "busy")
        for conn in [each for each in self._lingering if each.until <= now]:
            self._hang_up(conn)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """A body that nobody read is not waited for: the connection ends with it.

        One that was read to its end is no reason to hang up, however late this thread gets its turn: the client was
        told that the connection stays, and its next request would be lost.
        """
        if not keepalive or _is_read(conn.parser.mesg):
            return keepalive
        return bool(conn.parser.finish_body(deadline=time.monotonic() + DRAIN_S))

    def _linger(self, conn: Connection) -> None:
        """Let the client read the last answer before the socket goes: a reset would take it away (RFC 9112, 9.6)."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
        except OSError:
            util.close(conn.sock)
            return
        conn.until = time.monotonic() + LINGER_S
        self._lingering[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._drain, conn))

    def _drain(self, conn: Connection, _socket: socket.socket) -> None:
        try:
            if conn.sock.recv(_PEEK):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._hang_up(conn)

    def _hang_up(self, conn: Connection) -> None:
        del self._lingering[conn]
        self.poller.unregister(conn.sock)
        util.close(conn.sock)


def _is_read(message: Any) -> bool:
    """Whether a body of known length was read to its end; of one that comes in chunks nobody knows before asking."""
    reader = getattr(getattr(message, "body", None), "reader", None)
    return getattr(reader, "length", None) == 0


def _bytes_wanted(begun: bytes) -> int:
    """How many bytes of the request, head included, are waited for before a thread reads it."""
    end = begun.index(_END, len(begun) - len(begun.lstrip(b"\r\n")))
    head = begun[: end + len(_END)]
    if _AT_ONCE.search(head):
        return len(head)
    if _IN_CHUNKS.search(head):
        return _CHUNKED
    found = _LENGTH.search(head)
    length = int(found[1]) if found else 0
    return len(head) + (min(length, MOST_BODY_BYTES) if length <= MOST_DECLARED_BYTES else 0)


def _readable_bytes(sock: socket.socket) -> int:
    """How much can be read of a socket at once (tty_ioctl(4), FIONREAD)."""
    count = array.array("i", [0])
    fcntl.ioctl(sock.fileno(), termios.FIONREAD, count)
    return count[0]


def _is_whole(head: bytes | bytearray) -> bool:
    """Whether the head of a request is here; blank lines before it are not its end."""
    return _END in head.lstrip(b"\r\n")

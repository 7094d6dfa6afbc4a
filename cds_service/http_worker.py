"""gunicorn's threaded worker, but a thread sees a request only when its whole head is here: slow clients hold none.

The worker of gunicorn 27.0 gives a connection to a thread at once, and the thread waits for the head for as long as the
client likes; its main loop waits up to 2 s for each client to hang up after a last answer. Measured with 16 threads:
fifty connections that send a byte a second, or nothing, or do not hang up, and nobody else is answered
(tests/end_to_end/test_slow_clients.py). Here the main loop collects heads and hangs up, and waits for nobody.
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import struct
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.http import get_parser  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

HEAD_TIMEOUT_S = 5.0
MOST_HEAD_BYTES = 64 * 1024
LINGER_S = 2.0
DRAIN_S = 0.05
# One call of send or recv in a thread: what is under way is ended by the caller's own limits (trust/body.py).
IO_TIMEOUT_S = 5
_END = b"\r\n\r\n"
_PEEK = 16 * 1024
_REFUSALS = {
    "slow": b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "long": b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
}
Head = Literal["whole", "part", "gone", "long"]


class Connection(TConn):  # type: ignore[misc]
    """A client's connection, with what came of the head of its next request."""

    parser: Any

    def __init__(self, *args: Any, linger: Callable[[Connection], None]) -> None:
        super().__init__(*args)
        self._linger = linger
        self._head = bytearray()
        self.until = 0.0
        limit = struct.pack("ll", IO_TIMEOUT_S, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)

    def receive(self) -> Head:
        """Take in what the client has sent so far, without waiting: whether the head is whole, or why it never will be.

        A head that came whole stays in the socket for the thread to read; of one in parts the parser is handed all.
        """
        self.sock.setblocking(False)
        if self.parser is not None and not self._head:
            self._head += self.parser.unreader.take_buffered()
        try:
            while not _is_whole(self._head):
                seen = self.sock.recv(_PEEK, socket.MSG_PEEK)
                if not seen:
                    return "gone"
                if not self._head and _is_whole(seen):
                    return "whole"
                self._head += self.sock.recv(len(seen))
                if len(self._head) > MOST_HEAD_BYTES and not _is_whole(self._head):
                    return "long"
        except BlockingIOError:
            return "part"
        except OSError:
            return "gone"
        if self.parser is None:
            self.parser = get_parser(self.cfg, self.sock, self.client)
        self.parser.unreader.unread(bytes(self._head))
        self._head.clear()
        return "whole"

    @property
    def has_begun(self) -> bool:
        """Whether anything of a head has come; a client that opened a connection for later is not told off."""
        return bool(self._head)

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
        if head == "whole":
            conn.data_ready = True
            super().enqueue_req(conn)
        else:
            self._end(conn, head)

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


def _is_whole(head: bytes | bytearray) -> bool:
    """Whether the head of a request is here; blank lines before it are not its end."""
    return _END in head.lstrip(b"\r\n")

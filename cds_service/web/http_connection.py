"""A client's connection, with what came of the head of its next request; no thread waits for it (http_worker.py)."""

from __future__ import annotations

import array
import contextlib
import fcntl
import re
import socket
import struct
import termios
import time
from collections.abc import Callable
from typing import Any, Literal

from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.http import get_parser  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn  # type: ignore[import-untyped]

from cds_service.web.http_lanes import lane_of
from cds_service.web.http_pool import Pool

MOST_HEAD_BYTES = 64 * 1024
# One call of send or recv in a thread: what is under way is ended by the caller's own limits (trust/body.py).
IO_TIMEOUT_S = 5
# A body is waited for without a thread, up to so many bytes of it; a larger one is read on by the thread, within the
# time that trust/body.py gives it.
BODY_TIMEOUT_S = 5.0
MOST_BODY_BYTES = 1024 * 1024
MOST_DECLARED_BYTES = 5 * 1024 * 1024  # beyond it the request is refused by its head alone (R-G09)
_END = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"
_CHUNKED = -1
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,12})[ \t]*\r\n", re.IGNORECASE)
_AT_ONCE = re.compile(rb"\r\n(?:expect|upgrade):", re.IGNORECASE)
_IN_CHUNKS = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
PEEK = 16 * 1024
REFUSALS = {
    "slow": b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    # A browser that renews the page of an operation asks again by itself (Refresh); programs read Retry-After.
    "busy": b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nRefresh: 2\r\nConnection: close\r\n"
    b"Content-Length: 0\r\n\r\n",
    "elsewhere": b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "long": b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
}
Head = Literal["whole", "part", "gone", "long"]


class Connection(TConn):  # type: ignore[misc]
    """A client's connection, with what came of the head of its next request."""

    parser: Any

    def __init__(self, *args: Any, pool: Pool, linger: Callable[[Connection], None]) -> None:
        super().__init__(*args)
        self.pool = pool
        self._linger = linger
        self._taken = bytearray()
        self._wanted: int | None = None
        self.until = self.arrived = 0.0
        self.lane = ""
        limit = struct.pack("ll", IO_TIMEOUT_S, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)

    def receive(self) -> Head:
        """Take in what the client has sent so far, without waiting: whether a request is here, or why it never will be.

        One that came whole stays in the socket for the thread to read; of one in parts the parser is handed all.
        """
        if self.parser is not None and not self._taken:
            self._taken += self.parser.unreader.take_buffered()
        try:
            self.sock.setblocking(False)
            while not self._is_here():
                seen = self.sock.recv(PEEK, 0 if self._taken else socket.MSG_PEEK)
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
        head = begun[: begun.index(_END, len(begun) - len(begun.lstrip(b"\r\n"))) + len(_END)]
        self.lane, self._wanted = lane_of(head), _bytes_wanted(head)
        self.until = time.monotonic() + BODY_TIMEOUT_S

    @property
    def has_begun(self) -> bool:
        """Whether anything of a head has come; a client that opened a connection for later is not told off."""
        return bool(self._taken)

    def refuse(self, why: str) -> None:
        """Say why the connection ends here, if the client still takes it."""
        with contextlib.suppress(OSError):
            self.sock.send(REFUSALS[why])

    def close(self, graceful: bool = False) -> None:
        """Hang up; gracefully: once the client did, or LINGER_S later, without anybody waiting for that."""
        self.pool.open.discard(self)
        if graceful:
            self._linger(self)
        else:
            util.close(self.sock)


def _bytes_wanted(head: bytes) -> int:
    """How many bytes of the request, head included, are waited for before a thread reads it."""
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

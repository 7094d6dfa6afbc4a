"""One connection to a server whose every address was judged, opened and read within one deadline.

The name is resolved here, every address is judged, and the connection is made to an address that was judged:
a name that changes its answer between check and use (DNS rebinding) gains nothing. TLS still verifies the name.
A socket's own timeout holds for one call of `recv`: a server that sends a byte now and then never meets it. Here every
`recv` is given what is left of the whole.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

AddressRule = Callable[[str, str], bool]
Line = http.client.HTTPConnection
# Name servers answer when they like, and no look-up can be ended: so many may be under way for one door.
LOOKUPS = 4


class Origin(msgspec.Struct, frozen=True):
    """Where a connection leads: scheme, host without brackets, port."""

    scheme: str
    host: str
    port: int


class Lookups:
    """The names that are being looked up for one door; each in a thread that a deadline can leave behind."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(LOOKUPS)
        self.under_way = 0

    def resolve(self, origin: Origin, until: float) -> list[Any]:
        """What getaddrinfo says. Raises OSError; TimeoutError once `until` is over."""
        if _is_literal(origin.host):
            return socket.getaddrinfo(origin.host, origin.port, 0, socket.SOCK_STREAM)
        if not self._places.acquire(timeout=left_s(until)):
            raise TimeoutError("earlier look-ups of names are still under way")
        told: queue.SimpleQueue[list[Any] | OSError | ValueError] = queue.SimpleQueue()
        self.under_way += 1
        threading.Thread(target=self._ask, args=(origin, told), name="lookup", daemon=True).start()
        try:
            answer = told.get(timeout=left_s(until))
        except queue.Empty:
            raise TimeoutError("the host's name was not resolved in time") from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _ask(self, origin: Origin, told: queue.SimpleQueue[list[Any] | OSError | ValueError]) -> None:
        try:
            told.put(socket.getaddrinfo(origin.host, origin.port, 0, socket.SOCK_STREAM))
        except (OSError, ValueError) as error:
            told.put(error)
        finally:
            self.under_way -= 1
            self._places.release()


def left_s(until: float) -> float:
    """Seconds until a deadline on the monotonic clock. Raises TimeoutError where none are left."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time for the call is over")
    return left


def opened(
    origin: Origin, rule: AddressRule, *, until: float, lookups: Lookups, context: Callable[[], ssl.SSLContext]
) -> Line:
    """A connection to the first address of the host that answers. Raises OSError, PermissionError for an address."""
    found = lookups.resolve(origin, until)
    if not found or not all(rule(origin.host, str(address[4][0])) for address in found):
        raise PermissionError("the host has an address that this tenant does not allow")
    plain = _connected(found, until)
    if origin.scheme != "https":
        line = http.client.HTTPConnection(origin.host, origin.port)
        line.sock = plain
    else:
        line = http.client.HTTPSConnection(origin.host, origin.port, context=context())
        line.sock = _encrypted(plain, origin, context(), until)
    line.auto_open = 0
    return line


def ask(line: Line, method: str, target: str, *, headers: dict[str, str], body: bytes, until: float) -> Any:
    """The head of the answer (http.client.HTTPResponse); its body is read within the same deadline."""
    line.sock.settimeout(left_s(until))
    line.response_class = lambda sock, **options: http.client.HTTPResponse(_Timed(sock, until), **options)  # type: ignore[assignment,arg-type]
    line.request(method, target, body=body or None, headers=headers)
    return line.getresponse()


class _Timed:
    """A socket as http.client reads it, but no byte is waited for beyond `until`."""

    def __init__(self, read: socket.socket, until: float) -> None:
        self._socket = read
        self._until = until

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What the answer is read from."""
        return io.BufferedReader(_Reader(self._socket, self._until))


class _Reader(io.RawIOBase):
    def __init__(self, read: socket.socket, until: float) -> None:
        self._socket = read
        self._raw = read.makefile("rb", buffering=0)
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(left_s(self._until))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _connected(found: list[Any], until: float) -> socket.socket:
    """Each address gets its share of the time, so that one that swallows packets leaves some for the next."""
    failure: OSError | None = None
    for number, (family, kind, protocol, _, address) in enumerate(found):
        opening = socket.socket(family, kind, protocol)
        try:
            opening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opening.settimeout(left_s(until) / (len(found) - number))
            opening.connect(address)
        except OSError as error:
            opening.close()
            failure = error
        else:
            return opening
    raise failure or OSError("the host has no address")


def _encrypted(plain: socket.socket, origin: Origin, context: ssl.SSLContext, until: float) -> ssl.SSLSocket:
    try:
        plain.settimeout(left_s(until))  # OpenSSL's handshake as a whole is held to it
        return context.wrap_socket(plain, server_hostname=origin.host)
    except (OSError, ValueError):
        plain.close()
        raise


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

"""The only way out: a call with a deadline for all of it, a limit in bytes, and a place among its tenant's calls.

Used for FHIR, keys, sign-in, terminology and exports; nothing else in the service speaks HTTP to anybody
(tests/test_architecture.py). No proxies, no cookies, no redirects; a door reaches only what its rule names.
"""

from __future__ import annotations

import http.client
import ssl
import threading
import time
import weakref
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, ClassVar, Literal
from urllib.parse import quote, urlsplit

import certifi
import msgspec

from cds_service.trust import egress_session, replies
from cds_service.trust.circuit import Circuit
from cds_service.trust.egress_session import AddressRule, Line, Lookups, Origin, left_s
from cds_service.trust.replies import OutboundError, Reply

__all__ = ["Door", "OutboundError", "Purpose", "Reply", "UrlRule", "doors_state"]

UrlRule = Callable[[str], bool]
Purpose = Literal["fhir", "keys", "sign-in", "terminology", "export"]
# What a server does to us; what a rule of ours, a full quota or an open circuit does is no fault of it.
_FAULTS = frozenset({"no-answer", "too-late", "too-large", "unreadable"})
# A call that began with less than this left may be late without the server being slow.
_FAIR_S = 0.2
_IDLE_S = 20.0
_MOST_URL_CHARACTERS = 16 * 1024
_MOST_SERVERS = 64  # only the demo tenant lists a pattern; every other one lists its servers
_KEPT_IN_URLS = "!#$%&'()*+,/:;=?@[]~"
_NO_HEADERS: Mapping[str, str] = {}


class _Call(msgspec.Struct, frozen=True):
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    into: BinaryIO | None = None


class _Inside:
    """What a door holds once it was used: places for calls, connections left open, and names being looked up."""

    def __init__(self, connections: int) -> None:
        self.places = threading.BoundedSemaphore(connections)
        self.idle: deque[tuple[Origin, Line, float]] = deque()
        self.lookups = Lookups()


class Door:
    """One tenant's way to the servers of one purpose; lives as long as its worker.

    `counted`: who hears of each call's owner, purpose and result, and of the open circuits (operations/metrics.py); a
    command has nobody.
    """

    counted: ClassVar[Callable[[str, str, str, int], None] | None] = None

    def __init__(
        self,
        owner: str,
        purpose: Purpose,
        *,
        url_rule: UrlRule,
        address_rule: AddressRule,
        connections: int,
        ca_bundle: Path | None = None,
    ) -> None:
        """`owner`: the tenant's id. `connections`: so many calls at once; further ones wait within their deadline."""
        self.owner = owner
        self.purpose = purpose
        self._url_rule = url_rule
        self._address_rule = address_rule
        self._most = connections
        self._ca_bundle = ca_bundle
        self._circuits: dict[Origin, Circuit] = {}
        self._lock = threading.Lock()
        self._made: _Inside | None = None
        self._context: ssl.SSLContext | None = None

    def get(self, url: str, *, until: float, at_most_bytes: int, headers: Mapping[str, str] = _NO_HEADERS) -> Reply:
        """The answer to a GET, whole before `until` (monotonic seconds). Raises OutboundError."""
        return self._answered(_Call("GET", url, headers), until, at_most_bytes)

    def take(
        self, url: str, into: BinaryIO, *, until: float, at_most_bytes: int, headers: Mapping[str, str] = _NO_HEADERS
    ) -> Reply:
        """As `get`, but the body of a 200 goes into an open file."""
        return self._answered(_Call("GET", url, headers, into=into), until, at_most_bytes)

    def post(
        self, url: str, body: bytes, *, until: float, at_most_bytes: int, headers: Mapping[str, str] = _NO_HEADERS
    ) -> Reply:
        """The answer to a POST, which is sent once."""
        return self._answered(_Call("POST", url, headers, body), until, at_most_bytes)

    def delete(self, url: str, *, until: float, at_most_bytes: int, headers: Mapping[str, str] = _NO_HEADERS) -> Reply:
        """The answer to a DELETE."""
        return self._answered(_Call("DELETE", url, headers), until, at_most_bytes)

    @property
    def _own(self) -> _Inside:
        """Made by the first call: of thousands of tenants few call at once, and some never do."""
        if self._made is None:
            with self._lock:
                if self._made is None:
                    self._made = _Inside(self._most)
                    weakref.finalize(self, _hang_up, self._made.idle)
        return self._made

    @property
    def open_circuits(self) -> int:
        """How many servers are not asked any more because they failed again and again."""
        return sum(circuit.is_open for circuit in tuple(self._circuits.values()))

    @property
    def lookups(self) -> int:
        """How many names are being looked up; one that stays is a name server that does not answer."""
        return self._made.lookups.under_way if self._made else 0

    def is_open_for(self, url: str) -> bool:
        """Whether the circuit of this URL's server is open: it would be answered at once, without being asked."""
        origin = _origin(url)
        circuit = self._circuits.get(origin) if origin else None
        return circuit is not None and circuit.is_open

    def close(self) -> None:
        """Hang up where nothing is under way."""
        with self._lock:
            if self._made is not None:
                _hang_up(self._made.idle)

    def _answered(self, call: _Call, until: float, at_most_bytes: int) -> Reply:
        origin = _origin(call.url)
        if origin is None or not self._url_rule(call.url) or not _are_sendable(call.headers):
            raise OutboundError("refused")
        circuit = self._circuit(origin)
        began = time.monotonic()
        try:
            if not circuit.admits(began):
                raise OutboundError("open-circuit")
            reply = self._in_its_place(call, origin, until, at_most_bytes)
        except OutboundError as error:
            if error.why in _FAULTS and until - began >= _FAIR_S:
                circuit.failed(time.monotonic())
            self._count(error.why)
            raise
        circuit.succeeded()
        self._count("answered")
        return reply

    def _count(self, result: str) -> None:
        if Door.counted is not None:
            Door.counted(self.owner, self.purpose, result, self.open_circuits)

    def _in_its_place(self, call: _Call, origin: Origin, until: float, at_most_bytes: int) -> Reply:
        if not self._own.places.acquire(timeout=max(0.0, until - time.monotonic())):
            raise OutboundError("busy")
        try:
            return self._exchanged(call, origin, until, at_most_bytes)
        except OutboundError:
            raise
        except PermissionError as error:
            raise OutboundError("refused") from error
        except TimeoutError as error:
            raise OutboundError("too-late") from error
        except OSError as error:
            raise OutboundError("too-late" if time.monotonic() >= until else "no-answer") from error
        except (http.client.HTTPException, zlib.error, ValueError) as error:
            raise OutboundError("unreadable") from error
        finally:
            self._own.places.release()

    def _exchanged(self, call: _Call, origin: Origin, until: float, at_most_bytes: int) -> Reply:
        line = self._kept(origin) if call.method == "GET" and call.into is None else None
        if line is not None:
            try:
                return self._over(line, origin, call, until, at_most_bytes)
            except ConnectionError:  # the server hung up between two calls
                left_s(until)
        line = egress_session.opened(
            origin, self._address_rule, until=until, lookups=self._own.lookups, context=self._encryption
        )
        return self._over(line, origin, call, until, at_most_bytes)

    def _over(self, line: Line, origin: Origin, call: _Call, until: float, at_most_bytes: int) -> Reply:
        keep, answer = False, None
        try:
            headers = {"Accept-Encoding": "identity" if call.into else "gzip", **call.headers}
            answer = egress_session.ask(
                line, call.method, _target(call.url), headers=headers, body=call.body, until=until
            )
            reply = replies.read_reply(answer, call.into, at_most_bytes)
            keep = not answer.will_close
        finally:
            if not keep:
                line.close()
                if answer is not None:
                    answer.close()
        self._keep(origin, line)
        return reply

    def _kept(self, origin: Origin) -> Line | None:
        """A connection that an earlier call left open, if the server has not hung up since."""
        idle = self._own.idle
        with self._lock:
            found = next((each for each in reversed(idle) if each[0] == origin), None)
            if found is None:
                return None
            idle.remove(found)
        if time.monotonic() - found[2] > _IDLE_S:
            found[1].close()
            return None
        return found[1]

    def _keep(self, origin: Origin, line: Line) -> None:
        if line.sock is None:
            return
        idle = self._own.idle
        with self._lock:
            idle.append((origin, line, time.monotonic()))
            oldest = idle.popleft()[1] if len(idle) > self._most else None
        if oldest is not None:
            oldest.close()

    def _circuit(self, origin: Origin) -> Circuit:
        if (known := self._circuits.get(origin)) is not None:
            return known
        with self._lock:
            if len(self._circuits) >= _MOST_SERVERS:
                self._circuits.clear()
            return self._circuits.setdefault(origin, Circuit())

    def _encryption(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context(cafile=str(self._ca_bundle or certifi.where()))
        return self._context


def doors_state(doors: Iterable[Door]) -> dict[str, object]:
    """For /ready: whose servers are not asked because they failed again and again, or whose names are looked up."""
    open_circuits = [f"{door.owner} {door.purpose}" for door in doors if door.open_circuits]
    lookups = [f"{door.owner} {door.purpose}" for door in doors if door.lookups]
    found = {"openCircuits": open_circuits, "lookups": lookups}
    return {name: listed for name, listed in found.items() if listed}


def _hang_up(idle: deque[tuple[Origin, Line, float]]) -> None:
    while idle:
        idle.popleft()[1].close()


def _origin(url: str) -> Origin | None:
    """Where a URL leads; None where it is no http(s) URL with a host."""
    if len(url) > _MOST_URL_CHARACTERS:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        return None
    return Origin(parts.scheme, host, port or (443 if parts.scheme == "https" else 80))


def _are_sendable(headers: Mapping[str, str]) -> bool:
    """Whether HTTP can carry them: a token with other letters than these is nobody's."""
    return all(value.isascii() and value.isprintable() for value in headers.values())


def _target(url: str) -> str:
    parts = urlsplit(url)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return quote(target, safe=_KEPT_IN_URLS)

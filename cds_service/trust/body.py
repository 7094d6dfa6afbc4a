"""A request's body, no larger, no slower and no more inflated than the tenant's limits (R-G09)."""

from __future__ import annotations

import time
import zlib
from typing import Any, Protocol

import msgspec

from cds_service.tenants.tenant import Limits
from cds_service.trust.errors import BadRequest, NotJson, TooLarge, TooSlow

_CHUNK = 256 * 1024
READ_TIMEOUT_S = 5.0
# 20 MiB take 0.05 s.
INFLATE_TIMEOUT_S = 1.0
_GZIP = 16 + zlib.MAX_WBITS


class Stream(Protocol):
    """What a WSGI server gives to read a body from."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes; empty at the end."""


class Sent(msgspec.Struct, frozen=True):
    """How the body comes: its declared length in bytes, its encoding, and the socket if the server lends it."""

    stream: Any
    length: int | None
    encoding: str = ""
    socket: Any = None


class Received(msgspec.Struct, frozen=True):
    """A body as it was before compression, and when its first byte was here (seconds of the monotonic clock)."""

    body: bytes
    since: float


def read_body(sent: Sent, limits: Limits) -> Received:
    """The body, and since when it is here. Raises TooLarge, TooSlow, NotJson or BadRequest."""
    if sent.length is not None and sent.length > limits.body_bytes:
        raise TooLarge("The body is too large.", diagnostics=f"at most {limits.body_bytes} bytes")
    encoding = sent.encoding.strip().lower()
    if encoding not in ("", "identity", "gzip"):
        raise NotJson("The body's encoding is not read.", diagnostics="Content-Encoding: gzip or none")
    body, since = _receive(sent, limits.body_bytes)
    if encoding == "gzip":
        body = _inflate(body, limits)
    if not body:
        raise BadRequest("The body is empty.")
    return Received(body, since)


def _receive(sent: Sent, most: int) -> tuple[bytes, float]:
    """Everything the client sends, and when it began; all of it within READ_TIMEOUT_S: a trickle holds no thread."""
    until = time.monotonic() + READ_TIMEOUT_S
    before = sent.socket.gettimeout() if sent.socket is not None else None
    chunks: list[bytes] = []
    received, since = 0, 0.0
    try:
        while True:
            left_s = until - time.monotonic()
            if left_s <= 0:
                raise TooSlow("The body did not arrive in time.")
            if sent.socket is not None:
                sent.socket.settimeout(left_s)
            wanted = most + 1 if sent.length is None else sent.length
            chunk = sent.stream.read(min(_CHUNK, wanted - received)) if received < wanted else b""
            if not chunk:
                break
            since = since or time.monotonic()
            chunks.append(chunk)
            received += len(chunk)
            if received > most:
                raise TooLarge("The body is too large.", diagnostics=f"at most {most} bytes")
        if sent.length is not None and received < sent.length:
            raise BadRequest("The body did not arrive whole.")
        return b"".join(chunks), since
    except TimeoutError as error:
        raise TooSlow("The body did not arrive in time.") from error
    except OSError as error:
        raise BadRequest("The body did not arrive.") from error
    finally:
        if sent.socket is not None:
            sent.socket.settimeout(before)


def _inflate(body: bytes, limits: Limits) -> bytes:
    """The body as it was before gzip. Its size and the time that it takes are bounded; how small it was sent is not:

    ordinary FHIR with narratives is 20 to 30 times larger than its gzip (tests/cds_service/trust/test_body.py).
    """
    ratio = limits.inflation_ratio
    most = limits.inflated_bytes if ratio is None else min(limits.inflated_bytes, ratio * len(body))
    inflater = zlib.decompressobj(wbits=_GZIP)
    until = time.monotonic() + INFLATE_TIMEOUT_S
    parts: list[bytes] = []
    size, left = 0, body
    while left and not inflater.eof:
        if time.monotonic() >= until:
            raise TooSlow("The body did not inflate in time.")
        try:
            parts.append(inflater.decompress(left, min(4 * _CHUNK, most + 1 - size)))
        except zlib.error as error:
            raise BadRequest("The body is not gzip.") from error
        size, left = size + len(parts[-1]), inflater.unconsumed_tail
        if size > most:
            raise TooLarge("The body inflates too far.", diagnostics=f"to more than {most} bytes")
    if not inflater.eof or inflater.unused_data:
        raise BadRequest("The body is not one whole gzip member.")
    return b"".join(parts)

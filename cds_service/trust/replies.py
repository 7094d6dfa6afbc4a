"""What a server answered, whole and within a limit in bytes, before compression and after; or why there is nothing."""

from __future__ import annotations

import http.client
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO, Literal

import msgspec

Why = Literal["refused", "open-circuit", "busy", "no-answer", "too-late", "too-large", "unreadable"]
_CHUNK = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class OutboundError(OSError):
    """There is no answer; `why` in one of our own words, without anything of the request."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


class Reply(msgspec.Struct, frozen=True):
    """What a server answered: its status, its headers (names in lower case), and the body before compression."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def read_reply(answer: Any, into: BinaryIO | None, at_most_bytes: int) -> Reply:
    """The whole answer, neither its bytes on the wire nor those before compression above the limit."""
    encoding = (answer.getheader("Content-Encoding") or "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise OutboundError("unreadable")
    if (answer.length or 0) > at_most_bytes:
        raise OutboundError("too-large")
    taken = into if into is not None and answer.status == http.client.OK else None
    body, received = bytearray(), 0
    while chunk := answer.read(_CHUNK):
        received += len(chunk)
        if received > at_most_bytes:
            raise OutboundError("too-large")
        if taken is not None:
            taken.write(chunk)
        else:
            body += chunk
    if answer.length:
        raise OutboundError("no-answer")  # it broke off
    headers = {name.lower(): value for name, value in answer.getheaders()}
    whole = _inflated(bytes(body), at_most_bytes) if encoding == "gzip" and body else bytes(body)
    return Reply(answer.status, headers, whole)


def _inflated(body: bytes, at_most_bytes: int) -> bytes:
    inflater = zlib.decompressobj(wbits=_GZIP)
    whole = inflater.decompress(body, at_most_bytes + 1)
    if len(whole) > at_most_bytes:
        raise OutboundError("too-large")
    if not inflater.eof:
        raise OutboundError("unreadable")
    return whole

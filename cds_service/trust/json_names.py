"""A name that is there twice in a request is refused: which of its values counts, nobody can say (R-G10).

Looked for in the envelope, in the context with its orders, in the authorization, among the prefetch keys and in any
prefetched value up to SMALL_BYTES (the Patient, a short list). In a longer value the last of a repeated name wins, as
in FHIR servers: a decoder that tells repeated names (json, jiter) takes 0.9 ms for the 113 kB of the benchmark, two
thirds of all the rest, too much for what a careless client does to itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from cds_service.trust.errors import BadRequest
from cds_service.trust.json_limits import NO_JSON, broken

SMALL_BYTES: Final = 4 * 1024
# An object from its beginning to its end: each name, with what stands before it and between it and its value.
_BLANKS = b" \t\n\r"
_OPENED = re.compile(rb"[ \t\n\r]*+\{")
_NAME = re.compile(rb'[ \t\n\r]*+,?+[ \t\n\r]*+"((?:[^"\\]++|\\.)*+)"[ \t\n\r]*+:[ \t\n\r]*+', re.DOTALL)
_CLOSED = re.compile(rb"[ \t\n\r]*+\}")
Members = dict[str, msgspec.Raw]
Kept = Mapping[str, msgspec.Raw | Mapping[str, msgspec.Raw]]
_members = msgspec.json.Decoder(Members)
_text = msgspec.json.Decoder(str)


def refuse_repeated_names(
    body: bytes, envelope: Mapping[str, msgspec.Raw], prefetch: Mapping[str, msgspec.Raw] | None
) -> None:
    """Raise BadRequest where a name is there twice. `envelope`: the members read of it; `prefetch`: None if not there.

    A decoder keeps the last value of a name. So whoever goes through the body from name to name, and finds behind each
    the value that was kept for it, has met each name once; it costs a comparison of memory.
    """
    keys = prefetch or {}
    outer: Mapping[str, msgspec.Raw] = envelope
    if not _is_made_of(body, envelope if prefetch is None else {**envelope, "prefetch": prefetch}):
        outer, keys = _everything(body)  # a member that nobody reads, or one that another of its name replaced
        if not _is_made_of(body, {**outer, "prefetch": keys} if keys else outer):
            raise _repeated()
    for value in (*outer.values(), *(value for value in keys.values() if len(value) <= SMALL_BYTES)):
        refuse_repeated_anywhere(bytes(value))


def _is_made_of(body: bytes, members: Kept) -> bool:
    """Whether the object holds nothing but these members, each once."""
    end = _end_of(body, 0, members)
    return end is not None and not body[end:].strip(_BLANKS)


def _end_of(text: bytes, start: int, members: Kept) -> int | None:
    """Where the object that begins at `start` ends; None where it is not made of these members, each once."""
    opened = _OPENED.match(text, start)
    at: int | None = opened.end() if opened is not None else None
    met: set[str] = set()
    while at is not None and (found := _NAME.match(text, at)) is not None:
        name = _read_name(found[1])
        value = members.get(name)
        if value is None or name in met:
            return None
        met.add(name)
        at = found.end()
        if isinstance(value, msgspec.Raw):  # compared where it stands: the longest holds nearly all of the body
            at = at + len(value) if text.startswith(memoryview(value), at) else None
        else:
            at = _end_of(text, at, value)
    closed = _CLOSED.match(text, at) if at is not None and len(met) == len(members) else None
    return closed.end() if closed is not None else None


def refuse_repeated_anywhere(text: bytes) -> None:
    """Raise BadRequest where any object in this JSON has a name twice; what is no JSON is left to its reader."""
    if text[:1] not in (b"{", b"[") and not text[:1].isspace():
        return
    if not _may_repeat_a_name(text):
        return
    try:
        _once_each.decode(text.decode())
    except NO_JSON:
        return


def _may_repeat_a_name(text: bytes) -> bool:
    """False where written again it has as many quotation marks: of a name that is there twice a decoder keeps one.

    Where a mark may be written as an escape the marks do not tell.
    """
    if b"\\u" in text:
        return True
    try:
        return msgspec.json.encode(msgspec.json.decode(text)).count(b'"') != text.count(b'"')
    except NO_JSON:
        return True


def _read_name(written: bytes) -> str:
    """The name as its members are kept by; "" for what is none, which then is not found among them."""
    if b"\\" not in written and written.isascii():
        return written.decode()
    try:
        return _text.decode(b'"%s"' % written)
    except NO_JSON:
        return ""


def _everything(body: bytes) -> tuple[Members, Members]:
    """Every member of the envelope but the prefetch, and every key of that, each with the value that is kept."""
    try:
        members = _members.decode(body)
        prefetch = members.get("prefetch")
        if prefetch is None or not bytes(prefetch).startswith(b"{"):
            return members, {}
        keys = _members.decode(prefetch)
    except NO_JSON as error:
        raise broken("JSON") from error
    if keys:
        del members["prefetch"]
    return members, keys


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise _repeated()


def _repeated() -> BadRequest:
    return broken("names that are not repeated")


_once_each = json.JSONDecoder(object_pairs_hook=_once)

"""JSON bombs are refused before they are parsed: depth, resources, long strings, long numbers, repeated names (R-G10).

Each limit is first held against a bound that is cheap and never too low; only a body near it is looked at exactly.
Repeated names are looked for in the envelope, the context with its orders, the authorization and among the
prefetch keys; inside a prefetched resource the last one wins, as in the JSON parsers of FHIR servers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from cds_service.hooks.errors import BadRequest
from cds_service.tenant import Limits

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_WITHOUT_CASE = np.uint8(0xDF)  # what "{" and "[", and "}" and "]", have in common: they differ in this bit only
_OPENING, _CLOSING = 0x5B, 0x5D
_QUOTE, _BACKSLASH = b'"', 0x5C
_ESCAPED_QUOTES = 64
_NUMERIC = b"0123456789.eE+-"
_AFTER_A_NUMBER = b",]} \t\r\n"
_NUMERIC_RUN = re.compile(rb"[0-9.eE+\-]*")
_IS_NUMERIC, _POINT = np.array([byte in _NUMERIC for byte in range(256)]), 0x2E


def check(body: bytes, limits: Limits) -> None:
    """Raise BadRequest, naming the limit, for a body that breaks one."""
    deepest, openings = _at_most(body)
    if deepest > limits.depth and _depth(body) > limits.depth and _depth(_without_strings(body)) > limits.depth:
        raise _broken(f"depth of at most {limits.depth}")
    if openings > limits.entries and body.count(b'"resourceType"') > limits.entries:
        raise _broken(f"at most {limits.entries} resources")
    if _may_hold_long_string(body, limits.string_characters) and _longest_string(body) > limits.string_characters:
        raise _broken(f"strings of at most {limits.string_characters} characters")
    if _may_hold_long_number(body, limits.number_characters) and _may_hold_long_number(
        _without_strings(body), limits.number_characters
    ):
        raise _broken(f"numbers of at most {limits.number_characters} characters")


def refuse_repeated_names(body: bytes, prefetched: Iterable[msgspec.Raw]) -> None:
    """Raise BadRequest where a name is there twice outside the prefetched values, each a part of this very body."""
    try:
        json.loads(_cut_out(body, prefetched), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return  # not JSON: whoever reads the request says so


def _broken(limit: str) -> BadRequest:
    return BadRequest("The body is not JSON of a size that is read.", diagnostics=limit)


def _at_most(text: bytes) -> tuple[int, int]:
    """What nesting cannot exceed, and how many arrays and objects there are at most, counted in blocks of 64 bytes.

    Within a block every opening bracket is taken to come before every closing one.
    """
    opening, closing = (np.bitwise_count(_blocks(mask)) for mask in _brackets(text))
    after = np.cumsum(opening.view(np.int8) - closing.view(np.int8), dtype=np.int64)
    return int((after + closing).max(initial=0)), int(opening.sum(dtype=np.int64))


def _brackets(text: bytes) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    folded = np.frombuffer(text, dtype=np.uint8) & _WITHOUT_CASE
    return folded == _OPENING, folded == _CLOSING


def _blocks(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
    """The mask as one bit per byte of text, 64 to a number."""
    bits = np.packbits(mask)
    blocks = np.zeros(-(-len(bits) // 8), dtype=np.uint64)
    blocks.view(np.uint8)[: len(bits)] = bits
    return blocks


def _depth(text: bytes) -> int:
    """The deepest nesting, counting brackets in strings too: never less than the truth for balanced strings."""
    opening, closing = _brackets(text)
    return int(np.cumsum(opening.view(np.int8) - closing.view(np.int8), dtype=np.int32).max(initial=0))


def _may_hold_long_string(body: bytes, limit: int) -> bool:
    """Whether more than `limit` bytes follow each other without a quotation mark that ends or begins a string."""
    start = 0
    while len(body) - start > limit:
        found = _last_mark(body, start, start + limit + 1)
        if found < 0:
            return True
        start = found + 1
    return False


def _last_mark(body: bytes, start: int, end: int) -> int:
    """Where the last quotation mark without a backslash stands; -1 if there is none, or only behind many others."""
    for _ in range(_ESCAPED_QUOTES):
        end = body.rfind(_QUOTE, start, end)
        if end <= 0 or body[end - 1] != _BACKSLASH:
            return end
    return -1


def _longest_string(body: bytes) -> int:
    return max((match.end() - match.start() - 2 for match in _STRING.finditer(body)), default=0)


def _may_hold_long_number(text: bytes, limit: int) -> bool:
    """Whether a run of more than `limit` numeric bytes ends as a number does; a hospital's OIDs end with their string.

    Such a run is hit by four probes in a row; between the first and the last every byte is numeric, and a number has at
    most one point.
    """
    apart = (limit + 1) // 4
    if len(text) < limit or apart == 0:
        return len(text) >= limit
    bytes_of = np.frombuffer(text, dtype=np.uint8)
    hit = _IS_NUMERIC.take(bytes_of[::apart])
    places = np.flatnonzero(hit[:-3] & hit[1:-2] & hit[2:-1] & hit[3:]) * apart
    between = bytes_of[places[:, None] + np.arange(3 * apart)]
    like_one = (between == _POINT).sum(axis=1, dtype=np.int8) < 2
    places = places[like_one][_IS_NUMERIC[between[like_one]].all(axis=1)]
    return any(_is_long_number(text, place, limit) for place in places.tolist())


def _is_long_number(text: bytes, place: int, limit: int) -> bool:
    before, end = text[max(0, place - limit) : place], _end_of_number(text, place)
    begin = place - len(before) + len(before.rstrip(_NUMERIC))
    return end - begin > limit and text[end : end + 1] in _AFTER_A_NUMBER


def _end_of_number(text: bytes, at: int) -> int:
    run = _NUMERIC_RUN.match(text, at)
    return run.end() if run else at


def _without_strings(body: bytes) -> bytes:
    return _STRING.sub(b'""', body)


def _cut_out(text: bytes, values: Iterable[msgspec.Raw]) -> bytes:
    """The text with each value replaced by 0; what a repeated name hid stays where it was."""
    start = np.frombuffer(text, dtype=np.uint8).__array_interface__["data"][0]
    pieces, end = [], 0
    for value in values:
        at = np.frombuffer(value, dtype=np.uint8).__array_interface__["data"][0] - start
        if not end <= at <= len(text):
            raise _broken("names that are not repeated")
        pieces += [text[end:at], b"0"]
        end = at + len(value)
    return b"".join((*pieces, text[end:]))


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise _broken("names that are not repeated")

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

from cds_service.hooks.errors import BadRequest
from cds_service.tenant import Limits

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKETS = b"[]{}"
_NOT_BRACKETS = bytes(set(range(256)) - set(_BRACKETS))
_STEPS = bytes(1 if byte in b"[{" else 255 if byte in b"]}" else 0 for byte in range(256))
_AFTER_A_NUMBER = b",]} \t\r\n"
_NUMERIC = bytes(48 if byte in b"0123456789.eE+-" else 32 for byte in range(256))


class _Envelope(msgspec.Struct):
    prefetch: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_envelopes = msgspec.json.Decoder(_Envelope)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def check(body: bytes, limits: Limits) -> None:
    """Raise BadRequest, naming the limit, for a body that breaks one."""
    if _depth(body) > limits.depth and _depth(_without_strings(body)) > limits.depth:
        raise _broken(f"depth of at most {limits.depth}")
    if body.count(b'"resourceType"') > limits.entries:
        raise _broken(f"at most {limits.entries} resources")
    if _longest_string(body, limits.string_characters) > limits.string_characters:
        raise _broken(f"strings of at most {limits.string_characters} characters")
    if _may_hold_long_number(body, limits.number_characters) and _may_hold_long_number(
        _without_strings(body), limits.number_characters
    ):
        raise _broken(f"numbers of at most {limits.number_characters} characters")
    _refuse_repeated_names(body)


def _broken(limit: str) -> BadRequest:
    return BadRequest("The body is not JSON of a size that is read.", diagnostics=limit)


def _depth(text: bytes) -> int:
    """The deepest nesting, counting brackets in strings too: never less than the truth for balanced strings."""
    steps = text.translate(_STEPS, _NOT_BRACKETS)
    return int(np.cumsum(np.frombuffer(steps, dtype=np.int8), dtype=np.int32).max()) if steps else 0


def _may_hold_long_number(text: bytes, limit: int) -> bool:
    """Whether a run longer than `limit` ends as a number does; the OIDs of a hospital end with their string."""
    run, numeric = b"0" * (limit + 1), text.translate(_NUMERIC)
    at = numeric.find(run)
    while at >= 0:
        end = numeric.find(b" ", at)
        if end < 0 or text[end] in _AFTER_A_NUMBER:
            return True
        at = numeric.find(run, end)
    return False


def _longest_string(body: bytes, limit: int) -> int:
    if len(body) <= limit:
        return 0
    if b'\\"' in body:
        return max((match.end() - match.start() - 2 for match in _STRING.finditer(body)), default=0)
    quotes = np.flatnonzero(np.frombuffer(body, dtype=np.uint8) == 34)
    return int((quotes[1::2] - quotes[:-1:2]).max()) - 1 if len(quotes) > 1 and len(quotes) % 2 == 0 else 0


def _without_strings(body: bytes) -> bytes:
    return _STRING.sub(b'""', body)


def _refuse_repeated_names(body: bytes) -> None:
    try:
        prefetch = _envelopes.decode(body).prefetch
        if isinstance(prefetch, msgspec.UnsetType):
            _parse(body)
            return
        _parse(_cut_out(body, [prefetch]))
        raw = bytes(prefetch)
        if raw[:1] == b"{":
            _parse(_cut_out(raw, _members.decode(raw).values()))
    except (ValueError, RecursionError):
        return  # not JSON, or no envelope: whoever reads the request says so


def _cut_out(text: bytes, values: Iterable[msgspec.Raw]) -> bytes:
    """The text with each value replaced by 0; what a repeated name hid stays where it was."""
    start = np.frombuffer(text, dtype=np.uint8).__array_interface__["data"][0]
    pieces, end = [], 0
    for value in values:
        if len(value) == 0:
            continue
        at = np.frombuffer(value, dtype=np.uint8).__array_interface__["data"][0] - start
        if not end <= at <= len(text):
            raise _broken("names that are not repeated")
        pieces += [text[end:at], b"0"]
        end = at + len(value)
    return b"".join((*pieces, text[end:]))


def _parse(text: bytes) -> None:
    json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _broken("names that are not repeated")

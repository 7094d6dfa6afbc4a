"""A body is JSON as strict parsers have it, and no bomb; held in linear time, before it is read (R-G10, messy case P8).

UTF-8 without a mark, no U+0000, no half of a surrogate pair, no number out of range; depth, resources, strings and
numbers within the tenant's limits. Names that are there twice: json_names.py.

How: what is wrong with JSON as such is left to the decoders that read it (msgspec, strict about its grammar). What
these pass over, in resources that nobody decodes, is first held against bounds of numpy or memchr, which are cheap and
never too low; only a body near a bound is looked at exactly, by the decoder of the standard library or by one regular
expression that never goes back. Both ways are linear. Measured on the 113 kB of the benchmark: 0.1 ms, beside 0.5 ms
for decoding everything into objects.
"""

from __future__ import annotations

import codecs
import json
import math
import re

import numpy as np
import numpy.typing as npt

from cds_service.tenants.tenant import Limits
from cds_service.trust.errors import BadRequest

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\Z)', re.DOTALL)
_SOUND_ESCAPES = re.compile(
    rb"(?:[^\\]++|\\[^u]|\\u(?!0000|[dD][89a-fA-F])|\\u[dD][89abAB]..\\u[dD][c-fC-F])*+", re.DOTALL
)
_WITHOUT_CASE = np.uint8(0xDF)  # what "{" and "[", and "}" and "]", have in common: they differ in this bit only
_LOWER = np.uint8(0x20)
_ZERO, _TEN, _EXPONENT = np.uint8(0x30), np.uint8(10), np.uint8(0x65)
_OPENING, _CLOSING = 0x5B, 0x5D
_NUMERIC = b"0123456789.eE+-"
_MAY_STAND_BEFORE_DIGITS = b"[,: \t\r\n.eE+-"
_ESCAPED_QUOTES = 64
# Most requests are one block: each costs 20 us besides its bytes. The overlap is longer than any pattern.
_BLOCK, _OVERLAP = 256 * 1024, 16
# A number of more characters than a limit of at least 25 holds a run of eight digits: it has three runs at most.
_LEAST_LIMIT = 25
_SUSPECTS = 400  # what is looked at one by one costs a microsecond each
Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]
_utf8 = codecs.getincrementaldecoder("utf-8")
NO_JSON = (ValueError, RecursionError)  # what json raises; msgspec's and Unicode errors are ValueErrors too


def check(body: bytes, limits: Limits) -> None:
    """Raise BadRequest, naming the limit, for a body that breaks one."""
    _refuse_unsound_text(body)
    deepest, openings = _at_most(body)
    if deepest > limits.depth and _depth(body) > limits.depth and _depth(_STRING.sub(b'""', body)) > limits.depth:
        raise broken(f"depth of at most {limits.depth}")
    if openings > limits.entries and body.count(b'"resourceType"') > limits.entries:
        raise broken(f"at most {limits.entries} resources")
    if _may_hold_long_string(body, limits.string_characters) and _longest_string(body) > limits.string_characters:
        raise broken(f"strings of at most {limits.string_characters} characters")
    if _may_hold_odd_number(body, limits.number_characters):
        _refuse_odd_numbers(body, limits.number_characters)


def _refuse_unsound_text(body: bytes) -> None:
    if not body.isascii():
        decoder = _utf8()
        try:
            for start in range(0, len(body), _BLOCK):
                decoder.decode(body[start : start + _BLOCK], final=start + _BLOCK >= len(body))
        except UnicodeDecodeError as error:
            raise broken("UTF-8") from error
    if b"\\" in body and (sound := _SOUND_ESCAPES.match(body)) is not None and sound.end() < len(body):
        raise broken("no U+0000 and no half of a surrogate pair")


def broken(limit: str) -> BadRequest:
    """The refusal of a body that breaks this limit."""
    return BadRequest("The body is not JSON of a kind and size that is read.", diagnostics=limit)


def _at_most(text: bytes) -> tuple[int, int]:
    """What nesting cannot exceed, and how many arrays and objects there are at most, counted 64 bytes at a time.

    Among 64 bytes every opening bracket is taken to come before every closing one.
    """
    deepest = depth = openings = 0
    for start in range(0, len(text), _BLOCK):
        opening, closing = (np.bitwise_count(_packed(mask)) for mask in _brackets(text[start : start + _BLOCK]))
        after = np.cumsum(opening.view(np.int8) - closing.view(np.int8), dtype=np.int64)
        deepest = max(deepest, depth + int((after + closing).max()))
        depth += int(after[-1])
        openings += int(opening.sum(dtype=np.int64))
    return deepest, openings


def _brackets(text: bytes) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    folded = np.frombuffer(text, dtype=np.uint8) & _WITHOUT_CASE
    return folded == _OPENING, folded == _CLOSING


def _packed(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
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
        end = body.rfind(b'"', start, end)
        if end <= 0 or body[end - 1 : end] != b"\\":
            return end
    return -1


def _longest_string(body: bytes) -> int:
    return max((match.end() - match.start() - 2 for match in _STRING.finditer(body)), default=0)


def _may_hold_odd_number(body: bytes, limit: int) -> bool:
    """Whether a number could be longer than `limit`, or have an exponent of three digits; else none does."""
    if limit < _LEAST_LIMIT:
        return True
    text = np.frombuffer(body, dtype=np.uint8)
    left = _SUSPECTS
    for start in range(0, len(text), _BLOCK):
        runs, exponents = _suspects(text[max(0, start - 1) : start + _BLOCK + _OVERLAP])
        places = [*runs.tolist(), *exponents.tolist()]
        left -= len(places)
        if left < 0 or any(_is_odd(body, max(0, start - 1) + place, limit) for place in places):
            return True
    return False


def _suspects(text: Bytes) -> tuple[Places, Places]:
    """Where eight digits begin after what can stand before digits of a number, and digits before a long exponent."""
    digit = (text - _ZERO) < _TEN
    run = digit[:-1] & digit[1:]
    run = run[:-2] & run[2:]
    run = run[:-4] & run[4:]
    runs = np.flatnonzero(run)
    runs = runs[(runs == 0) | _BEFORE_DIGITS[text[runs - 1]]]
    exponent = ((text | _LOWER) == _EXPONENT)[1:-3]
    exponent &= digit[:-4]
    exponents = np.flatnonzero(exponent)
    return runs, exponents[digit[exponents + 3] & digit[exponents + 4]]


_BEFORE_DIGITS = np.array([byte in _MAY_STAND_BEFORE_DIGITS for byte in range(256)])


def _is_odd(body: bytes, place: int, limit: int) -> bool:
    """Whether what stands around `place` looks like a number that is too long or has a long exponent."""
    before, after = body[max(0, place - limit) : place], body[place : place + limit + 1]
    head = before[len(before.rstrip(_NUMERIC)) :]
    number = head + after[: len(after) - len(after.lstrip(_NUMERIC))]
    if number.count(b".") > 1 or body[max(0, place - len(head) - 1) : place - len(head)] not in (
        *_BEFORE_A_NUMBER,
        b"",
    ):
        return False
    return len(number) > limit or b"e" in number or b"E" in number


_BEFORE_A_NUMBER = (b"[", b",", b":", b" ", b"\t", b"\r", b"\n")


def _refuse_odd_numbers(body: bytes, limit: int) -> None:
    def number(text: str) -> float:
        if len(text) > limit:
            raise broken(f"numbers of at most {limit} characters")
        if math.isinf(value := float(text)):
            raise broken("numbers within the range of a double")
        return value

    try:
        json.loads(body, parse_float=number, parse_int=number)
    except NO_JSON:
        return  # not JSON: whoever reads the request says so

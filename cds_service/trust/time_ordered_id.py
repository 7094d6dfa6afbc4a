"""Ids that sort by the instant they were drawn at: UUIDs of version 7 (RFC 9562, 5.7).

A key that grows is put at the end of its index; a random one touches a page anywhere in it, and soon every page of a
large one. An id also tells in which month of the record it lies.
"""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime, timedelta

_VERSION_7, _VARIANT = 0x7 << 76, 0b10 << 62
_RANDOM = (1 << 76) - 1 ^ 0b11 << 62
_FORM = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def draw(at: datetime | None = None) -> str:
    """A new id; `at`: its instant (aware), by default now."""
    milliseconds = time.time_ns() // 1_000_000 if at is None else int(at.timestamp() * 1000)
    number = int.from_bytes(os.urandom(10), "big") & _RANDOM
    digits = f"{(milliseconds & 0xFFFF_FFFF_FFFF) << 80 | _VERSION_7 | _VARIANT | number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def instant(text: str) -> datetime | None:
    """When an id was drawn, to the millisecond; None for what is no such id."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(match[1] + match[2], 16))
    except OverflowError:
        return None

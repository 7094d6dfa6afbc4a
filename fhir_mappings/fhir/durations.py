"""How long a FHIR Duration lasts at most: what cannot be read has no known length."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from msgspec import Raw

from fhir_mappings.fhir.elements import Interval, Quantity, Repeat, quantity

# https://hl7.org/fhir/R4/valueset-units-of-time.html; of a month and a year the longest.
_DAYS = {"s": 1 / 86_400, "min": 1 / 1_440, "h": 1 / 24, "d": 1.0, "wk": 7.0, "mo": 31.0, "a": 366.0}
_WORDS = {"hour": "h", "day": "d", "week": "wk", "month": "mo", "year": "a"}
_INTERVALS = msgspec.json.Decoder(Interval)


def longest(written: Raw, unit: str | None = None) -> timedelta | None:
    """The length of a Duration; None where there is none or it cannot be read. `unit`: where none is told."""
    return _length(quantity(written), unit)


def longest_course(repeat: Repeat) -> timedelta | None:
    """How long a repetition goes on at most, by its length or the upper end of a range of lengths."""
    return longest(repeat.bounds_duration) or _length(_upper(repeat.bounds_range))


def _upper(written: Raw) -> Quantity | None:
    try:
        return _INTERVALS.decode(written).high if written else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _length(of: Quantity | None, unit: str | None = None) -> timedelta | None:
    if of is None or of.comparator or of.value is None or of.value < 0:
        return None
    told = (of.code or of.unit or unit or "").strip()
    days = _DAYS.get(told) or _DAYS.get(_WORDS.get(told.lower().removesuffix("s"), ""))
    try:
        return timedelta(days=of.value * days) if days else None
    except OverflowError:
        return None

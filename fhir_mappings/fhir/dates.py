"""FHIR dates with the precision and the zone in which they were recorded; nothing is guessed but the zone."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

Precision = Literal["time", "day", "month", "year"]

# https://hl7.org/fhir/R4/datatypes.html#dateTime; a zone may be absent in what hospitals send (messy case 23).
_MONTH, _YEAR = re.compile(r"[0-9]{4}-[0-9]{2}\Z"), re.compile(r"[0-9]{4}\Z")
# fromisoformat takes more shapes than FHIR has, a control character before the zone among them. Seconds may be absent.
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,12})?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?\Z"
)
# Years at the ends of the calendar cannot be moved into another zone.
_FIRST_YEAR, _LAST_YEAR = 1000, 9998


class Moment(msgspec.Struct, frozen=True, gc=False):
    """A point in time as precisely as it was recorded.

    `time` is aware: the end of the day, month or year where no more is known. `first` and `last` are the
    calendar days, in the tenant's zone, between which it lies.
    """

    time: datetime
    precision: Precision
    first: date
    last: date

    @property
    def date_only(self) -> bool:
        """Whether no time of day was recorded."""
        return self.precision != "time"

    @property
    def whole_date(self) -> bool:
        """Whether at least the day was recorded."""
        return self.precision in ("time", "day")


def moment(text: str | None, zone: ZoneInfo) -> Moment | None:
    """When `text` says, or None where it is absent or no FHIR date. No zone: the tenant's."""
    if not text:
        return None
    try:
        found = _instant(text, zone) if len(text) > 10 else _period(text, zone)
    except (ValueError, OverflowError):
        return None
    return found if found and found.first.year >= _FIRST_YEAR and found.last.year <= _LAST_YEAR else None


def _instant(text: str, zone: ZoneInfo) -> Moment | None:
    plain = text[19:] == "Z" and text[4] == "-" and text[10] == "T" and text[13] == text[16] == ":"
    if not plain and not _INSTANT.match(text):
        return None
    if text[17:19] == "60":  # a leap second, which FHIR allows and datetime cannot hold
        text = f"{text[:17]}59{text[19:]}"
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        when = when.replace(tzinfo=zone)
    day = when.astimezone(zone).date()
    return Moment(when, "time", day, day)


def _period(text: str, zone: ZoneInfo) -> Moment | None:
    if len(text) == 10 and text[4] == text[7] == "-":
        day = date.fromisoformat(text)
        return Moment(_end_of(day, zone), "day", day, day)
    if _MONTH.match(text):
        first = date.fromisoformat(f"{text}-01")
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return Moment(_end_of(last, zone), "month", first, last)
    if _YEAR.match(text):
        first, last = date(int(text), 1, 1), date(int(text), 12, 31)
        return Moment(_end_of(last, zone), "year", first, last)
    return None


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.max, tzinfo=zone)

"""The one instant as of which everything is read, and what lies inside a window before it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from fhir_mappings.fhir.dates import Moment

AHEAD = timedelta(hours=24)  # inputs 1.2: clocks and zones differ; replay and training allow none

_A_DAY = timedelta(days=1)


class Clock(Struct, frozen=True):
    """The hook's instant (aware) in the tenant's zone, and how far ahead of it a record may claim to be."""

    as_of: datetime
    zone: ZoneInfo
    today: date
    ahead: timedelta = AHEAD


def clock(as_of: datetime, zone: ZoneInfo, ahead: timedelta = AHEAD) -> Clock:
    """The clock at `as_of`; raises ValueError for a naive datetime."""
    if as_of.tzinfo is None:
        raise ValueError("as_of has no time zone")
    return Clock(as_of, zone, as_of.astimezone(zone).date(), ahead)


def is_future(when: Moment, now: Clock) -> bool:
    """Whether it lies further ahead than clocks differ; a date alone is compared by its calendar day."""
    if when.precision == "time":
        return when.time - now.as_of > now.ahead
    return when.first - now.today > now.ahead


def is_ahead(when: Moment, now: Clock) -> bool:
    """Whether it lies after the hook at all."""
    return when.time > now.as_of if when.precision == "time" else when.first > now.today


def placed(when: Moment, days: int, now: Clock) -> str:
    """Where a result lies: "" inside the last `days` (the limit included), "stale", "future" or "date-imprecise".

    Of a month or a year the whole period has to lie inside (inputs 1.2).
    """
    if is_future(when, now):
        return "future"
    if when.precision == "time":
        return "stale" if now.as_of - when.time > timedelta(days=days) else ""
    oldest = now.today - timedelta(days=days)
    if when.last < oldest:
        return "stale"
    if when.precision == "day":
        return ""
    return "" if oldest <= when.first and when.last <= now.today else "date-imprecise"


def days_since(when: Moment, now: Clock) -> float:
    """For how many days it is past at the least: more than those of a window, and it is "stale" there."""
    return (now.as_of - when.time) / _A_DAY if when.precision == "time" else (now.today - when.last).days


def could_be_within(when: Moment, days: int, now: Clock) -> bool:
    """Whether any day that the moment allows lies in the last `days` (inputs 1.2, for diagnoses)."""
    return when.last >= now.today - timedelta(days=days)

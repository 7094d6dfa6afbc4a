"""When a case began and ended, as its Procedures say, or, where none has a time, its Encounter."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from fhir_mappings.during.course import CaseTimes
from fhir_mappings.fhir.dates import moment
from fhir_mappings.fhir.elements import Period
from fhir_mappings.fhir.resources import UNREADABLE_JSON

# https://hl7.org/fhir/R4/valueset-event-status.html, https://hl7.org/fhir/R4/valueset-encounter-status.html
WITHDRAWN = frozenset({"entered-in-error", "not-done", "cancelled"})
NOT_BEGUN = frozenset({"preparation", "planned", "arrived", "triaged"})
OVER = frozenset({"completed", "stopped", "finished"})
UNREADABLE, NO_START, NO_END = "unreadable", "start-not-recorded", "end-not-recorded"
STILL_OPEN, REVERSED, TWO = "status-not-over", "end-before-start", "two-operations-in-one-stay"


class _Stamp(Struct, rename="camel"):
    last_updated: str = ""


class TimedResource(Struct, rename="camel"):
    """A Procedure or an Encounter with just what says when it was; a modifier that is not known makes it unreadable."""

    resource_type: Literal["Procedure", "Encounter"]
    status: str = ""
    id: str = ""
    implicit_rules: None = None
    modifier_extension: tuple[()] | None = None
    performed_period: Period | None = None
    performed_date_time: str | None = None
    period: Period | None = None
    meta: _Stamp | None = None

    def written(self) -> tuple[str, str]:
        """Start and end as they are written, "" where they are not."""
        period = self.performed_period or self.period or Period()
        return period.start or self.performed_date_time or "", period.end or ""


_DECODER = msgspec.json.Decoder(TimedResource)


def timed(raw: bytes) -> TimedResource:
    """A Procedure or an Encounter with its times. Raises ValueError where it cannot be read."""
    try:
        return _DECODER.decode(raw)
    except UNREADABLE_JSON as error:
        raise ValueError("no Procedure or Encounter that can be read") from error


def case_times(resources: Iterable[bytes], zone: ZoneInfo, as_of: float) -> CaseTimes:
    """From the earliest start to the latest end of what is neither withdrawn nor only planned.

    It has ended only where each of them has an end in the past, and every Procedure and Encounter of it, with times or
    without, has a status that says so: a line that was placed inside a running operation does not end it. Procedures
    with a time between them are two operations (a return to theatre): nothing is told of them as one. `reason` says
    what stands in the way of either time.
    """
    try:
        every = [timed(resource) for resource in resources]
    except ValueError:
        return CaseTimes(None, None, reason=UNREADABLE)
    begun = [one for one in every if one.status not in WITHDRAWN | NOT_BEGUN]
    procedures = [one for one in begun if one.resource_type == "Procedure" and any(one.written())]
    chosen = procedures or [one for one in begun if one.resource_type == "Encounter"]
    starts, ends = zip(*(one.written() for one in chosen), strict=True) if chosen else ((), ())
    start = min(_known(starts, zone), default=None)
    source = " ".join(f"{one.resource_type}/{one.id}" for one in chosen)
    if start is None:
        return CaseTimes(None, None, source, NO_START)
    if _are_disjoint(procedures, zone):
        return CaseTimes(start, None, source, TWO)
    under_way = [one for one in begun if one.status not in OVER]
    found = list(_known(ends, zone))
    if reason := _why_no_end(found, len(chosen), start, [one.written()[1] for one in under_way], zone):
        return CaseTimes(start, None, source, reason)
    end = max(found)
    over = end <= as_of and not under_way
    return CaseTimes(start, end, source, "" if over else STILL_OPEN, over)


def _why_no_end(found: list[float], chosen: int, start: float, under_way: list[str], zone: ZoneInfo) -> str:
    """`found`: the ends of the `chosen`; `under_way`: the ends, as written, of what is not over."""
    if len(found) < chosen:
        return NO_END
    if max(found) < start:
        return REVERSED
    return STILL_OPEN if len(list(_known(under_way, zone))) < len(under_way) else ""


def _are_disjoint(procedures: Iterable[TimedResource], zone: ZoneInfo) -> bool:
    """Whether one of them began after all that began before it were over."""
    spans = [tuple(next(_known((text,), zone), None) for text in one.written()) for one in procedures]
    begun = sorted((start, math.inf if end is None else end) for start, end in spans if start is not None)
    reached = math.inf
    for position, (start, end) in enumerate(begun):
        if position and start > reached:
            return True
        reached = max(reached, end) if position else end
    return False


def _known(texts: Iterable[str], zone: ZoneInfo) -> Iterator[float]:
    return (when.timestamp() for text in texts if (when := instant(text, zone)) is not None)


def instant(text: str, zone: ZoneInfo) -> datetime | None:
    """The instant that a text names; None for a day, a month, a year, or what is no date."""
    when = moment(text, zone)
    return when.time if when is not None and when.precision == "time" else None

"""How far what one source tells was taken: what is missing, what was lost for good, and since when all was well."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from fhir_mappings.during.event_numbers import EventNumbers, Range

# Of each source; further ones widen the one before, so that nothing is told as well that was not.
MOST_GAPS = 50
# What comes in another order within so short a time is not asked for.
ORDER_S = 1.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 60.0


class Gap(Struct, frozen=True):
    """Between these two instants something was lost for good."""

    since: datetime
    until: datetime


class Position(Struct, frozen=True, kw_only=True):
    """`well_at`: the last instant at which nothing was missing. `heard_at`: when the source was last heard.

    `ask_at`: when to ask it for what is missing, None where there is nothing to ask. `tries`: how often that failed.
    `gaps`: what was lost for good. `stopped`: it said that it tells no more.
    """

    numbers: EventNumbers = EventNumbers()
    gaps: tuple[Gap, ...] = ()
    stopped: bool = False
    tries: int = 0
    well_at: datetime
    heard_at: datetime | None = None
    ask_at: datetime | None = None

    def heard(self, at: datetime, *, taken: tuple[Range, ...] = (), told: int = 0, stopped: bool = False) -> Position:
        """After the source spoke: these events were taken, and so many there have been."""
        numbers = self.numbers.with_told(told).with_taken(taken)
        tries = self.tries if numbers == self.numbers.with_told(told) else 0
        found = msgspec.structs.replace(self, numbers=numbers, stopped=stopped, heard_at=at, tries=tries)
        if numbers.missing:
            ask_at = self.ask_at or at + timedelta(seconds=ORDER_S)
            return msgspec.structs.replace(found, ask_at=ask_at)
        if stopped:
            return found
        return msgspec.structs.replace(found, well_at=max(at, self.well_at), ask_at=None, tries=0)

    def lost(self, at: datetime) -> Position:
        """Something can neither be kept nor be placed: what came now, or what was missing since all was well."""
        since = min(self.well_at, at) if self.numbers.missing or self.stopped else at
        return msgspec.structs.replace(self, gaps=_with_gap(self.gaps, Gap(since, at)))

    def swept(self, at: datetime, seen_until: datetime | None, next_at: datetime | None) -> Position:
        """What is searched was seen whole, up to `seen_until` by the server's own clock."""
        well_at = max(self.well_at, min(seen_until, at)) if seen_until is not None else self.well_at
        return msgspec.structs.replace(self, well_at=well_at, heard_at=at, ask_at=next_at, tries=0)

    def begun_anew(self, at: datetime, told: int) -> Position:
        """The source counts from 1 again. What was missing of the count before is lost."""
        gaps = _with_gap(self.gaps, Gap(self.well_at, at)) if self.numbers.missing else self.gaps
        fresh = msgspec.structs.replace(self, numbers=EventNumbers(), gaps=gaps, tries=0, ask_at=None)
        return fresh.heard(at, told=told)

    def had_otherwise(self, at: datetime, missing: tuple[Range, ...], *, lost: bool) -> Position:
        """These events are asked for no more: searches found what they were about, or (`lost`) nothing ever will."""
        before = self.lost(at) if lost else self
        return msgspec.structs.replace(before.heard(at, taken=missing), heard_at=self.heard_at)

    def failed(self, at: datetime, *, most: int = 1_000) -> Position:
        """Asking failed: it is asked again later, each time after a longer pause. `most`: what it may count up to."""
        pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(self.tries, 10))
        return msgspec.structs.replace(self, tries=min(self.tries + 1, most), ask_at=at + timedelta(seconds=pause))

    def asked_next(self, at: datetime | None) -> Position:
        """It is asked at this instant, or not at all."""
        return msgspec.structs.replace(self, ask_at=at)


def _with_gap(gaps: tuple[Gap, ...], gap: Gap) -> tuple[Gap, ...]:
    """In order of time, those that touch as one."""
    if gaps and (len(gaps) >= MOST_GAPS or gap.since <= gaps[-1].until):
        return (*gaps[:-1], Gap(min(gaps[-1].since, gap.since), max(gaps[-1].until, gap.until)))
    return (*gaps, gap)

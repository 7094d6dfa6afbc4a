"""Which of several results wins (inputs 1.3), and what is told where none can be used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from fhir_mappings.fhir.clock import Clock, is_ahead
from fhir_mappings.fhir.dates import Moment, moment
from fhir_mappings.fhir.resources import Valued
from fhir_mappings.results.feature import Status
from fhir_mappings.results.observations import Recorded
from fhir_mappings.results.quantities import Reading, rejected
from fhir_mappings.results.result_time import NO_TIME, UNREADABLE, in_window
from fhir_mappings.results.unread_results import AWAITED, DROPPED

_UTC = ZoneInfo("UTC")
_WRITTEN = attrgetter("written")
_NEVER = datetime.min.replace(tzinfo=UTC)
_CORRECTED = frozenset({"amended", "corrected"})
_UNCONFIRMED = frozenset({"preliminary", "unknown"})  # the latter only where the tenant lets it count (messy case 21)
# Two zones are at most 26 hours apart: a record whose written date is three days older cannot be of a later day.
_ZONES_APART = timedelta(days=3)
NEWER_UNREADABLE, OTHER_UNREADABLE = "newer-unreadable", "other-unreadable"
_HIDDEN = (NEWER_UNREADABLE, OTHER_UNREADABLE)
_NOT_PLACED = frozenset({NO_TIME, UNREADABLE, "date-imprecise"})  # it could be of any day, or of any of some
_VALUE_NOT_TAKEN = frozenset({"censored", "masked"})  # missing, although there is a value
_ROUNDING = 1e-9  # 10.5 and 10.45 are half a unit apart, whatever binary fractions say
_TOLERANCE = 0.005  # two results of the same time within 0.5 % of each other agree

ReadValue = Callable[[Valued], Reading]
# How far a number may lie from the value that was printed, in the canonical unit.
HalfUnit = Callable[[Valued, Reading], float]
Key = tuple[bool, bool, date, bool, datetime, bool, bool]


class Candidate(Struct, frozen=True, gc=False):
    """One recorded result, read and placed in time; `key` orders candidates, the greatest first."""

    recorded: Recorded
    reading: Reading
    when: Moment | None
    placed: str
    key: Key
    flags: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether it lies in the window and has an acceptable value."""
        return not self.placed and self.reading.usable

    @property
    def preliminary(self) -> bool:
        """Whether the laboratory has not confirmed it."""
        return self.recorded.observation.status in _UNCONFIRMED


class Selection(Struct, frozen=True, gc=False):
    """What is told of one input: the winner with its status, reason and flags."""

    winner: Candidate
    status: Status
    reason: str | None = None
    flags: tuple[str, ...] = ()


def winner(
    recorded: list[Recorded], read: ReadValue, lookback_days: int, now: Clock, half_unit: HalfUnit | None = None
) -> Selection | None:
    """The result that counts, or, where none can be used, what the first of them lacks. None: nothing recorded."""
    candidates = _candidates(recorded, read, lookback_days, now)
    usable = [one for one in candidates if one.usable]
    if usable:
        best = _best_of(usable, half_unit)
        others = (one for one in candidates if not _is_the_same(one, best.winner, half_unit))
        hidden = {_beside(one, best.winner) for one in others} - {""}
        return replace(best, flags=(*best.flags, min(hidden, key=_HIDDEN.index))) if hidden else best
    if not candidates:
        return None
    first = _highest([one for one in candidates if one.recorded.unread not in DROPPED] or candidates)
    if first.reading.usable and first.placed == "stale":
        return Selection(first, "stale", "stale", first.flags)
    if first.reading.usable:
        return Selection(first, "rejected", first.placed, first.flags)
    return Selection(first, first.reading.status, first.reading.reason, first.flags)


def _is_the_same(candidate: Candidate, best: Candidate, half_unit: HalfUnit | None) -> bool:
    """Whether a result that is read says what the one that counts says: then it does not matter which is newer."""
    return candidate is best or (candidate.reading.usable and agree(candidate, best, half_unit))


def _beside(candidate: Candidate, best: Candidate) -> str:
    """What is told of a value that is not taken beside the one that counts: that it is newer, or that it could be.

    "" for one that is older, or that would not count before it if it were read.
    """
    if not _has_value_not_taken(candidate):
        return ""
    one, other = candidate.when, best.when
    if candidate.placed in _NOT_PLACED or one is None or other is None:
        return OTHER_UNREADABLE if candidate.placed in _NOT_PLACED else ""
    if candidate.placed:
        return ""
    if one.last == other.last and candidate.recorded.lower_rank != best.recorded.lower_rank:
        return OTHER_UNREADABLE if best.recorded.lower_rank else ""
    if one.precision == other.precision == "time":
        newer, older = one.time > other.time, one.time < other.time
    else:
        newer, older = one.first > other.last, one.last < other.first
    return NEWER_UNREADABLE if newer else "" if older else OTHER_UNREADABLE


def _has_value_not_taken(candidate: Candidate) -> bool:
    """Whether there is a value that is refused, withheld, or of no day that is known: of a month it may be of any."""
    reading = candidate.reading
    has_value = reading.status == "rejected" or reading.reason in _VALUE_NOT_TAKEN
    undated = reading.usable and (candidate.placed in _NOT_PLACED or _is_of_a_span(candidate))
    return (has_value or undated) and candidate.recorded.unread not in DROPPED


def _is_of_a_span(candidate: Candidate) -> bool:
    """Whether a confirmed result is of a month or a year: a newer one that is not confirmed has its own flag."""
    return candidate.when is not None and not candidate.when.whole_date and not candidate.preliminary


def _highest(candidates: list[Candidate]) -> Candidate:
    """The one that ranks first; of equals the first id, so that the order of entries never matters."""
    return max(sorted(candidates, key=lambda one: one.recorded.source), key=lambda one: one.key)


def _best_of(usable: list[Candidate], half_unit: HalfUnit | None) -> Selection:
    best = _highest(usable)
    if len(usable) == 1:
        return _told(best, best.flags)
    flags = best.flags
    if not best.preliminary and any(one.preliminary and one.key[2:5] > best.key[2:5] for one in usable):
        flags = (*flags, "newer-preliminary")
    equals = [one for one in usable if one.key == best.key]
    if len(equals) > 1:
        latest = max(_issued(one) for one in equals)
        equals = sorted((one for one in equals if _issued(one) == latest), key=lambda one: one.recorded.source)
    if any(not agree(equals[0], other, half_unit) for other in equals[1:]):
        return Selection(equals[0], "conflicting", "values-differ", flags)
    return _told(equals[0], flags)


def _issued(candidate: Candidate) -> str:
    """When it was issued, in UTC, so that texts compare as times; "" where that is not told."""
    when = moment(candidate.recorded.observation.issued, _UTC)
    return when.time.astimezone(UTC).isoformat() if when else ""


def _told(best: Candidate, flags: tuple[str, ...]) -> Selection:
    return Selection(best, best.reading.status, None, flags)


def agree(one: Candidate, other: Candidate, half_unit: HalfUnit | None) -> bool:
    """Whether two results of the same time are the same: equal answers, or numbers within 0.5 % of each other, or
    within half a unit of the last printed decimal of either in its own unit (0.9 mg/dL and 80 umol/L).
    """
    first, second = one.reading, other.reading
    if first.comparator != second.comparator:
        return False
    if not (isinstance(first.value, float) and isinstance(second.value, float)):
        return first.value == second.value
    apart = abs(first.value - second.value)
    if apart <= _TOLERANCE * max(abs(first.value), abs(second.value)):
        return True
    if half_unit is None:
        return False
    return apart <= max(half_unit(each.recorded.valued, each.reading) for each in (one, other)) + _ROUNDING


def _candidates(recorded: list[Recorded], read: ReadValue, lookback_days: int, now: Clock) -> list[Candidate]:
    """The candidates, newest first, without those that can no longer win against a confirmed one already found.

    What is days older is not read at all: a fifth of the main job where laboratory values come by the hundred.
    """
    if len(recorded) > 1:
        recorded = sorted(recorded, key=_WRITTEN, reverse=True)
    found: list[Candidate] = []
    enough = ""
    for one in recorded:
        if one.written < enough[: len(one.written)] and _is_dated(one.written):
            continue
        candidate = _candidate(one, read, lookback_days, now)
        if candidate is None:
            continue
        found.append(candidate)
        if not enough and candidate.usable and not candidate.preliminary and candidate.when and candidate.key[1]:
            enough = (candidate.when.first - _ZONES_APART).isoformat()
    return found


def _is_dated(written: str) -> bool:
    """Whether a text begins as a date of FHIR does, so that it can be compared with others as a text."""
    return written[4:5] == "-" or (len(written) == 4 and written.isdigit())


def _candidate(recorded: Recorded, read: ReadValue, lookback_days: int, now: Clock) -> Candidate | None:
    """None for what is no candidate: too old and without a value."""
    when, position = in_window(recorded.written, lookback_days, now)
    reading = _reading(recorded, read)
    if position == "stale" and (recorded.unread or reading.status == "missing"):
        return None
    flags = reading.flags
    if recorded.observation.status == "unknown":
        flags = (*flags, "result-status-unknown")
    if recorded.issued_only:
        flags = (*flags, "issued-time")
    if when and not position and is_ahead(when, now):
        flags = (*flags, "time-ahead")
        when = Moment(now.as_of, when.precision, now.today, now.today)
    return Candidate(recorded, reading, when, position, _key(recorded, when), flags)


def _reading(recorded: Recorded, read: ReadValue) -> Reading:
    if recorded.unread:
        return Reading("missing", reason=AWAITED) if recorded.unread == AWAITED else rejected(recorded.unread)
    if recorded.two_concepts:
        return Reading("conflicting", reason="two-concepts")
    if recorded.on_oxygen:
        return rejected("on-oxygen")
    reading = read(recorded.valued)
    awaited = reading.reason == "unknown" and recorded.observation.status == "preliminary"
    return Reading("missing", reason=AWAITED) if awaited and not recorded.valued.data_absent_reason else reading


def _key(recorded: Recorded, when: Moment | None) -> Key:
    status = recorded.observation.status
    return (
        status not in _UNCONFIRMED,
        when is not None and when.whole_date,
        when.last if when else date.min,
        not recorded.lower_rank,
        when.time if when else _NEVER,
        recorded.is_component,
        status in _CORRECTED,
    )

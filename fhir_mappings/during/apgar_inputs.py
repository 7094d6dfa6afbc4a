"""The three components of the Surgical Apgar Score of a closed case, each with its value or with why it has none."""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct

from fhir_mappings.during.amount_totals import LATE, AmountTotal
from fhir_mappings.during.course import Course
from fhir_mappings.during.no_pulse import may_have_stopped
from fhir_mappings.during.steps import ends_at, observed_s, steps

# Of a signal that was seen for less of the case nobody knows the lowest value. Our rule; the score has none.
LEAST_SEEN = 0.5
CASE_OPEN, NOT_RECORDED, SEEN_TOO_LITTLE, UNCLEAR_EVENT = (
    "case-open",
    "not-recorded",
    "seen-too-little",
    "event-unclear",
)
RANGE = "read-in-two-ways"
REFUSED, UNREAD, MISSED = "values-refused-for-want-of-room", "values-unread", "values-may-be-missing"
NO_PULSE = "rate-of-0-or-no-pulse-was-set-aside"
# The rate that stands for a recorded pathologic bradyarrhythmia or asystole, which have no points whatever the rate.
# Gawande AA et al. An Apgar score for surgery. J Am Coll Surg 2007;204:201-208, doi:10.1016/j.jamcollsurg.2006.11.011
ARRHYTHMIA = 0.0
_Lowest = Literal["heart-rate", "mean-pressure"]
MEAN, RATE, LOSS = "lowest_mean_pressure", "lowest_heart_rate", "blood_loss"


class ApgarComponent(Struct, frozen=True):
    """One input of the score: its value, or why it has none; `possible` where the record can be read in two ways.

    `seen`: the share of the case in which the signal was seen. `unread`: how many values could not be read, so that a
    lower one may have been among them. `event`: the recorded event in whose place the value stands.
    """

    name: str
    value: float | None
    reason: str = ""
    seen: float | None = None
    unread: int = 0
    event: str = ""
    possible: tuple[float, float] | None = None


def apgar_components(
    course: Course, loss: AmountTotal, refused: int = 0, *, missed: bool = False
) -> tuple[ApgarComponent, ApgarComponent, ApgarComponent]:
    """Blood loss (mL), lowest mean pressure (mmHg) and lowest heart rate (1/min) of a course without artefacts.

    A case that has not ended has none, nor one of which `refused` versions did not fit, or some may be `missed`: a
    lower value may have been among them. What happened to the heart is what somebody recorded, never what a rate says.
    """
    if not course.case.ended or refused or missed:
        reason = CASE_OPEN if not course.case.ended else REFUSED if refused else MISSED
        return (
            ApgarComponent(LOSS, None, reason),
            ApgarComponent(MEAN, None, reason),
            ApgarComponent(RATE, None, reason),
        )
    return _blood_loss(loss), _lowest(course, "mean-pressure", MEAN), _heart_rate(course)


def _blood_loss(loss: AmountTotal) -> ApgarComponent:
    if loss.low is None or loss.high is None:
        return ApgarComponent(LOSS, None, loss.reason)
    if not loss.exact:
        return ApgarComponent(LOSS, None, RANGE, possible=(loss.low, loss.high))
    return ApgarComponent(LOSS, loss.low)


def _heart_rate(course: Course) -> ApgarComponent:
    events = [event for event in course.events if event.kind in ("bradyarrhythmia", "asystole")]
    found = _lowest(course, "heart-rate", RATE)
    if events:
        return ApgarComponent(RATE, ARRHYTHMIA, seen=found.seen, unread=found.unread, event=events[0].kind)
    if any(part.about in ("bradyarrhythmia", "asystole") for part in course.unread):
        return ApgarComponent(RATE, None, UNCLEAR_EVENT, found.seen, found.unread)
    if "bradyarrhythmia" in course.late or "asystole" in course.late:
        return ApgarComponent(RATE, None, LATE, found.seen, found.unread)
    return found


def _lowest(course: Course, signal: _Lowest, name: str) -> ApgarComponent:
    """The lowest value that counted at any time of the case; none where a lower one may be among what was set aside."""
    found = steps(course, signal)
    unread = sum(part.about == signal for part in course.unread)
    if not found or course.case.start is None:
        return ApgarComponent(name, None, NOT_RECORDED, 0.0, unread)
    whole = ends_at(course) - course.case.start
    seen = observed_s(found) / whole if whole > 0 else 0.0
    if seen < LEAST_SEEN:
        return ApgarComponent(name, None, SEEN_TOO_LITTLE, seen, unread)
    if unread:
        return ApgarComponent(name, None, UNREAD, seen, unread)
    if may_have_stopped(course, signal):
        return ApgarComponent(name, None, NO_PULSE, seen, unread)
    lowest = min(*(step.sample.value for step in found), *_at_the_end(course, signal))
    return ApgarComponent(name, lowest, seen=seen, unread=unread)


def _at_the_end(course: Course, signal: _Lowest) -> list[float]:
    """The value of the last instant of the case, which stands for no time and counts among the lowest."""
    end = ends_at(course)
    found = (sample.value for trace in course.of(signal) for sample in trace.samples if sample.at == end)
    first = next(found, None)
    return [math.inf] if first is None else [first]


def apgar_values(components: tuple[ApgarComponent, ...], age: float | None) -> tuple[dict[str, float | None], ...]:
    """The inputs of the model, once for each end of what can be read in two ways; none where a component is missing."""
    if any(one.value is None and one.possible is None for one in components):
        return ()
    ends = [(one.value, one.value) if one.possible is None else one.possible for one in components]
    both = [{"age": age} | {one.name: end[side] for one, end in zip(components, ends, strict=True)} for side in (0, 1)]
    return tuple(both if both[0] != both[1] else both[:1])

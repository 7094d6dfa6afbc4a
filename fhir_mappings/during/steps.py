"""One signal as steps: each value stands until the next, at most as long as its signal allows; the rest is a gap."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from msgspec import Struct

from fhir_mappings.during.course import Course, Sample, Signal, Trace, Way
from fhir_mappings.during.signal_rules import RULES


class Standing(Struct, frozen=True, gc=False):
    """From when to when (seconds) a value stands."""

    begin: float
    end: float
    sample: Sample
    way: Way


def ends_at(course: Course) -> float:
    """Until when there is a course: the end of the case, or now where it lies before that or nobody recorded it."""
    end = course.case.end
    return course.as_of if end is None else min(end, course.as_of)


def steps(course: Course, signal: Signal) -> tuple[Standing, ...]:
    """The steps of one signal in their order, which never overlap.

    An arterial line counts before a cuff, a cuff before what does not say how it was measured: the others stand only
    where it has a gap. Nothing is interpolated. What was set aside stands for no time and ends the value before it.
    """
    known = course.worked_out
    if signal not in known:
        known[signal] = _steps(course, signal)
    found: tuple[Standing, ...] = known[signal]
    return found


def _steps(course: Course, signal: Signal) -> tuple[Standing, ...]:
    end = ends_at(course)
    found: tuple[Standing, ...] = ()
    for trace in course.of(signal):
        found = _filled(found, _of_trace(trace, end))
    return found


def _of_trace(trace: Trace, end: float) -> list[Standing]:
    holds = RULES[trace.signal].holds_s[trace.way]
    aside = sorted(one.sample.at for one in trace.aside)
    aside.append(end)
    found = []
    position = 0
    for sample, following in zip_longest(trace.samples, trace.samples[1:]):
        at = sample.at
        while position + 1 < len(aside) and aside[position] <= at:
            position += 1
        until = end if following is None else following.at
        found.append(Standing(at, min(until, aside[position], at + holds, end), sample, trace.way))
    return found


def _filled(first: Sequence[Standing], other: Sequence[Standing]) -> tuple[Standing, ...]:
    """The steps of `first`, and those of `other` where `first` has a gap; both in order, one pass over each.

    A step that ends where it begins, or before (of a value a little ahead of now), is none.
    """
    if not first:
        return tuple(step for step in other if step.begin < step.end)
    found: list[Standing] = []
    position = 0
    for step in other:
        begin = step.begin
        while position < len(first) and first[position].end <= begin:
            found.append(first[position])
            position += 1
        while begin < step.end:
            following = first[position] if position < len(first) else None
            if following is None or following.begin >= step.end:
                found.append(Standing(begin, step.end, step.sample, step.way))
                break
            if following.begin > begin:
                found.append(Standing(begin, following.begin, step.sample, step.way))
            begin = following.end
            if following.end <= step.end:
                found.append(following)
                position += 1
    found.extend(first[position:])
    return tuple(found)


def observed_s(found: Sequence[Standing]) -> float:
    """How long a value stands altogether, seconds."""
    return sum(step.end - step.begin for step in found)


def gaps(found: Sequence[Standing], begin: float, end: float) -> list[tuple[float, float]]:
    """From when to when nothing stands between `begin` and `end`."""
    missing = []
    reached = begin
    for step in found:
        if step.begin > reached:
            missing.append((reached, step.begin))
        reached = max(reached, step.end)
    if end > reached:
        missing.append((reached, end))
    return missing

"""How long the heart may have stood still: a rate of 0, or a pressure without a pulse, that was set aside.

A lead that is off and an asystole look alike, as do a line that is open and an arrest: what was set aside is told as
neither, and whoever asks for the lowest value has none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Literal

from fhir_mappings.during import artefact_rules as rules
from fhir_mappings.during.course import PRESSURES, Course, SetAside, Signal, Trace, Way
from fhir_mappings.during.steps import ends_at

# Our rule: what is set aside for less is a flush, a line being zeroed, a lead that was touched.
AT_LEAST_S = 30.0
_OF_PRESSURE = (rules.DISCONNECTION, rules.ORDER, rules.RANGE)


def may_have_stopped(course: Course, signal: Literal["heart-rate", "mean-pressure"]) -> bool:
    """Whether a rate of 0, or a pressure without a pulse, was set aside for AT_LEAST_S or longer.

    It lasts until the next value that counts, or, where none follows, until the end.
    """
    return any(_longest_s(trace, _touches(course, trace), ends_at(course)) >= AT_LEAST_S for trace in course.of(signal))


def _touches(course: Course, trace: Trace) -> Callable[[SetAside], bool]:
    if trace.signal == "heart-rate":
        return lambda one: one.rule == rules.RANGE and one.sample.value <= 0
    without = _without_pulse(course, trace.way)
    return lambda one: one.rule in _OF_PRESSURE and one.sample.at in without


def _without_pulse(course: Course, way: Way) -> set[float]:
    """The instants whose pressures, all set aside, had no pulse or were too low to have one."""
    instants: dict[float, dict[Signal, float]] = defaultdict(dict)
    for signal in PRESSURES:
        for trace in course.of(signal):
            if trace.way == way:
                for one in trace.aside:
                    instants[one.sample.at][signal] = one.sample.value
    return {at for at, one in instants.items() if _is_without_pulse(one)}


def _is_without_pulse(one: dict[Signal, float]) -> bool:
    systolic, diastolic = one.get("systolic-pressure"), one.get("diastolic-pressure")
    if systolic is not None and diastolic is not None and systolic - diastolic <= rules.PULSE_AT_LEAST:
        return True
    return any(value <= rules.STANDSTILL_MEAN for signal, value in one.items() if signal != "diastolic-pressure")


def _longest_s(trace: Trace, touches: Callable[[SetAside], bool], end: float) -> float:
    longest, since = 0.0, None
    told = [(sample.at, False) for sample in trace.samples] + [(one.sample.at, touches(one)) for one in trace.aside]
    for at, touched in sorted(told):
        if since is not None:
            longest = max(longest, at - since)
        if touched and since is None:
            since = at
        elif not touched:
            since = None
    return max(longest, end - since) if since is not None else longest

"""How long and how far a signal was beyond a limit: exposure, never scored as a risk of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from fhir_mappings.during.course import Course, Signal
from fhir_mappings.during.limits import LIMITS, Limit
from fhir_mappings.during.steps import Standing, ends_at, observed_s, steps

NOT_RECORDED, NO_BASELINE, NO_START = "not-recorded", "no-baseline", "start-not-recorded"
# Two steps that follow each other within a millisecond are one episode: times are written with that much.
_TOGETHER_S = 0.001


class Episode(Struct, frozen=True, gc=False):
    """From when to when (seconds) a signal was beyond a limit without a gap, and the value farthest beyond it."""

    begin: float
    end: float
    farthest: float

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.end - self.begin


class Exposure(Struct, frozen=True):
    """What was seen of one limit; all numbers are None where nothing could be told, for `reason`.

    `minutes` beyond it; `area`: its integral, in the signal's unit times minutes; `average`: that area over the minutes
    in which the signal was seen (time-weighted average); `seen` and `unseen`: minutes of the case with and without a
    value.
    """

    limit: Limit
    at: float | None
    reason: str = ""
    minutes: float | None = None
    area: float | None = None
    average: float | None = None
    longest: Episode | None = None
    episodes: int | None = None
    seen: float | None = None
    unseen: float | None = None


def exposure(course: Course, limit: Limit, baseline: float | None = None) -> Exposure:
    """The exposure to one limit from the start of the case to its end, or to now while it runs.

    `baseline`: the patient's own value of the signal before the operation, where the limit rests on it.
    """
    at = limit.at(baseline)
    if course.case.start is None:
        return Exposure(limit, at, NO_START)
    found = steps(course, limit.signal)
    whole = ends_at(course) - course.case.start
    seen = observed_s(found)
    if at is None or not found:
        reason = NO_BASELINE if at is None else NOT_RECORDED
        return Exposure(limit, at, reason, seen=seen / 60, unseen=(whole - seen) / 60)
    area = sum(_beyond(step, limit, at) * (step.end - step.begin) for step in found)
    every = list(episodes(found, limit, at))
    return Exposure(
        limit,
        at,
        minutes=sum(episode.seconds for episode in every) / 60,
        area=area / 60,
        average=area / seen,
        longest=max(every, key=lambda one: (one.seconds, -one.begin), default=None),
        episodes=len(every),
        seen=seen / 60,
        unseen=(whole - seen) / 60,
    )


def exposures(course: Course, baselines: dict[Signal, float]) -> tuple[Exposure, ...]:
    """The exposure to every published limit, in their order."""
    return tuple(exposure(course, limit, baselines.get(limit.signal)) for limit in LIMITS)


def _beyond(step: Standing, limit: Limit, at: float) -> float:
    """How far a step lies beyond the limit, 0 on it and on its other side."""
    value = step.sample.value
    return max(at - value if limit.side == "below" else value - at, 0.0)


def episodes(found: Sequence[Standing], limit: Limit, at: float) -> Iterator[Episode]:
    """Each time in which the signal was beyond the limit without a gap."""
    begin = end = farthest = None
    for step in found:
        beyond = _beyond(step, limit, at) > 0
        if begin is not None and end is not None and farthest is not None:
            if beyond and step.begin - end <= _TOGETHER_S:
                end = step.end
                value = step.sample.value
                farthest = min(farthest, value) if limit.side == "below" else max(farthest, value)
                continue
            yield Episode(begin, end, farthest)
            begin = None
        if beyond:
            begin, end, farthest = step.begin, step.end, step.sample.value
    if begin is not None and end is not None and farthest is not None:
        yield Episode(begin, end, farthest)

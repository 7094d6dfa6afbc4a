"""What leaves its band for a stated time, and where values stopped: what a page may mark, never an alarm."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

from msgspec import Struct

from fhir_mappings.during.course import Course, Sample, Signal
from fhir_mappings.during.exposures import Episode, episodes
from fhir_mappings.during.limits import LIMITS, Limit
from fhir_mappings.during.signal_rules import RULES
from fhir_mappings.during.steps import Standing, ends_at, steps

# Longer than a spike may last (30 s, artefact_rules.py): what is over before is none. A return as brief as this does
# not end it, for a value that moves about its limit is beyond it. Measured: docs/during.md.
BEYOND_S, RETURN_S = 40.0, 10.0
# A time without a value, at most as long as a spike, neither ends it nor counts.
UNSEEN_S = 30.0


class Notice(Struct, frozen=True):
    """A signal beyond a limit: since when (seconds), when that was long enough to be marked, and until when.

    `end` is None while it lasts.
    """

    limit: Limit
    at: float
    begin: float
    noticed: float
    end: float | None
    farthest: float


class Stopped(Struct, frozen=True):
    """A signal that was seen and is not seen now, since its last value no longer stands."""

    signal: Signal
    last: Sample
    since: float


def notices(course: Course, baselines: Mapping[Signal, float], limits: Iterable[Limit] = LIMITS) -> tuple[Notice, ...]:
    """Every notice of a course without artefacts as of now, in the order in which they could be marked."""
    found = (notice for limit in limits for notice in _of_limit(course, limit, limit.at(baselines.get(limit.signal))))
    return tuple(sorted(found, key=lambda one: (one.noticed, one.limit.name)))


def _of_limit(course: Course, limit: Limit, at: float | None) -> Iterator[Notice]:
    if at is None:
        return
    now = ends_at(course)
    standing = steps(course, limit.signal)
    for one in _joined(episodes(standing, limit, at), standing, limit):
        if one.noticed is not None:
            end = None if now - one.end <= RETURN_S else one.end
            yield Notice(limit, at, one.begin, one.noticed, end, one.farthest)


class _JoinedEpisodes:
    """Episodes of one limit that a brief return, or a brief time without a value, does not part."""

    def __init__(self, first: Episode) -> None:
        self.begin, self.end, self.farthest = first.begin, first.end, first.farthest
        self.noticed: float | None = None
        self._seen_s = 0.0
        self._count(first.begin, first.end)

    def joins(self, following: Episode, standing: Sequence[Standing]) -> bool:
        """Whether the next one belongs to it. Time without a value ends nothing, and counts for nothing."""
        apart_s = following.begin - self.end
        if apart_s > UNSEEN_S + RETURN_S:
            return False
        within_s = sum(_overlap(step, self.end, following.begin) for step in standing)
        return within_s <= RETURN_S and apart_s - within_s <= UNSEEN_S

    def take(self, following: Episode, standing: Sequence[Standing], farther: Callable[[float, float], float]) -> None:
        """Go on with the next one; the brief return between them counts."""
        for step in standing:
            if _overlap(step, self.end, following.begin) > 0:
                self._count(max(step.begin, self.end), min(step.end, following.begin))
        self._count(following.begin, following.end)
        self.end, self.farthest = following.end, farther(self.farthest, following.farthest)

    def _count(self, begin: float, end: float) -> None:
        missing = BEYOND_S - self._seen_s
        self._seen_s += end - begin
        if self.noticed is None and self._seen_s >= BEYOND_S:
            self.noticed = begin + missing


def _overlap(step: Standing, begin: float, end: float) -> float:
    return max(0.0, min(step.end, end) - max(step.begin, begin))


def _joined(found: Iterable[Episode], standing: Sequence[Standing], limit: Limit) -> Iterator[_JoinedEpisodes]:
    """Episodes with a brief return between them as one."""
    farther = min if limit.side == "below" else max
    lasting: _JoinedEpisodes | None = None
    position = 0
    for one in found:
        if lasting is not None:
            while position < len(standing) and standing[position].end <= lasting.end:
                position += 1
            end = bisect_left(standing, one.begin, lo=position, key=attrgetter("begin"))
            between = standing[position:end]
            if lasting.joins(one, between):
                lasting.take(one, between, farther)
                continue
            yield lasting
        lasting = _JoinedEpisodes(one)
    if lasting is not None:
        yield lasting


def stopped(course: Course) -> tuple[Stopped, ...]:
    """The signals whose values stopped before now; none of them is told as it was."""
    now = ends_at(course)
    found = []
    for signal in RULES:
        standing = steps(course, signal)
        if standing and standing[-1].end < now:
            found.append(Stopped(signal, standing[-1].sample, standing[-1].end))
    return tuple(found)

"""What leaves its band for a stated time, and where values stopped: what a page may mark, never an alarm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from fhir_mappings.during.course import Course, Sample, Signal
from fhir_mappings.during.exposures import Episode, episodes
from fhir_mappings.during.limits import LIMITS, Limit
from fhir_mappings.during.signal_rules import RULES
from fhir_mappings.during.steps import ends_at, steps

# Longer than a spike may last (30 s, artefact_rules.py): what is over before is none. A return as brief as this does
# not end it, for a value that moves about its limit is beyond it. Measured: docs/during.md.
BEYOND_S, RETURN_S = 40.0, 10.0


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
    for one in _joined(episodes(steps(course, limit.signal), limit, at), limit):
        if one.seconds >= BEYOND_S:
            end = None if now - one.end <= RETURN_S else one.end
            yield Notice(limit, at, one.begin, one.begin + BEYOND_S, end, one.farthest)


def _joined(found: Iterable[Episode], limit: Limit) -> Iterator[Episode]:
    """Episodes with a brief return between them as one."""
    before: Episode | None = None
    farther = min if limit.side == "below" else max
    for one in found:
        if before is not None and one.begin - before.end <= RETURN_S:
            before = Episode(before.begin, one.end, farther(before.farthest, one.farthest))
            continue
        if before is not None:
            yield before
        before = one
    if before is not None:
        yield before


def stopped(course: Course) -> tuple[Stopped, ...]:
    """The signals whose values stopped before now; none of them is told as it was."""
    now = ends_at(course)
    found = []
    for signal in RULES:
        standing = steps(course, signal)
        if standing and standing[-1].end < now:
            found.append(Stopped(signal, standing[-1].sample, standing[-1].end))
    return tuple(found)

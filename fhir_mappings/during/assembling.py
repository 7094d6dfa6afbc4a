"""The course of a case from its Observations: the newest version of each, by their times, each value once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from fhir_mappings.during.course import (
    Amount,
    AmountKind,
    CaseEvent,
    CaseTimes,
    Course,
    CourseEntry,
    EventKind,
    Sample,
    Signal,
    Trace,
    UnreadPart,
    Way,
)

REPLACED, WITHDRAWN, BEFORE, AFTER, AHEAD, REPEATED = (
    "replaced", "withdrawn", "before-start", "after-end", "ahead-of-clock", "repeated",
)  # fmt: skip
# By how much a device's clock may differ without an offset being stated; what lies further ahead is left out.
CLOCKS_DIFFER_S = 60.0
# https://hl7.org/fhir/R4/valueset-observation-status.html: in which order one result passes through them.
_RANK = {"registered": 0, "preliminary": 1, "final": 2, "amended": 3, "corrected": 3}


def newest(entries: Iterable[CourseEntry]) -> tuple[list[CourseEntry], int]:
    """Of each id the version that counts, whatever the order of arrival, and how many others there were.

    By meta.lastUpdated, then by the number of the version, then by status; what cannot be told apart: the later one to
    arrive. Where nothing tells whether a withdrawal came before or after, it stands.
    """
    kept: dict[str, CourseEntry] = {}
    nameless: list[CourseEntry] = []
    count = 0
    for entry in entries:
        if not entry.id:
            nameless.append(entry)
            continue
        count += 1
        if entry.id not in kept or not supersedes(kept[entry.id], entry):
            kept[entry.id] = entry
    return [*kept.values(), *nameless], count - len(kept)


def supersedes(one: CourseEntry, other: CourseEntry) -> bool:
    """Whether `one` is a later version of the same Observation than `other`; False where they cannot be told apart."""
    if one.updated is not None and other.updated is not None and one.updated != other.updated:
        return one.updated > other.updated
    numbers = _number(one.version), _number(other.version)
    if None not in numbers and numbers[0] != numbers[1]:
        return numbers[0] > numbers[1]  # type: ignore[operator]
    return _rank(one) > _rank(other)


def _number(version: str) -> int | None:
    return int(version) if version.isascii() and version.isdigit() and len(version) <= 18 else None


def _rank(entry: CourseEntry) -> int:
    return 4 if entry.withdrawn else _RANK.get(entry.status, 0)


def course_of(entries: Iterable[CourseEntry], case: CaseTimes, as_of: float) -> Course:
    """The course as known as of an instant (seconds since 1970, UTC); empty where nobody recorded its start."""
    counted, replaced = newest(entries)
    left: Counter[str] = Counter({REPLACED: replaced})
    left[WITHDRAWN] = sum(entry.withdrawn for entry in counted)
    counted = [entry for entry in counted if not entry.withdrawn]
    inside = _Window(case, as_of, left)
    samples: dict[tuple[Signal, Way], list[Sample]] = defaultdict(list)
    for entry in counted:
        for signal, way, sample in entry.samples:
            if inside.holds(sample.at):
                samples[signal, way].append(sample)
    amounts = [amount for entry in counted for amount in entry.amounts if inside.holds(amount.at)]
    events = [event for entry in counted for event in entry.events if inside.holds(event.at)]
    traces = tuple(Trace(signal, way, _ordered(found, left)) for (signal, way), found in sorted(samples.items()))
    return Course(
        case,
        as_of,
        traces,
        tuple(sorted(amounts, key=_amount_key)),
        tuple(sorted(events, key=_event_key)),
        tuple(sorted((part for entry in counted for part in entry.unread), key=_unread_key)),
        dict(sorted((+left).items())),
        _late(counted, case),
    )


def _late(counted: Iterable[CourseEntry], case: CaseTimes) -> tuple[AmountKind | EventKind, ...]:
    if case.end is None:
        return ()
    found: set[AmountKind | EventKind] = set()
    for entry in counted:
        found.update(amount.kind for amount in entry.amounts if amount.at > case.end)
        found.update(event.kind for event in entry.events if event.at > case.end)
    return tuple(sorted(found))


class _Window:
    """What belongs to the case: from its start to its end, or to now while it has none."""

    def __init__(self, case: CaseTimes, as_of: float, left: Counter[str]) -> None:
        self.case, self.as_of, self.left = case, as_of, left

    def holds(self, at: float) -> bool:
        """Whether the instant lies inside; if not, why is counted."""
        case = self.case
        reason = ""
        if case.start is None or at < case.start:
            reason = BEFORE
        elif case.end is not None and at > case.end:
            reason = AFTER
        elif at > self.as_of + CLOCKS_DIFFER_S:
            reason = AHEAD
        if reason:
            self.left[reason] += 1
        return not reason


def _ordered(samples: list[Sample], left: Counter[str]) -> tuple[Sample, ...]:
    """In the order of time; the same value of the same device at the same instant counts once, however often sent."""
    kept: dict[tuple[float, str, float], Sample] = {}
    for sample in sorted(samples, key=_sample_key):
        if (sample.at, sample.device, sample.value) in kept:
            left[REPEATED] += 1
        else:
            kept[sample.at, sample.device, sample.value] = sample
    return tuple(kept.values())


def _sample_key(sample: Sample) -> tuple[float, str, float, bool, str]:
    return sample.at, sample.device, sample.value, sample.second, sample.source


def _amount_key(amount: Amount) -> tuple[float, str, float, str]:
    return amount.at, amount.kind, amount.millilitres, amount.source


def _event_key(event: CaseEvent) -> tuple[float, str, str]:
    return event.at, event.kind, event.source


def _unread_key(part: UnreadPart) -> tuple[str, str, str]:
    return part.about, part.reason, part.source

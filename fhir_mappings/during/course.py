"""The course of one operation as types: values of each signal, amounts, events, and all that was set aside.

Every time is in seconds since 1970-01-01 UTC by the hospital's clock (the offset of a device is taken out before).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from msgspec import Struct

Signal = Literal[
    "heart-rate", "mean-pressure", "systolic-pressure", "diastolic-pressure", "spo2", "temperature"
]  # fmt: skip
Way = Literal["invasive", "cuff", "unstated"]
AmountKind = Literal["blood-loss", "fluid", "transfusion"]
EventKind = Literal["bradyarrhythmia", "asystole", "neuromonitoring-change"]
SIGNALS: tuple[Signal, ...] = Signal.__args__  # type: ignore[attr-defined]
AMOUNTS: tuple[AmountKind, ...] = AmountKind.__args__  # type: ignore[attr-defined]
EVENTS: tuple[EventKind, ...] = EventKind.__args__  # type: ignore[attr-defined]
PRESSURES: tuple[Signal, ...] = ("mean-pressure", "systolic-pressure", "diastolic-pressure")


class Sample(Struct, frozen=True, gc=False):
    """One value of one signal, in the signal's unit, with the Observation that holds it and the device that took it.

    `second`: its code says that it was taken another way than the first choice of the signal (SECOND_CODES).
    """

    at: float
    value: float
    source: str
    device: str = ""
    second: bool = False


class SetAside(Struct, frozen=True, gc=False):
    """A value that is kept and does not count, with the rule that says so (artefact_rules.py)."""

    sample: Sample
    rule: str


class Trace(Struct, frozen=True):
    """The values of one signal measured in one way, in the order of their times; those `aside` do not count."""

    signal: Signal
    way: Way
    samples: tuple[Sample, ...]
    aside: tuple[SetAside, ...] = ()


class Amount(Struct, frozen=True, gc=False):
    """A volume in mL: of the time from `start` to `at`, or, where it has no start, of an instant."""

    kind: AmountKind
    at: float
    millilitres: float
    source: str
    start: float | None = None


class CaseEvent(Struct, frozen=True, gc=False):
    """Something that somebody recorded as having happened; nothing is made out of a signal."""

    kind: EventKind
    at: float
    source: str


class UnreadPart(Struct, frozen=True, gc=False):
    """An Observation, or a part of it, that speaks of `about` ("" where that is not known) and could not be used."""

    source: str
    about: str
    reason: str


class CaseTimes(Struct, frozen=True):
    """When the case began and ended as recorded, None where nobody recorded it; `reason` says why, "" where both stand.

    `ended`: whether the end was recorded and lies behind the instant as of which it was read.
    """

    start: float | None
    end: float | None
    source: str = ""
    reason: str = ""
    ended: bool = False


class CourseEntry(Struct, frozen=True, gc=False):
    """One Observation as it was read: all that it holds for the course, and by what it replaces an earlier version.

    `updated` and `version` order the versions of one id; `withdrawn`: entered in error or cancelled, so that no
    version of this id counts any more.
    """

    id: str
    updated: float | None
    version: str
    status: str
    samples: tuple[tuple[Signal, Way, Sample], ...] = ()
    amounts: tuple[Amount, ...] = ()
    events: tuple[CaseEvent, ...] = ()
    unread: tuple[UnreadPart, ...] = ()

    @property
    def withdrawn(self) -> bool:
        """Whether somebody said that it should not be there."""
        return self.status in ("entered-in-error", "cancelled")


class Course(Struct, frozen=True, dict=True):
    """All of one case as of one instant. `left_out` counts, by reason, what came and is no part of it.

    `late`: of which volumes and events something was recorded after the end, so that what is inside may not be all.
    """

    case: CaseTimes
    as_of: float
    traces: tuple[Trace, ...] = ()
    amounts: tuple[Amount, ...] = ()
    events: tuple[CaseEvent, ...] = ()
    unread: tuple[UnreadPart, ...] = ()
    left_out: dict[str, int] = {}
    late: tuple[AmountKind | EventKind, ...] = ()

    @cached_property
    def worked_out(self) -> dict[Signal, Any]:
        """What was made of a signal once and is asked for again (steps.py): a course does not change."""
        return {}

    def of(self, signal: Signal) -> tuple[Trace, ...]:
        """The traces of one signal, invasive before cuff before those that do not say how they were measured."""
        found = [trace for trace in self.traces if trace.signal == signal]
        return tuple(sorted(found, key=lambda trace: Way.__args__.index(trace.way)))  # type: ignore[attr-defined]

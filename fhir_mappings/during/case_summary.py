"""All that is told of a case: exposures, amounts, events, duration against the plan, what was set aside or unseen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct

from fhir_mappings.during.amount_totals import AmountTotal, Recorded, amount_total
from fhir_mappings.during.apgar_inputs import ApgarComponent, apgar_components
from fhir_mappings.during.artefacts import without_artefacts
from fhir_mappings.during.course import AMOUNTS, AmountKind, CaseEvent, Course, CourseEntry, SetAside, Signal
from fhir_mappings.during.exposures import Exposure, exposures
from fhir_mappings.during.own_baseline import OwnBaseline, own_baseline
from fhir_mappings.during.signal_rules import RULES
from fhir_mappings.during.steps import ends_at, gaps, observed_s, steps

NOT_PLANNED, NOT_ENDED = "not-planned", "end-not-recorded"


class Plan(Struct, frozen=True):
    """What was planned, minutes and mL; None where nobody recorded it (no usual blood loss has a source here yet)."""

    minutes: float | None = None
    blood_loss: float | None = None


class Against(Struct, frozen=True):
    """A number beside what was planned; `reason` says why there is no comparison."""

    found: float | None
    planned: float | None
    reason: str = ""

    @property
    def more(self) -> float | None:
        """How much more than planned it was."""
        return None if self.found is None or self.planned is None else self.found - self.planned


class Seen(Struct, frozen=True):
    """Of one signal: minutes with a value, the gaps (seconds, from and to), lowest, highest, and what was set aside."""

    signal: Signal
    minutes: float
    gaps: tuple[tuple[float, float], ...]
    lowest: float | None
    highest: float | None
    aside: tuple[SetAside, ...]
    unread: int


class CaseSummary(Struct, frozen=True):
    """The whole summary. `aside` counts values set aside by rule; `left_out` what is no part of the case, by reason."""

    course: Course
    baseline: OwnBaseline
    duration: Against
    blood_loss: Against
    exposures: tuple[Exposure, ...]
    seen: tuple[Seen, ...]
    amounts: dict[AmountKind, AmountTotal]
    events: tuple[CaseEvent, ...]
    apgar: tuple[ApgarComponent, ...]
    aside: dict[str, int]

    @property
    def left_out(self) -> dict[str, int]:
        """How many values or versions are no part of the case, by reason."""
        return self.course.left_out


def case_summary(
    course: Course,
    before: Iterable[CourseEntry] = (),
    plan: Plan | None = None,
    recorded: Mapping[AmountKind, Recorded] | None = None,
    refused: int = 0,
    *,
    missed: bool = False,
) -> CaseSummary:
    """The summary of a course as it was assembled; artefacts are set aside here.

    `before`: the record before the operation, for the patient's own baseline. `recorded`: how the site records each
    kind of volume. `refused`: how many versions of the case did not fit, so that nothing is told as its lowest;
    `missed`: whether some may never have come.
    """
    clean = without_artefacts(course)
    plan = plan or Plan()
    baseline = own_baseline(before, clean.case.start)
    own: dict[Signal, float] = {} if baseline.value is None else {"mean-pressure": baseline.value}
    ways = recorded or {}
    amounts = {kind: amount_total(clean, kind, ways.get(kind, "unstated")) for kind in AMOUNTS}
    aside = Counter(one.rule for trace in clean.traces for one in trace.aside)
    return CaseSummary(
        clean,
        baseline,
        _duration(clean, plan),
        _loss(amounts["blood-loss"], plan),
        exposures(clean, own),
        tuple(_seen(clean, signal) for signal in RULES),
        amounts,
        clean.events,
        apgar_components(clean, amounts["blood-loss"], refused, missed=missed),
        dict(sorted(aside.items())),
    )


def _duration(course: Course, plan: Plan) -> Against:
    case = course.case
    if case.start is None or case.end is None or not case.ended:
        return Against(None, plan.minutes, case.reason or NOT_ENDED)
    return Against((case.end - case.start) / 60, plan.minutes, "" if plan.minutes is not None else NOT_PLANNED)


def _loss(total: AmountTotal, plan: Plan) -> Against:
    if not total.exact:
        return Against(None, plan.blood_loss, total.reason or "read-in-two-ways")
    return Against(total.low, plan.blood_loss, "" if plan.blood_loss is not None else NOT_PLANNED)


def _seen(course: Course, signal: Signal) -> Seen:
    found = steps(course, signal)
    start = course.case.start
    values = [step.sample.value for step in found]
    aside = tuple(one for trace in course.of(signal) for one in trace.aside)
    return Seen(
        signal,
        observed_s(found) / 60,
        () if start is None else tuple(gaps(found, start, ends_at(course))),
        min(values, default=None),
        max(values, default=None),
        tuple(sorted(aside, key=lambda one: one.sample.at)),
        sum(part.about == signal for part in course.unread),
    )

"""One case as it may be shown: its course, what left its band, what is missing, and the summary once it has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from fhir_mappings.during import assembling, notices
from fhir_mappings.during.amount_totals import Recorded
from fhir_mappings.during.apgar_inputs import apgar_values
from fhir_mappings.during.case_content import CaseContent
from fhir_mappings.during.case_summary import CaseSummary, Plan, case_summary
from fhir_mappings.during.case_times import case_times
from fhir_mappings.during.course import AmountKind, CaseTimes, Course, CourseEntry, Signal
from fhir_mappings.during.filing import birth_date, newest_times
from fhir_mappings.during.notices import Notice, Stopped
from fhir_mappings.fhir.clock import Clock
from fhir_mappings.fhir.resources import Patient
from fhir_mappings.patient import demographics
from models_onnx import after_operation
from models_onnx.model_card import ModelError
from models_onnx.registry import Registry
from models_onnx.score import Score

_ENTRY = msgspec.json.Decoder(CourseEntry)


class CaseView(msgspec.Struct, frozen=True):
    """A case as of one instant; `apgar` None where it cannot be counted or is not served here."""

    summary: CaseSummary
    notices: tuple[Notice, ...]
    stopped: tuple[Stopped, ...]
    zone: ZoneInfo
    age: float | None = None
    apgar: Score | None = None

    @property
    def course(self) -> Course:
        """The course without what was set aside."""
        return self.summary.course

    @property
    def ended(self) -> bool:
        """Whether its end was recorded."""
        return self.course.case.ended


def entries_of(content: CaseContent) -> list[CourseEntry]:
    """What was kept, as it was read, in an order that does not depend on that of arrival."""
    return [_ENTRY.decode(body) for body in content.observations]


def times_of(content: CaseContent, zone: ZoneInfo, at: datetime) -> CaseTimes:
    """When the case began and ended, as it is recorded; nothing else is looked at."""
    return case_times(newest_times(content.times, zone), zone, at.timestamp())


def view(
    entries: Sequence[CourseEntry],
    content: CaseContent,
    zone: ZoneInfo,
    at: datetime,
    *,
    models: Registry,
    plan: Plan | None = None,
    recorded: Mapping[AmountKind, Recorded] | None = None,
) -> CaseView:
    """The case as it is known at an instant. `content`: its times, births, and how many did not fit; `entries`
    are its Observations. `recorded`: how each kind of volume is recorded.
    """
    case = times_of(content, zone, at)
    summary = case_summary(
        assembling.course_of(entries, case, at.timestamp()),
        before=entries,
        plan=plan,
        recorded=recorded,
        refused=content.refused,
        missed=content.missed,
    )
    own: dict[Signal, float] = {}
    if summary.baseline.value is not None:
        own["mean-pressure"] = summary.baseline.value
    marked, stopped = notices.notices(summary.course, own), notices.stopped(summary.course)
    age = _age(birth_date(content.births, zone), case.start, zone)
    return CaseView(summary, marked, stopped, zone, age, _apgar(summary, age, models) if case.ended else None)


def _age(born: str | None, start: float | None, zone: ZoneInfo) -> float | None:
    """The youngest that the patient could be at the start, years; None where the birth or the start is not known."""
    if born is None or start is None:
        return None
    someone = demographics.person(Patient(birth_date=born))
    begun = datetime.fromtimestamp(start, zone)
    return demographics.youngest(demographics.age(someone, None, Clock(begun, zone, begun.date())))


def _apgar(summary: CaseSummary, age: float | None, models: Registry) -> Score | None:
    """The score on which every reading of the record agrees."""
    try:
        scores = [after_operation.score_after(models, values) for values in apgar_values(summary.apgar, age)]
    except ModelError:
        return None
    return after_operation.one_score(scores)

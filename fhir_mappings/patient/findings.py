"""Coded findings of imaging and genetics: shown with source and date; genetic results are never scored (DEC-34)."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

import msgspec
from msgspec import Struct

from fhir_mappings.fhir.clock import Clock
from fhir_mappings.fhir.coverage import Coverage
from fhir_mappings.fhir.dates import Moment
from fhir_mappings.fhir.elements import ABSENT, NO_CODE, CodeableConcept
from fhir_mappings.fhir.resources import UNREADABLE_JSON, DiagnosticReport, Valued
from fhir_mappings.patient.diagnoses import Diagnoses
from fhir_mappings.patient.diagnosis_features import EITHER, present, yes
from fhir_mappings.patient.questionnaire_answers import answered
from fhir_mappings.results.feature import Feature
from fhir_mappings.results.observations import RecordedByInput
from fhir_mappings.results.quantities import Reading, absent, rejected
from fhir_mappings.results.result_time import STALE, in_window, written_time
from fhir_mappings.terminology.concept_maps import Vocabulary
from fhir_mappings.terminology.understanding import Counted, of_concept

IMAGING_DAYS = 365
_GENETIC_DAYS = 36_525  # a genome does not change; a hundred years
_GRADES = ("none", "mild", "moderate", "severe")
# What a report's coded conclusion may say.
_CONCLUDED_GRADES = tuple(f"lumbar-stenosis-{grade}" for grade in _GRADES)
_GRADED_BY = ("lumbar-stenosis-grade", *_CONCLUDED_GRADES)
CONCLUDED = (*_CONCLUDED_GRADES, "spondylolisthesis")
# https://hl7.org/fhir/R4/valueset-diagnostic-report-status.html: these conclude; those do not yet, or are withdrawn. Of
# any other status, or of none, nobody knows which.
_USABLE = frozenset({"final", "amended", "corrected", "appended"})
# Of the laboratory; a pathologist's report is not, for that may be of a vertebra.
# https://terminology.hl7.org/CodeSystem-v2-0074.html, https://terminology.hl7.org/CodeSystem-observation-category.html
_SECTION = "http://terminology.hl7.org/CodeSystem/v2-0074"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_LABORATORY = {(_CATEGORY, "laboratory")} | {
    (_SECTION, code) for code in ("LAB", "BG", "BLB", "CH", "HM", "IMM", "MB", "MCB", "MYC", "SR", "TX", "VR")
}
_CATEGORIES = msgspec.json.Decoder(list[CodeableConcept])
_NOT_CONCLUDED = frozenset({"registered", "partial", "preliminary", "cancelled", "entered-in-error"})


class Conclusion(Struct, frozen=True, gc=False):
    """One coded conclusion of a report, by what it means. `placed`: why its time says nothing, "" where it does."""

    source: str
    ideas: tuple[str, ...]
    when: Moment | None
    placed: str = ""
    flags: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[bool, float, str]:
        """The latest first; of no certain time last."""
        return bool(self.placed), -self.when.time.timestamp() if self.when else 0.0, self.source


def conclusions(
    reports: Iterable[DiagnosticReport], words: Vocabulary, now: Clock
) -> tuple[tuple[Conclusion, ...], Counted]:
    """The coded conclusions of the last year's reports, the latest first, and which were not understood.

    Last those of which it cannot be told whether they are of that year: they are told and not used. Text is never read:
    a report that concludes in words only is not understood, but of the laboratory none concludes anything of the spine.
    """
    found, counted = [], Counted()
    for report in reports:
        counted.read += 1
        written, issued_only = written_time(report)
        when, placed = in_window(written, IMAGING_DAYS, now)
        if report.status in _NOT_CONCLUDED or placed == STALE:
            continue
        codings = [coding for concept in report.conclusion_code for coding in concept.coding]
        ideas = tuple(idea for one in codings for idea in words.ideas(one.system, one.code))
        missed = next(
            ((why, one) for one in report.conclusion_code or (NO_CODE,) if (why := of_concept(one, words))), None
        )
        if missed and _is_of_laboratory(report):
            missed = None
        if report.status not in _USABLE:
            if ideas or missed:
                counted.add("modifier-unknown", entry=report.id)
            continue
        if ideas:
            flags = ("issued-time",) if issued_only else ()
            found.append(Conclusion(f"DiagnosticReport/{report.id or ''}", ideas, when, placed, flags))
        if missed:
            counted.add(*missed, entry=report.id)
    return tuple(sorted(found, key=attrgetter("rank"))), counted


def _is_of_laboratory(report: DiagnosticReport) -> bool:
    """Whether its categories say so, and none that is known says otherwise."""
    try:
        categories = _CATEGORIES.decode(report.written_category) if report.written_category is not ABSENT else []
    except UNREADABLE_JSON:
        return False
    codings = {(one.system, one.code) for concept in categories for one in concept.coding}
    return bool(codings) and codings <= _LABORATORY


def stenosis_grade(
    recorded: RecordedByInput, reports: tuple[Conclusion, ...], words: Vocabulary, seen: Coverage, now: Clock
) -> Feature:
    """Lumbar stenosis: none, mild, moderate or severe, from the site's item, else the latest report's conclusion."""
    name = "lumbar_stenosis_grade"
    arguments = (recorded, words, seen, now)
    answer = answered(name, "lumbar-stenosis-grade", IMAGING_DAYS, _grade, arguments)
    if answer.usable:
        return answer
    for report in reports:
        grades = _grades(set(report.ideas))
        if grades and report.placed:
            return _not_placed(name, report) if answer.reason == "never-recorded" else answer
        if len(grades) > 1:
            return Feature(name=name, status="conflicting", source=report.source, reason="two-concepts")
        if grades:
            return _told(name, grades[0], report)
    mapped = any(map(words.means_something, _GRADED_BY))
    return answer if mapped else Feature(name=name, status="missing", reason="no-site-map", flags=answer.flags)


def _grades(ideas: set[str]) -> list[str]:
    return [grade for grade in _GRADES if f"lumbar-stenosis-{grade}" in ideas]


def _told(name: str, value: str, report: Conclusion) -> Feature:
    when = report.when
    return Feature(
        name=name,
        status="used",
        value=value,
        model_value=value,
        time=when.time if when else None,
        date_only=when.date_only if when else False,
        source=report.source,
        flags=report.flags,
    )


def _not_placed(name: str, report: Conclusion, could_be: tuple[bool, ...] = ()) -> Feature:
    """Concluded in a report of no certain time: neither used nor told as absent."""
    return Feature(
        name=name,
        status="rejected",
        source=report.source,
        reason=report.placed,
        flags=report.flags,
        could_be=could_be,
    )


def _grade(valued: Valued, words: Vocabulary) -> Reading:
    grades = _grades(_ideas(valued, words))
    if len(grades) > 1:
        return Reading("conflicting", reason="two-concepts")
    return _read(grades[0] if grades else None, valued)


def _ideas(valued: Valued, words: Vocabulary) -> set[str]:
    codings = valued.value_codeable_concept.coding if valued.value_codeable_concept else ()
    return {idea for one in codings for idea in words.ideas(one.system, one.code)}


def _read(value: str | bool | None, valued: Valued) -> Reading:
    if value is None:
        has_value = valued.value_codeable_concept is not None or valued.value_string is not None
        return rejected("answer-unknown") if has_value else absent(valued.data_absent_reason)
    return Reading("used", value=value, model_value=value)


def spondylolisthesis(diagnoses: Diagnoses, reports: tuple[Conclusion, ...], seen: Coverage) -> Feature:
    """Whether a vertebra has slipped: a current diagnosis, or the coded conclusion of a report within a year."""
    name = idea = "spondylolisthesis"
    by_diagnosis = present(name, idea, diagnoses, seen)
    report = next((one for one in reports if idea in one.ideas), None)
    if report is None or by_diagnosis.value is True:
        return by_diagnosis
    return _not_placed(name, report, EITHER) if report.placed else yes(name, report.source, report.when, report.flags)


def genetic_finding(recorded: RecordedByInput, words: Vocabulary, seen: Coverage, now: Clock) -> Feature:
    """Whether the latest coded genetic result found a variant. Never an input of a score (DEC-34)."""
    return answered("genetic_finding", "genetic-finding", _GENETIC_DAYS, _variant, (recorded, words, seen, now))


def _variant(valued: Valued, words: Vocabulary) -> Reading:
    ideas = _ideas(valued, words)
    found = [value for value in ("present", "absent") if f"genetic-finding-{value}" in ideas]
    return _read(found[0] == "present" if len(found) == 1 else None, valued)

"""What was done before: spine surgery at any time, dialysis within 14 days (inputs sections 5 and 7)."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from fhir_mappings.clock import Clock, is_ahead, placed
from fhir_mappings.concept_maps import Vocabulary
from fhir_mappings.coverage import Coverage, together
from fhir_mappings.dates import Moment, moment
from fhir_mappings.diagnoses import Diagnoses
from fhir_mappings.diagnosis_features import no, told, yes
from fhir_mappings.feature import Feature
from fhir_mappings.procedures import SPINE_GROUPS
from fhir_mappings.resources import Procedure

_DIALYSIS_DAYS = 14  # NSQIP


class PastProcedure(Struct, frozen=True, gc=False):
    """A completed procedure that means something to an input."""

    source: str
    ideas: tuple[str, ...]
    when: Moment | None


def read(procedures: Iterable[Procedure], words: Vocabulary, now: Clock) -> tuple[PastProcedure, ...]:
    """The completed procedures before the hook, by what their codes mean; one without a date is past all the same."""
    found = []
    for procedure in procedures:
        if procedure.status != "completed":
            continue
        ideas = tuple(idea for coding in procedure.code.coding for idea in words.ideas(coding.system, coding.code)) or (
            words.ideas_of_text(procedure.code.text) if procedure.code.text and not procedure.code.coding else ()
        )
        if ideas:
            period = procedure.performed_period
            text = procedure.performed_date_time or ((period.end or period.start) if period else None)
            when = moment(text, now.zone)
            if when is None or not is_ahead(when, now):
                found.append(PastProcedure(f"Procedure/{procedure.id or ''}", ideas, when))
    return tuple(found)


def _of(past: tuple[PastProcedure, ...], ideas: frozenset[str], without: str = "") -> list[PastProcedure]:
    found = [one for one in past if ideas.intersection(one.ideas) and one.source != without]
    return sorted(found, key=lambda one: (-(one.when.time.timestamp() if one.when else 0.0), one.source))


def previous_spine_surgery(
    past: tuple[PastProcedure, ...], diagnoses: Diagnoses, seen: tuple[Coverage, Coverage], planned: str
) -> Feature:
    """Whether the spine was operated on before: a procedure, or a diagnosis that follows one. Never the planned one."""
    name = "previous_spine_surgery"
    procedures_seen, diagnoses_seen = seen
    if done := _of(past, SPINE_GROUPS, planned):
        return yes(name, done[0].source, done[0].when, procedures_seen.flags)
    if matches := diagnoses.of("spine-surgery-history"):
        return told(name, matches, diagnoses_seen.flags)
    return no(name, together(seen))


def dialysis(
    past: tuple[PastProcedure, ...], diagnoses: Diagnoses, seen: tuple[Coverage, Coverage], now: Clock
) -> Feature:
    """Whether the patient depends on dialysis, or had any within 14 days.

    N18.6 says so by ICD's own definition, unless a kidney transplant is current.
    """
    procedures_seen, diagnoses_seen = seen
    if matches := diagnoses.of("dialysis-dependence"):
        return told("dialysis", matches, diagnoses_seen.flags)
    if not diagnoses.of("kidney-transplant") and (matches := diagnoses.of("end-stage-kidney-disease")):
        return told("dialysis", matches, diagnoses_seen.flags)
    for one in _of(past, frozenset({"dialysis-procedure"})):
        if one.when is not None and not placed(one.when, _DIALYSIS_DAYS, now):
            return yes("dialysis", one.source, one.when, procedures_seen.flags)
    return no("dialysis", together(seen))

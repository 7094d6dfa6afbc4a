"""What was done before: spine surgery at any time, dialysis within 14 days (inputs 5 and 7)."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from fhir_mappings.fhir.clock import Clock, is_ahead, placed
from fhir_mappings.fhir.coverage import Coverage, together
from fhir_mappings.fhir.dates import Moment, moment
from fhir_mappings.fhir.resources import Procedure
from fhir_mappings.patient.diagnoses import Diagnoses
from fhir_mappings.patient.diagnosis_features import no, present_by, yes
from fhir_mappings.results.feature import Feature
from fhir_mappings.terminology.concept_maps import Vocabulary
from fhir_mappings.terminology.procedure_groups import SPINE_GROUPS
from fhir_mappings.terminology.understanding import Counted, of_concept

_DIALYSIS_DAYS = 14  # NSQIP
# https://hl7.org/fhir/R4/valueset-event-status.html; another, or none, leaves open whether it was done.
_STATUSES = frozenset(
    {"preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "entered-in-error", "unknown"}
)


class PastProcedure(Struct, frozen=True, gc=False):
    """A completed procedure that means something to an input."""

    source: str
    ideas: tuple[str, ...]
    when: Moment | None


def read_procedures(
    procedures: Iterable[Procedure], words: Vocabulary, now: Clock
) -> tuple[tuple[PastProcedure, ...], Counted]:
    """The completed procedures before the hook by what their codes mean, and which entries were not understood.

    One without a date is past all the same.
    """
    found, counted = [], Counted()
    for procedure in procedures:
        counted.read += 1
        ideas = _ideas(procedure, words)
        why = None if ideas else of_concept(procedure.code, words)
        if procedure.status not in _STATUSES:
            why = why or "modifier-unknown"
        elif procedure.status != "completed":
            continue
        period = procedure.performed_period
        text = procedure.performed_date_time or ((period.end or period.start) if period else None)
        when = moment(text, now.zone)
        if when is not None and is_ahead(when, now):
            continue
        if why is not None:
            long_ago = when is not None and placed(when, _DIALYSIS_DAYS, now) == "stale"
            counted.add(why, procedure.code, entry=procedure.id, over=long_ago)
        elif ideas:
            found.append(PastProcedure(f"Procedure/{procedure.id or ''}", ideas, when))
    return tuple(found), counted


def _ideas(procedure: Procedure, words: Vocabulary) -> tuple[str, ...]:
    codings, text = procedure.code.coding, procedure.code.text
    if not codings:
        return words.ideas_of_text(text) if text else ()
    return tuple(idea for coding in codings for idea in words.ideas(coding.system, coding.code))


def _of(past: tuple[PastProcedure, ...], ideas: frozenset[str], without: str = "") -> list[PastProcedure]:
    found = [one for one in past if ideas.intersection(one.ideas) and one.source != without]
    return sorted(found, key=lambda one: (-(one.when.time.timestamp() if one.when else 0.0), one.source))


def previous_spine_surgery(
    past: tuple[PastProcedure, ...],
    diagnoses: Diagnoses,
    *,
    procedures_seen: Coverage,
    diagnoses_seen: Coverage,
    planned: str,
) -> Feature:
    """Whether the spine was operated on before: a procedure, or a diagnosis that follows one. Never the planned one."""
    name = "previous_spine_surgery"
    if done := _of(past, SPINE_GROUPS, planned):
        return yes(name, done[0].source, done[0].when, procedures_seen.flags)
    if matches := diagnoses.of("spine-surgery-history"):
        return present_by(name, matches, diagnoses_seen.flags)
    return no(name, together((procedures_seen, diagnoses_seen.of_current)))


def dialysis(
    past: tuple[PastProcedure, ...],
    diagnoses: Diagnoses,
    *,
    procedures_seen: Coverage,
    diagnoses_seen: Coverage,
    now: Clock,
) -> Feature:
    """Whether the patient depends on dialysis, or had any within 14 days.

    N18.6 says so by ICD's own definition, unless a kidney transplant is current.
    """
    if matches := diagnoses.of("dialysis-dependence"):
        return present_by("dialysis", matches, diagnoses_seen.flags)
    if not diagnoses.of("kidney-transplant") and (matches := diagnoses.of("end-stage-kidney-disease")):
        return present_by("dialysis", matches, diagnoses_seen.flags)
    for one in _of(past, frozenset({"dialysis-procedure"})):
        if one.when is not None and not placed(one.when, _DIALYSIS_DAYS, now):
            return yes("dialysis", one.source, one.when, procedures_seen.flags)
    return no("dialysis", together((procedures_seen.of_current, diagnoses_seen.of_current)))

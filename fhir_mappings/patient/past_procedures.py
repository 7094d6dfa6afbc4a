"""What was done before: spine surgery at any time, dialysis within 14 days (inputs 5 and 7)."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from fhir_mappings.fhir.clock import Clock, could_be_within, is_ahead, is_future, placed
from fhir_mappings.fhir.coverage import Coverage, together
from fhir_mappings.fhir.dates import Moment, moment
from fhir_mappings.fhir.elements import CodeableConcept
from fhir_mappings.fhir.resources import Procedure
from fhir_mappings.patient.diagnoses import Diagnoses
from fhir_mappings.patient.diagnosis_features import EITHER, no, present_by, yes
from fhir_mappings.results.feature import Feature
from fhir_mappings.terminology.code_systems import ICD_DIAGNOSES
from fhir_mappings.terminology.concept_maps import Vocabulary
from fhir_mappings.terminology.procedure_groups import SPINE_GROUPS
from fhir_mappings.terminology.understanding import Counted, of_concept

_DIALYSIS_DAYS = 14  # NSQIP
_LONGEST_OPERATION_DAYS = 1  # decision: what began earlier is no operation that still goes on
# https://hl7.org/fhir/R4/valueset-event-status.html. Any other status than these and `completed`, or none, leaves open
# whether it was done: begun and not ended as planned, "unknown" by its own word, or a word that is none of FHIR's. What
# is under way is no earlier operation, but a treatment that the patient has.
_NOT_BEGUN = frozenset({"preparation", "not-done", "entered-in-error"})
_UNDER_WAY = frozenset({"in-progress", "on-hold"})
_DIALYSIS = "dialysis-procedure"
_IMPRECISE, _UNREADABLE = "date-imprecise", "date-unreadable"
_ASKED = SPINE_GROUPS | {_DIALYSIS}


class PastProcedure(Struct, frozen=True, gc=False):
    """A completed procedure that means something to an input. `open_ended`: why no day of its end is known.

    `ahead`: it is of after the hook, by no more than clocks and zones differ, and may be done or not. `no_operation`:
    one that was not understood, and that is no earlier operation of the spine whatever it is.
    """

    source: str
    ideas: tuple[str, ...]
    when: Moment | None
    open_ended: str = ""
    no_operation: bool = False
    ahead: bool = False


def read_procedures(
    procedures: Iterable[Procedure], words: Vocabulary, now: Clock
) -> tuple[tuple[PastProcedure, ...], Counted]:
    """The completed procedures before the hook by what their codes mean, and which entries were not understood.

    One without a date is past all the same.
    """
    found, counted = [], Counted()
    for procedure in procedures:
        counted.read += 1
        code = _of_operations(procedure.code, words)
        ideas = _ideas(code, words)
        why = None if ideas else (of_concept(code, words) if code else "code-not-listed")
        if (not ideas and why is None) or not _may_be_done(procedure.status, ideas):
            continue
        if procedure.status != "completed":
            why = why or "modifier-unknown"
        when, open_ended = _performed(procedure, now)
        if when is not None and is_future(when, now):
            continue
        if why is None:
            ahead = when is not None and is_ahead(when, now)
            found.append(PastProcedure(f"Procedure/{procedure.id or ''}", ideas, when, open_ended, ahead=ahead))
            continue
        goes_on = procedure.status in _UNDER_WAY and _goes_on(procedure, when, now)
        no_dialysis = bool(ideas) and _DIALYSIS not in ideas
        if not (goes_on and no_dialysis):
            over = no_dialysis or _is_long_ago(procedure, when, open_ended, now)
            counted.add(why, procedure.code, entry=procedure.id, over=over)
            if goes_on or (ideas and SPINE_GROUPS.isdisjoint(ideas)):
                found.append(PastProcedure("", (), when, no_operation=True))
    return tuple(found), counted


def _may_be_done(status: str | None, ideas: tuple[str, ...]) -> bool:
    """Whether an entry that no rule calls irrelevant could say of something that it was done, or is being done."""
    if status == "completed":
        return True
    return status not in _NOT_BEGUN and (not ideas or not _ASKED.isdisjoint(ideas))


def _goes_on(procedure: Procedure, when: Moment | None, now: Clock) -> bool:
    """Whether what is under way by its status began a day ago at most and has not ended: no earlier operation.

    Else the status may never have been closed, as it is left of operations of years ago.
    """
    period = procedure.performed_period
    if period is not None and period.end:
        end = moment(period.end, now.zone)
        if end is None or not is_ahead(end, now):
            return False
    return when is not None and not placed(when, _LONGEST_OPERATION_DAYS, now)


def _performed(procedure: Procedure, now: Clock) -> tuple[Moment | None, str]:
    """When it was done, and why no day of its end is known, as a reason of an input.

    A period by its end, or by its beginning where that is open or still to come.
    """
    period = procedure.performed_period
    if procedure.performed_date_time is not None or period is None:
        when = moment(procedure.performed_date_time, now.zone)
        return when, _UNREADABLE if when is None and procedure.performed_date_time else ""
    end, start = moment(period.end, now.zone), moment(period.start, now.zone)
    if end is not None and not (period.start and is_ahead(end, now)):
        return end, ""
    if end is None and (period.end or (period.start and start is None)):
        return start, _UNREADABLE
    return start, _IMPRECISE


def _is_long_ago(procedure: Procedure, when: Moment | None, open_ended: str, now: Clock) -> bool:
    """Whether what was not understood is over, were it a dialysis: what is completed, by its beginning if need be.

    Of a dialysis that is known to be one, a beginning alone leaves open whether it goes on. What is under way by its
    status and ended by its period contradicts itself: it may go on.
    """
    if procedure.status in _UNDER_WAY:
        return False
    period = procedure.performed_period
    is_over = not open_ended or (procedure.status == "completed" and not (period and period.end))
    return is_over and when is not None and placed(when, _DIALYSIS_DAYS, now) == "stale"


def names_no_operation(system: str | None, code: str | None, words: Vocabulary) -> bool:
    """Whether a code is of a system of diagnoses, which classifies no operation, and the site says no more of it.

    ICD-9-CM numbers its operations apart: 81.08, a fusion, would be 810.8, a broken clavicle.
    https://www.cdc.gov/nchs/icd/icd9cm.htm (volume 3).
    """
    if words.maps.canonical(system) not in ICD_DIAGNOSES:
        return False
    return all(target in ICD_DIAGNOSES for target, _ in words.maps.translate(system or "", code or ""))


def _of_operations(concept: CodeableConcept, words: Vocabulary) -> CodeableConcept | None:
    """The concept without what names no operation; None where nothing else is coded."""
    kept = tuple(one for one in concept.coding if not names_no_operation(one.system, one.code, words))
    if len(kept) == len(concept.coding):  # nearly always
        return concept
    return CodeableConcept(kept, concept.text) if kept else None


def _ideas(code: CodeableConcept | None, words: Vocabulary) -> tuple[str, ...]:
    codings, text = (code.coding, code.text) if code else ((), None)
    if not codings:
        return words.ideas_of_text(text) if text else ()
    return tuple(idea for coding in codings for idea in words.ideas(coding.system, coding.code))


def _of(past: tuple[PastProcedure, ...], ideas: frozenset[str], without: str = "") -> list[PastProcedure]:
    found = [one for one in past if ideas.intersection(one.ideas) and one.source != without and not one.ahead]
    return sorted(found, key=lambda one: (-(one.when.time.timestamp() if one.when else 0.0), one.source))


def _seen(seen: Coverage, past: tuple[PastProcedure, ...], ideas: frozenset[str], without: str = "") -> Coverage:
    """How far the list was seen where one of the ideas is dated a little after the hook."""
    ahead = any(one.ahead and ideas.intersection(one.ideas) and one.source != without for one in past)
    return seen.in_doubt("future") if ahead else seen


def previous_spine_surgery(
    past: tuple[PastProcedure, ...],
    diagnoses: Diagnoses,
    *,
    procedures_seen: Coverage,
    diagnoses_seen: Coverage,
    planned: str,
) -> Feature:
    """Whether the spine was operated on before: a procedure, or a diagnosis that follows one. Never the planned one.

    What goes on, whatever it is, is no earlier operation; what is only left under way by its status may be one.
    """
    name = "previous_spine_surgery"
    if done := _of(past, SPINE_GROUPS, planned):
        return yes(name, done[0].source, done[0].when, procedures_seen.flags)
    if matches := diagnoses.of("spine-surgery-history"):
        return present_by(name, matches, diagnoses_seen.flags)
    done_seen = procedures_seen.without(sum(one.no_operation for one in past))
    done_seen = _seen(done_seen, past, SPINE_GROUPS, planned)
    return no(name, together((done_seen, diagnoses.seen(diagnoses_seen, "spine-surgery-history", current=True))))


def dialysis(
    past: tuple[PastProcedure, ...],
    diagnoses: Diagnoses,
    *,
    procedures_seen: Coverage,
    diagnoses_seen: Coverage,
    now: Clock,
) -> Feature:
    """Whether the patient depends on dialysis, or had any within 14 days.

    N18.6 says so by ICD's own definition, unless a kidney transplant is current. One of no certain day could be within
    them: that is told, and not that there was none.
    """
    if matches := diagnoses.of("dialysis-dependence"):
        return present_by("dialysis", matches, diagnoses_seen.flags)
    if not diagnoses.of("kidney-transplant") and (matches := diagnoses.of("end-stage-kidney-disease")):
        return present_by("dialysis", matches, diagnoses_seen.flags)
    done = _of(past, frozenset({_DIALYSIS}))
    for one in done:
        if one.when is not None and not placed(one.when, _DIALYSIS_DAYS, now):
            return yes("dialysis", one.source, one.when, procedures_seen.flags)
    depends = diagnoses.seen(diagnoses_seen, "dialysis-dependence", "end-stage-kidney-disease", current=True)
    seen = together((_seen(procedures_seen.of_current, past, frozenset({_DIALYSIS})), depends))
    undated = next((one for one in done if _could_be_recent(one, now)), None)
    if undated is None or seen.gap:
        return no("dialysis", seen)
    return Feature(
        name="dialysis",
        status="missing",
        source=undated.source,
        reason=undated.open_ended or (_IMPRECISE if undated.when else "undated"),
        flags=seen.flags,
        could_be=EITHER,
    )


def _could_be_recent(one: PastProcedure, now: Clock) -> bool:
    return one.when is None or bool(one.open_ended) or could_be_within(one.when, _DIALYSIS_DAYS, now)

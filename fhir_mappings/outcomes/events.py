"""Outcomes that a diagnosis or a procedure tells: recorded, followed without one, or unknown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from msgspec import Struct

from fhir_mappings.fhir.resources import Condition
from fhir_mappings.outcomes import code_meaning, derived, timing
from fhir_mappings.outcomes.deaths import followed_through
from fhir_mappings.outcomes.derived import DerivedOutcome, Unknown
from fhir_mappings.outcomes.followed_person import NOT_DONE, DatedDiagnosis, DatedProcedure, FollowedPerson
from fhir_mappings.outcomes.operated import Operated
from fhir_mappings.outcomes.outcome_definitions import OutcomeDefinition
from fhir_mappings.outcomes.timing import Placed
from fhir_mappings.patient.doubtful_diagnoses import certainty
from fhir_mappings.terminology.code_systems import compared

# https://hl7.org/fhir/R4/valueset-condition-ver-status.html, and the URI that STU3 had for the same codes.
_VERIFICATION = frozenset(
    map(
        compared,
        ("http://terminology.hl7.org/CodeSystem/condition-ver-status", "http://hl7.org/fhir/condition-ver-status"),
    )
)
_WITHDRAWN = frozenset({"refuted", "entered-in-error"})
_NOT_SURE = frozenset({"unconfirmed", "provisional", "differential"})


class Finding(Struct, frozen=True):
    """An entry that is the outcome (`open`: None), or that leaves open whether it is, and why."""

    source: str
    day: date | None = None
    open: Unknown | None = None


def event(person: FollowedPerson, operation: Operated, of: OutcomeDefinition, *, vouched: bool) -> DerivedOutcome:
    """What the diagnoses and procedures say of the outcome."""
    found = [*_of_diagnoses(person, operation, of), *_of_procedures(person, operation, of)]
    found += _of_signs(person, operation, of)
    unread = (of.reads_conditions and person.unread.get("Condition", 0)) or (
        of.reads_procedures and person.unread.get("Procedure", 0)
    )
    why = _why_unknown(person, operation, of) or (None if vouched else "not-vouched")
    return _decided(person, operation, of, found, "not-understood" if unread else why)


def reoperation(person: FollowedPerson, operation: Operated, of: OutcomeDefinition) -> DerivedOutcome:
    """Whether another operation was done on a later day."""
    first, last = operation.day + timedelta(days=1), timing.window_ends(operation, of.horizon_days)
    found = []
    for one in person.procedures:
        if one.source == operation.source:
            continue
        meaning = code_meaning.of_operation(one.procedure.code, person.words)
        placed = timing.of_procedure(one.when, operation, first=first, last=last)
        found += _finding(one, meaning == "is", meaning == "other", placed)
    why = _why_unknown(person, operation, of)
    return _decided(person, operation, of, found, "not-understood" if person.unread.get("Procedure") else why)


def _decided(
    person: FollowedPerson,
    operation: Operated,
    of: OutcomeDefinition,
    found: list[Finding],
    unknown: Unknown | None,
) -> DerivedOutcome:
    """True by one entry that is it; else unknown by one that could be, or by what was not seen; else false."""
    through = followed_through(person, operation)
    certain = [one for one in found if one.open is None]
    if certain:
        days = [one.day for one in certain if one.day is not None]
        first = min(days) if len(days) == len(certain) else None
        return derived.happened(of.name, first, through, tuple(one.source for one in certain))
    opened = [(one.open, one.source) for one in found if one.open is not None]
    if opened:
        return derived.unknown(of.name, opened[0][0], through, tuple(source for _, source in opened))
    return derived.did_not(of.name, through) if unknown is None else derived.unknown(of.name, unknown, through)


def _of_diagnoses(person: FollowedPerson, operation: Operated, of: OutcomeDefinition) -> Iterator[Finding]:
    if not of.reads_conditions:
        return
    last = timing.window_ends(operation, of.horizon_days)
    for one in person.diagnoses:
        meaning = code_meaning.of_diagnosis(one.condition.code, of, person.words)
        standing = _standing(one.condition)
        if meaning == "other" or standing == "withdrawn":
            continue
        after = meaning == "postoperative"
        placed = timing.of_diagnosis(one, person, operation, last=last, postoperative=after)
        if placed.day is not None and placed.day < operation.day + timedelta(days=of.earliest_day):
            placed = timing.UNCLEAR
        if placed.place in ("before", "beyond"):
            continue
        if meaning in ("could", "unknown") or standing == "unclear":
            yield Finding(one.source, open="not-understood")
        elif standing == "not-confirmed":
            yield Finding(one.source, open="not-confirmed")
        else:
            yield Finding(one.source, placed.day, None if placed.place == "within" else "onset-unknown")


def _of_signs(person: FollowedPerson, operation: Operated, of: OutcomeDefinition) -> Iterator[Finding]:
    """What stands beside the Conditions leaves open. A reason of a visit that is not understood says nothing."""
    if not of.reads_conditions:
        return
    last = timing.window_ends(operation, of.horizon_days)
    for one in person.signs:
        if one.was_before(operation.day) or one.comes_after(last):
            continue
        meaning = code_meaning.of_diagnosis(one.concept, of, person.words) if one.concept is not None else "unknown"
        is_it = meaning in ("is", "postoperative")
        if meaning == "other" or (one.kind == "reason" and meaning == "unknown"):
            continue
        if one.kind == "reason" and is_it:
            yield Finding(one.source, open="not-confirmed")
        else:
            yield Finding(one.source, open="onset-unknown" if is_it else "not-understood")


def _standing(condition: Condition) -> str:
    """Whether it was confirmed, by its status and by the certainty of its code; where the two differ, unclear."""
    told, certain = _by_status(condition), certainty(condition.code)
    if certain is None or told == "withdrawn":
        return told
    of_code = {"assured": "confirmed", "excluded": "withdrawn", "suspected": "not-confirmed"}.get(certain, "unclear")
    is_told = condition.verification_status is not None
    return of_code if of_code == told or not is_told else "unclear"


def _by_status(condition: Condition) -> str:
    """Whether it was confirmed; a status of another system than HL7's says nothing that is understood here."""
    status = condition.verification_status
    if status is None or not (status.coding or status.text):
        return "confirmed"
    codes = {one.code for one in status.coding if one.code and compared(one.system or "") in _VERIFICATION}
    if codes == {"confirmed"}:
        return "confirmed"
    if codes and codes <= _WITHDRAWN:
        return "withdrawn"
    return "not-confirmed" if codes and codes <= _NOT_SURE else "unclear"


def _of_procedures(person: FollowedPerson, operation: Operated, of: OutcomeDefinition) -> Iterator[Finding]:
    if not of.reads_procedures:
        return
    last = timing.window_ends(operation, of.horizon_days)
    for one in person.procedures:
        if one.source == operation.source:
            continue
        meaning, from_day = code_meaning.of_procedure(one.procedure.code, of, person.words)
        first = operation.day + timedelta(days=from_day)
        placed = timing.of_procedure(one.when, operation, first=first, last=last)
        yield from _finding(one, meaning == "is", meaning == "other", placed)


def _finding(one: DatedProcedure, is_it: bool, is_other: bool, placed: Placed) -> list[Finding]:
    """What one procedure says; one that was not completed, and not given up, may have been done."""
    status = one.procedure.status
    if is_other or status in NOT_DONE or placed.place in ("before", "beyond"):
        return []
    if not is_it or status != "completed":
        return [Finding(one.source, open="not-understood")]
    return [Finding(one.source, placed.day, None if placed.place == "within" else "onset-unknown")]


def _why_unknown(person: FollowedPerson, operation: Operated, of: OutcomeDefinition) -> Unknown | None:
    """Why nothing recorded is no "no"; None where somebody looked, to the end."""
    last = timing.window_ends(operation, of.horizon_days)
    if person.now.today < last:
        return "not-yet"
    if operation.stay is None:
        return "no-stay"
    if operation.stay.end is None:
        return "stay-open"
    if of.reads_conditions and not any(_codes(one, operation, person, of) for one in person.diagnoses):
        return "stay-not-coded"
    return away(person, operation, last)


def away(person: FollowedPerson, operation: Operated, last: date) -> Unknown | None:
    """Whether the person was somewhere else within the horizon, or not seen at its end."""
    ends = [one for one in person.stays if one.in_person and one.end is not None and one.start is not None]
    during = [one for one in ends if one.end and operation.day <= one.end.last and one.end.first <= last]
    if any(one.ending == "elsewhere" for one in during):
        return "elsewhere"
    if any(one.ending == "not-understood" for one in during):
        return "not-understood"
    through = followed_through(person, operation)
    return None if through is not None and through >= last else "not-followed"


def _codes(one: DatedDiagnosis, operation: Operated, person: FollowedPerson, of: OutcomeDefinition) -> bool:
    """Whether a diagnosis that is understood shows that the stay was coded."""
    stay = operation.stay
    if stay is None or _standing(one.condition) == "withdrawn":
        return False
    belongs = one.encounter == stay.id or (one.condition.id or "") in stay.roles
    return belongs and code_meaning.of_diagnosis(one.condition.code, of, person.words) != "unknown"

"""Conditions: which diagnoses are present as of the hook, current or by history (inputs 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from msgspec import Struct

from fhir_mappings.fhir.clock import Clock, could_be_within, is_ahead, is_future
from fhir_mappings.fhir.coverage import Coverage
from fhir_mappings.fhir.dates import Moment, moment
from fhir_mappings.fhir.elements import CodeableConcept, Period
from fhir_mappings.fhir.resources import Condition
from fhir_mappings.patient.condition_codes import ConditionMeaning, meaning_of
from fhir_mappings.patient.doubtful_diagnoses import (
    Certainty,
    as_text,
    certainty,
    has_status,
    has_unread_end,
    is_of_the_family,
    tells_of_end,
    tells_of_onset,
)
from fhir_mappings.terminology.code_systems import canonical
from fhir_mappings.terminology.concept_maps import Vocabulary
from fhir_mappings.terminology.understanding import Counted

# Only codings of these systems decide a status (inputs 5): R4, and the URI that STU3 had for the same codes.
# https://hl7.org/fhir/R4/valueset-condition-clinical.html, https://hl7.org/fhir/R4/valueset-condition-ver-status.html
_CLINICAL = frozenset(
    {"http://terminology.hl7.org/CodeSystem/condition-clinical", "http://hl7.org/fhir/condition-clinical"}
)
_VERIFICATION = frozenset(
    {"http://terminology.hl7.org/CodeSystem/condition-ver-status", "http://hl7.org/fhir/condition-ver-status"}
)
_CURRENT = frozenset({"active", "recurrence", "relapse"})
_OVER = frozenset({"inactive", "remission", "resolved"})
_CONFIRMED = frozenset({"confirmed"})
_NOT_COUNTED = frozenset({"unconfirmed", "provisional", "differential", "refuted", "entered-in-error"})
_IN_ERROR = frozenset({"entered-in-error"})
_NONE: frozenset[str] = frozenset()
_ALONE: dict[str | None, frozenset[str]] = {
    code: frozenset({code}) for code in (*_CURRENT, *_OVER, *_CONFIRMED, *_NOT_COUNTED)
}
_RECENTLY_KNOWN_DAYS = 730  # inputs 5: without a status, a diagnosis counts if known since at most this long


Standing = Literal["current", "history", "unclear"]
Confirmation = Literal["confirmed", "not-counted", "unclear"]


class Diagnosis(Struct, frozen=True, gc=False):
    """One Condition that counts: what it means, whether it is current, and when it began and ended.

    `unclear`: its status, or the date that stands for one, cannot be read. `contradicted`: the ideas of it that another
    of its codes rules out. `categories`: its three-character ICD-10 categories, where a score weighs them (HFRS).
    `vague_onset`, `vague_end`: when it began, or ended, is told in a form that is not read. `is_coded`: its codes are
    understood, whatever is unclear in it.
    """

    source: str
    ideas: tuple[str, ...]
    standing: Standing
    known: Moment | None
    onset: Moment | None
    abatement: Moment | None
    contradicted: frozenset[str] = _NONE
    categories: tuple[str, ...] = ()
    vague_onset: bool = False
    vague_end: bool = False
    is_coded: bool = False

    @property
    def is_vague(self) -> bool:
        """Whether a date of it is told and cannot be read."""
        return self.vague_onset or self.vague_end

    @property
    def may_end_any_day(self) -> bool:
        """Whether its end is told unreadably, or nothing at all is known of when it was."""
        return self.abatement is None and (self.vague_end or self.ended is None)

    @property
    def began(self) -> Moment | None:
        """When it began: onset, else when it was recorded."""
        return self.onset or self.known

    @property
    def ended(self) -> Moment | None:
        """When it ended: abatement, else when it was recorded, else its onset."""
        return self.abatement or self.known or self.onset


class Diagnoses(Struct, frozen=True):
    """The diagnoses that mean something to an input, by clinical idea.

    `unclear`: those that were not understood; `outside_icd`: those without an ICD-10 code, of which a score that weighs
    ICD categories (HFRS) knows nothing. `contradictions`: by idea the source of the first whose codings disagree on it.
    """

    by_idea: Mapping[str, tuple[Diagnosis, ...]] = {}
    unclear: tuple[Diagnosis, ...] = ()
    outside_icd: tuple[Diagnosis, ...] = ()
    contradictions: Mapping[str, str] = {}

    def of(self, *ideas: str, current: bool = True) -> tuple[Diagnosis, ...]:
        """Those that mean any of the ideas, without contradiction; `current` leaves out what is only history."""
        if self.by_idea.keys().isdisjoint(ideas):
            return ()
        found = [one for idea in ideas for one in self.by_idea.get(idea, ()) if idea not in one.contradicted]
        return tuple(one for one in found if one.standing == "current" or not current)

    def contradicts(self, idea: str) -> str | None:
        """The source of a Condition whose codings disagree about the idea."""
        return self.contradictions.get(idea)

    def seen(
        self,
        coverage: Coverage,
        *ideas: str,
        could: Callable[[Diagnosis], bool] | None = None,
        current: bool = False,
    ) -> Coverage:
        """How far the list was seen for an input that a diagnosis of the ideas makes true, if `could` lets it pass.

        One whose codes are understood, and whose standing is not, is of its own ideas only. `current`: those that
        are history count neither among those that are open nor among those left out.
        """
        if current:
            coverage = coverage.of_current
        if not self.contradictions.keys().isdisjoint(ideas):
            coverage = coverage.in_doubt("two-concepts")
        if not self.unclear:
            return coverage
        asked = frozenset(ideas)
        return coverage.without(
            sum(
                (one.is_coded and asked.isdisjoint(one.ideas)) or (could is not None and not could(one))
                for one in self.unclear
                if not (current and one.standing == "history")
            )
        )


def read_conditions(conditions: Iterable[Condition], words: Vocabulary, now: Clock) -> tuple[Diagnoses, Counted]:
    """What the Conditions say as of the hook, and which of them were not understood.

    One that became known only later, or that is not confirmed, is understood and says nothing (DEC-37).
    """
    by_idea: dict[str, list[Diagnosis]] = {}
    contradictions: dict[str, str] = {}
    unclear, outside_icd, counted = [], [], Counted()
    for condition in conditions:
        counted.read += 1
        meant = meaning_of(condition.code, words)
        if meant.of_no_idea:
            continue  # whatever its status
        certain = certainty(condition.code)
        standing = _confirmed(condition, certain)
        diagnosis = _diagnosis(condition, meant, certain, now) if standing != "not-counted" else None
        if diagnosis is None:
            continue
        why, nothing = meant.why, meant.unspecified
        if not meant.in_icd:
            outside_icd.append(diagnosis)
        is_turned = standing == "unclear" or is_of_the_family(condition)
        if why is not None or is_turned or nothing or diagnosis.standing == "unclear":
            unclear.append(diagnosis)
            is_undated = diagnosis.standing == "unclear" and not (is_turned or has_status(condition))
            reason = why or ("unread" if nothing or is_undated else "modifier-unknown")
            counted.add(reason, condition.code, entry=condition.id, over=diagnosis.standing == "history")
        if why is None and not is_turned and meant.of_the_patient:
            for idea in diagnosis.ideas:
                by_idea.setdefault(idea, []).append(diagnosis)
            for idea in diagnosis.contradicted.intersection(diagnosis.ideas):
                contradictions.setdefault(idea, diagnosis.source)
    by_idea_each = {idea: tuple(found) for idea, found in by_idea.items()}
    return Diagnoses(by_idea_each, tuple(unclear), tuple(outside_icd), contradictions), counted


def _codes(concept: CodeableConcept | None, systems: frozenset[str]) -> frozenset[str]:
    """The codes of HL7's own system; what other codings or a text beside them say decides nothing."""
    if concept is None:
        return _NONE
    codings = concept.coding
    if len(codings) == 1 and (coding := codings[0]).system in systems and coding.code in _ALONE:  # nearly always
        return _ALONE[coding.code]
    return frozenset(one.code for one in codings if one.code and canonical(one.system) in systems)


def _confirmed(condition: Condition, certain: Certainty | None) -> Confirmation:
    """Whether it counts; unclear where a status does not say it in HL7's codes, or its code says otherwise."""
    status = condition.verification_status
    codes = _codes(status, _VERIFICATION)
    is_told = status is not None and bool(codes or status.coding or status.text)
    said: Confirmation = "confirmed" if not is_told or codes == _CONFIRMED else "unclear"
    if codes and codes <= _NOT_COUNTED:
        said = "not-counted"
    if certain is None or codes == _IN_ERROR:
        return said
    if certain in ("excluded", "suspected"):
        return "not-counted" if said == "not-counted" or not is_told else "unclear"
    return "confirmed" if said == "confirmed" and certain != "unclear" else "unclear"


def _diagnosis(
    condition: Condition, meant: ConditionMeaning, certain: Certainty | None, now: Clock
) -> Diagnosis | None:
    onset = _first(condition.onset_date_time, condition.onset_period, now, at_end=False)
    onset = onset or moment(as_text(condition.onset_string), now.zone)
    recorded = moment(condition.recorded_date, now.zone)
    known = recorded or onset
    if known is not None and is_future(known, now):
        return None
    abatement = _first(condition.abatement_date_time, condition.abatement_period, now, at_end=True)
    abatement = abatement or moment(as_text(condition.abatement_string), now.zone)
    standing = _standing(condition, known, abatement, now)
    if certain == "state-after" and standing != "history":
        standing = "unclear" if _codes(condition.clinical_status, _CLINICAL) else "history"
    source = f"Condition/{condition.id or ''}"
    return Diagnosis(
        source,
        meant.ideas,
        standing,
        recorded,
        onset,
        abatement,
        meant.contradicts,
        meant.categories,
        vague_onset=onset is None and tells_of_onset(condition),
        vague_end=abatement is None and tells_of_end(condition),
        is_coded=meant.why is None and not meant.unspecified,
    )


def _first(text: str | None, period: Period | None, now: Clock, *, at_end: bool) -> Moment | None:
    if text is None and period is not None:
        text = period.end if at_end else period.start or period.end
    return moment(text, now.zone) if text else None


def _standing(condition: Condition, known: Moment | None, abatement: Moment | None, now: Clock) -> Standing:
    """Whether it holds now; without a status of HL7's, if it is on the problem list or known for two years at most.

    Unclear where that rests on a date that cannot be read, where a status stands there in other codes, where one of
    HL7's says that it holds and another that it is over, and where no status says that it is over and an end is told
    that is not read: "N/A" and "ongoing" are such, and an age may be still to come.
    """
    if abatement is not None and not is_ahead(abatement, now) and not _may_end_today(abatement, now):
        return "history"
    codes = _codes(condition.clinical_status, _CLINICAL)
    if codes & _OVER:
        return "unclear" if codes & _CURRENT else "history"
    if abatement is None and has_unread_end(condition):
        return "unclear"
    if codes & _CURRENT:
        return "current"
    recent = known is not None and could_be_within(known, _RECENTLY_KNOWN_DAYS, now)
    if recent or _is_on_problem_list(condition):
        return "current"
    undated = moment(condition.recorded_date, now.zone) is None if condition.recorded_date else known is None
    told = bool(condition.recorded_date) or tells_of_onset(condition)
    return "unclear" if has_status(condition) or (undated and told) else "history"


def _is_on_problem_list(condition: Condition) -> bool:
    return any(coding.code == "problem-list-item" for category in condition.category for coding in category.coding)


def _may_end_today(abatement: Moment, now: Clock) -> bool:
    return abatement.date_only and abatement.last > now.today

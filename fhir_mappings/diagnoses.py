"""Conditions: which diagnoses are present as of the hook, current or by history (inputs section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from fhir_mappings.clock import Clock, could_be_within, is_ahead, is_future
from fhir_mappings.code_systems import ICD_10, ICD_10_CM, ICD_DIAGNOSES, KNOWN, canonical, normalised
from fhir_mappings.concept_maps import Vocabulary
from fhir_mappings.dates import Moment, moment
from fhir_mappings.elements import ABSENT, CodeableConcept, Period
from fhir_mappings.resources import Condition

# https://hl7.org/fhir/R4/valueset-condition-clinical.html
_CURRENT = frozenset({"active", "recurrence", "relapse"})
_OVER = frozenset({"inactive", "remission", "resolved"})
_NONE: frozenset[str] = frozenset()
_ALONE: dict[str | None, frozenset[str]] = {code: frozenset({code}) for code in (*_CURRENT, *_OVER, "confirmed")}
_NOT_DIAGNOSES = frozenset({"family-history", "screening", "surgical-complication"})
# Only suggestions ask for these (workup.py): a vague symptom beside a disease is no contradiction between codings.
ADVISORY = frozenset(
    {
        "active-cardiac-condition",
        "arrhythmia",
        "cardiac-symptom",
        "fragility-fracture",
        "frailty",
        "gastrointestinal-symptom",
        "haemoglobinopathy",
        "iron-deficiency",
        "nutritional-risk",
        "osteoporosis",
        "peripheral-artery-disease",
        "sleep-apnoea",
        "slow-gastric-emptying",
        "structural-heart-disease",
    }
)
_RECENTLY_KNOWN_DAYS = 730  # inputs 5: without a status, a diagnosis counts if known since at most this long


class Diagnosis(Struct, frozen=True, gc=False):
    """One Condition that counts: what it means, whether it is current, and when it began and ended.

    `categories`: its three-character ICD-10 categories, where a score weighs them (HFRS).
    """

    source: str
    ideas: tuple[str, ...]
    standing: Literal["current", "history"]
    known: Moment | None
    onset: Moment | None
    abatement: Moment | None
    two_concepts: bool = False
    categories: tuple[str, ...] = ()

    @property
    def began(self) -> Moment | None:
        """When it began: onset, else when it was recorded."""
        return self.onset or self.known

    @property
    def ended(self) -> Moment | None:
        """When it ended: abatement, else when it was recorded, else its onset."""
        return self.abatement or self.known or self.onset


class Diagnoses(Struct, frozen=True):
    """The diagnoses that mean something to an input, by clinical idea, and how many said nothing that can be read."""

    by_idea: Mapping[str, tuple[Diagnosis, ...]] = {}
    uncoded: int = 0

    def of(self, *ideas: str, current: bool = True) -> tuple[Diagnosis, ...]:
        """Those that mean any of the ideas, without contradiction; `current` leaves out what is only history."""
        found = [one for idea in ideas for one in self.by_idea.get(idea, ())]
        if not found:
            return ()
        return tuple(one for one in found if not one.two_concepts and (one.standing == "current" or not current))

    def contradicts(self, idea: str) -> str | None:
        """The source of a Condition whose codings disagree about the idea."""
        return next((one.source for one in self.by_idea.get(idea, ()) if one.two_concepts), None)


def read(conditions: Iterable[Condition], words: Vocabulary, now: Clock) -> Diagnoses:
    """What the Conditions say as of the hook; one that became known only later is never read."""
    by_idea: dict[str, list[Diagnosis]] = {}
    uncoded = 0
    for condition in conditions:
        codings = condition.code.coding
        if len(codings) == 1 and codings[0].system in KNOWN:
            ideas, contradicts = words.ideas(codings[0].system, codings[0].code), False
        else:
            ideas, contradicts = _meaning(condition.code, words)
            uncoded += not ideas and not any(canonical(coding.system) in KNOWN for coding in codings)
        if ideas and _NOT_DIAGNOSES.isdisjoint(ideas) and _is_confirmed(condition):
            diagnosis = _diagnosis(condition, ideas, contradicts, now)
            if diagnosis is not None:
                for idea in ideas:
                    by_idea.setdefault(idea, []).append(diagnosis)
    return Diagnoses({idea: tuple(found) for idea, found in by_idea.items()}, uncoded)


def _meaning(concept: CodeableConcept, words: Vocabulary) -> tuple[tuple[str, ...], bool]:
    """All that the codings mean, and whether two code systems name things that have nothing in common.

    Several codes of one system are ICD's own way to say one combined thing (I13.2 with I50.9 and N18.6): all
    count. A SNOMED code for diabetes beside an ICD code for heart failure is a mistake: neither can be believed.
    """
    if not concept.coding:
        return (words.ideas_of_text(concept.text) if concept.text else ()), False
    by_system: dict[str, set[str]] = {}
    for coding in concept.coding:
        if ideas := words.ideas(coding.system, coding.code):
            system = canonical(coding.system)
            by_system.setdefault("ICD" if system in ICD_DIAGNOSES else system, set()).update(ideas)
    together = tuple(sorted(set().union(*by_system.values())))
    meanings = [scored for ideas in by_system.values() if (scored := ideas - ADVISORY)]
    return together, len(meanings) > 1 and not set.intersection(*meanings)


def _codes(concept: CodeableConcept | None) -> frozenset[str]:
    if concept is None:
        return _NONE
    codings = concept.coding
    if len(codings) == 1 and (code := codings[0].code) in _ALONE:  # nearly always
        return _ALONE[code]
    return frozenset(coding.code for coding in codings if coding.code)


def _is_confirmed(condition: Condition) -> bool:
    if condition.verification_status is None:
        return True
    codes = _codes(condition.verification_status)
    return not codes or codes == {"confirmed"}


def _diagnosis(condition: Condition, ideas: tuple[str, ...], contradicts: bool, now: Clock) -> Diagnosis | None:
    onset = _first(condition.onset_date_time, condition.onset_period, now, at_end=False)
    recorded = moment(condition.recorded_date, now.zone)
    known = recorded or onset
    if known is not None and is_future(known, now):
        return None
    abatement = _first(condition.abatement_date_time, condition.abatement_period, now, at_end=True)
    standing = _standing(condition, known, abatement, now)
    if standing is None:
        return None
    source = f"Condition/{condition.id or ''}"
    categories = _categories(condition.code) if "hfrs-codes" in ideas else ()
    return Diagnosis(source, ideas, standing, recorded, onset, abatement, contradicts, categories)


def _categories(concept: CodeableConcept) -> tuple[str, ...]:
    systems = (ICD_10_CM, ICD_10)
    pairs = ((canonical(one.system), one.code or "") for one in concept.coding)
    return tuple(normalised(system, code)[:3] for system, code in pairs if system in systems)


def _first(text: str | None, period: Period | None, now: Clock, *, at_end: bool) -> Moment | None:
    if text is None and period is not None:
        text = period.end if at_end else period.start or period.end
    return moment(text, now.zone) if text else None


def _standing(
    condition: Condition, known: Moment | None, abatement: Moment | None, now: Clock
) -> Literal["current", "history"] | None:
    if _is_abated(condition, abatement, now):
        return "history"
    codes = _codes(condition.clinical_status)
    if codes & _OVER:
        return "history"
    if codes & _CURRENT:
        return "current"
    on_problem_list = any("problem-list-item" in _codes(category) for category in condition.category)
    recent = known is not None and could_be_within(known, _RECENTLY_KNOWN_DAYS, now)
    return "current" if on_problem_list or recent else None


def _is_abated(condition: Condition, abatement: Moment | None, now: Clock) -> bool:
    if abatement is not None:
        return not is_ahead(abatement, now) and not (abatement.date_only and abatement.last > now.today)
    others = (condition.abatement_age, condition.abatement_range, condition.abatement_string)
    return any(other is not ABSENT for other in others)

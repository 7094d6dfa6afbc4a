"""What the codes of a Condition mean: nearly all have one, and a hospital writes the same few hundred."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

from fhir_mappings.fhir.elements import CodeableConcept, Coding
from fhir_mappings.patient.doubtful_diagnoses import is_unspecified
from fhir_mappings.terminology.code_systems import ICD_DIAGNOSES
from fhir_mappings.terminology.concept_maps import Vocabulary
from fhir_mappings.terminology.icd_editions import EDITIONS, hfrs_category
from fhir_mappings.terminology.understanding import Why, of_concept, says_none_known

_NOT_DIAGNOSES = frozenset({"family-history", "screening", "surgical-complication"})
# A complication is specified by a second code of ICD (I97.130 with I50.9); a relative's disease or a screening is not.
_OF_ANOTHER = frozenset({"family-history", "screening"})
# What one Condition cannot be at once; everything else that its codings name belongs to one story (inputs 5).
_CANNOT_BOTH_HOLD = (
    ("cancer", "cancer-history"),
    ("pregnancy", "pregnancy-ended"),
    ("tobacco-use-disorder", "tobacco-use-history"),
)
# Only suggestions ask for these (existing_tests.py): a vague symptom beside a disease is no contradiction between
# codings.
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
_LONGEST = 200  # characters of a system and a code together; what is longer is understood each time


class ConditionMeaning(Struct, frozen=True, kw_only=True, gc=False):
    """What a concept means, or why it is not understood.

    `contradicts`: two code systems name what cannot both hold. `in_icd`: it has a code of ICD. `unspecified`: all that
    is understood of it is that something is ill. `of_no_idea`: it is classified, and of nothing that is asked for.
    `of_the_patient`: nothing in it is a relative's, or sought by screening. `categories`: its three-character ICD-10
    categories, where a score weighs them (HFRS).
    """

    ideas: tuple[str, ...]
    contradicts: bool
    why: Why | None
    in_icd: bool
    unspecified: bool
    of_no_idea: bool
    of_the_patient: bool
    categories: tuple[str, ...]


def meaning_of(concept: CodeableConcept, words: Vocabulary) -> ConditionMeaning:
    """What the codes of a concept mean; of a single one that is not longer than codes are, remembered."""
    if len(concept.coding) == 1:  # whatever text stands beside it
        coding = concept.coding[0]
        system, code = coding.system, coding.code
        if system and code and len(system) + len(code) <= _LONGEST:
            return _of_one(system, code, words)
    return _understood(concept, words)


@lru_cache(maxsize=16_384)
def _of_one(system: str, code: str, words: Vocabulary) -> ConditionMeaning:
    return _understood(CodeableConcept((Coding(system, code),)), words)


def _understood(concept: CodeableConcept, words: Vocabulary) -> ConditionMeaning:
    ideas, contradicts = _meaning(concept, words)
    why = None if ideas else of_concept(concept, words)
    in_icd, unspecified = _has_icd(concept, words), why is None and is_unspecified(concept, words)
    return ConditionMeaning(
        ideas=ideas,
        contradicts=contradicts,
        why=why,
        in_icd=in_icd,
        unspecified=unspecified,
        of_no_idea=not ideas and why is None and not unspecified and (in_icd or says_none_known(concept)),
        of_the_patient=_NOT_DIAGNOSES.isdisjoint(ideas),
        categories=_categories(concept, words) if "hfrs-codes" in ideas else (),
    )


def _meaning(concept: CodeableConcept, words: Vocabulary) -> tuple[tuple[str, ...], bool]:
    """All that the codings mean, and whether two code systems name what cannot both hold.

    Several codes of one system are ICD's own way to say one combined thing (I13.2 with I50.9 and N18.6), and those of
    two systems mostly tell one story (N18.6 and dialysis): all count. Not so a relative's disease, or one that is only
    sought, beside one of the patient's own, in one system either.
    """
    codings = concept.coding
    if len(codings) == 1:
        return words.ideas(codings[0].system, codings[0].code), False
    if not codings:
        return (words.ideas_of_text(concept.text) if concept.text else ()), False
    by_system: dict[str, set[str]] = {}
    of_others = own = False
    for coding in codings:
        if ideas := words.ideas(coding.system, coding.code):
            is_of_another = not _OF_ANOTHER.isdisjoint(ideas)
            of_others, own = of_others or is_of_another, own or not (is_of_another or ADVISORY.issuperset(ideas))
            system = words.maps.canonical(coding.system)
            by_system.setdefault("ICD" if system in ICD_DIAGNOSES else system, set()).update(ideas)
    together = tuple(sorted(set().union(*by_system.values())))
    return together, (of_others and own) or (len(by_system) > 1 and _contradict(list(by_system.values())))


def _contradict(meanings: list[set[str]]) -> bool:
    """Whether one system says what another excludes: a disease that a relative has, say, and the same as one's own."""
    for number, ideas in enumerate(meanings):
        others = set().union(*(other for place, other in enumerate(meanings) if place != number))
        if any(one in ideas and other in others for pair in _CANNOT_BOTH_HOLD for one, other in (pair, pair[::-1])):
            return True
        if ideas & _NOT_DIAGNOSES and not others & _NOT_DIAGNOSES and others - ADVISORY:
            return True
    return False


def _categories(concept: CodeableConcept, words: Vocabulary) -> tuple[str, ...]:
    pairs = ((words.maps.canonical(one.system), one.code or "") for one in concept.coding)
    return tuple(category for pair in pairs if (category := hfrs_category(*pair)))


def _has_icd(concept: CodeableConcept, words: Vocabulary) -> bool:
    for coding in concept.coding:  # nearly always the URI as it should be written
        if coding.system in EDITIONS or words.maps.canonical(coding.system) in EDITIONS:
            return True
    return False

"""What the codes of a Condition mean: nearly all have one, and a hospital writes the same few hundred."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

from fhir_mappings.fhir.elements import CodeableConcept, Coding
from fhir_mappings.patient.doubtful_diagnoses import is_unspecified
from fhir_mappings.terminology.code_systems import ICD_DIAGNOSES
from fhir_mappings.terminology.concept_maps import Vocabulary
from fhir_mappings.terminology.icd_editions import EDITIONS, hfrs_category
from fhir_mappings.terminology.icd_spelling import in_who_terms, spelled
from fhir_mappings.terminology.understanding import Why, of_concept, says_none_known

# None of them is a disease of the patient's. A second code beside it is one all the same, unless it may be the very
# disease that a relative has, that is sought, or that an operation brought (I97.130 with I50.9, messy case 33).
_COMPLICATION = "surgical-complication"
_OF_ANOTHER = frozenset({"family-history", "screening"})
_NOT_DIAGNOSES = _OF_ANOTHER | {_COMPLICATION}
# In which chapters of ICD (first letters) that disease is; not named here: it may be any. ICD-10-CM tables, FY2025.
_ANY, _NO_CHAPTER = "", "-"
_ABOUT = {
    "Z12": "CD",
    "Z80": "CD",
    "Z81": "FG",
    "Z82": "FGHIJMQ",
    "Z83": "ABDEHJK",
    "Z84": "LN",
    **dict.fromkeys(("Z828", "Z838", "Z848"), _ANY),  # other diseases
    "G97": "GI",
    "I97": "I",
    "J95": "J",
    "K91": "K",
    "M96": "M",
    "N99": "N",
    **dict.fromkeys(("T80", "T81", "T88", "Y83"), "AIJKNR"),  # of an operation: an infection, an organ that failed
    **dict.fromkeys(("T82", "T83", "T84", "T85", "T86", "T87"), _NO_CHAPTER),  # of a device, a graft or a stump
}
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
_NONE: frozenset[str] = frozenset()
_LONGEST = 200  # characters of a system and a code together; what is longer is understood each time


class ConditionMeaning(Struct, frozen=True, kw_only=True, gc=False):
    """What a concept means, or why it is not understood.

    `contradicts`: the ideas of which two of its codes cannot both hold. `in_icd`: it has a code of ICD. `unspecified`:
    all that is understood of it is that something is ill. `of_no_idea`: it is classified, and of nothing that is asked
    for. `of_the_patient`: it is not only a relative's disease, one that is sought, or a mere complication.
    `categories`: its three-character ICD-10 categories, where a score weighs them (HFRS).
    """

    ideas: tuple[str, ...]
    contradicts: frozenset[str]
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


def _meaning(concept: CodeableConcept, words: Vocabulary) -> tuple[tuple[str, ...], frozenset[str]]:
    """All that the codings of the patient's own diseases mean, and of that what cannot hold beside another coding.

    Several codes of one system are ICD's own way to say one combined thing (I13.2 with I50.9 and N18.6), and those of
    two systems mostly tell one story (N18.6 and dialysis): all count. Not so a relative's disease, or one that is only
    sought, beside one of the patient's own that may be the same, in one system either; what an operation brought counts
    for nothing (messy case 33).
    """
    codings = concept.coding
    if len(codings) == 1:
        return words.ideas(codings[0].system, codings[0].code), _NONE
    if not codings:
        return (words.ideas_of_text(concept.text) if concept.text else ()), _NONE
    by_system: dict[str, set[str]] = {}
    own: dict[str, set[str]] = {}
    besides, of_others, caused = set[str](), set[str](), set[str]()
    for coding in codings:
        if ideas := words.ideas(coding.system, coding.code):
            if _NOT_DIAGNOSES.isdisjoint(ideas):
                own.setdefault(_chapter(coding, words), set()).update(ideas)
            else:
                besides.update(ideas)
                (caused if _COMPLICATION in ideas else of_others).update(_chapters(coding, words))
            system = words.maps.canonical(coding.system)
            by_system.setdefault("ICD" if system in ICD_DIAGNOSES else system, set()).update(ideas)
    left = {chapter: ideas for chapter, ideas in own.items() if chapter == _ANY or chapter not in caused}
    together = tuple(sorted(set[str]().union(*left.values()) or besides))
    if len(by_system) > 1 and _contradict(list(by_system.values())):
        return together, frozenset(together)
    doubted = (ideas for chapter, ideas in left.items() if _may_be(chapter, of_others) or _may_be(chapter, caused))
    return together, frozenset(set[str]().union(*doubted)) - ADVISORY


def _may_be(chapter: str, others: set[str]) -> bool:
    """Whether a disease of a chapter, or of any, may be one of those of the others."""
    return chapter in others or _ANY in others or (chapter == _ANY and not others <= {_NO_CHAPTER})


def _chapter(coding: Coding, words: Vocabulary) -> str:
    """The letter of a code of ICD-10, _ANY of another system."""
    system = words.maps.canonical(coding.system)
    return in_who_terms(system, spelled(system, coding.code or ""))[:1] if system in EDITIONS else _ANY


def _chapters(coding: Coding, words: Vocabulary) -> tuple[str, ...]:
    """The letters of the diseases that a code of a relative's, of a screening or of a complication may be about."""
    system = words.maps.canonical(coding.system)
    code = in_who_terms(system, spelled(system, coding.code or "")) if system in EDITIONS else ""
    return tuple(_ABOUT.get(code[:4], _ABOUT.get(code[:3], ""))) or (_ANY,)


def _contradict(meanings: list[set[str]]) -> bool:
    """Whether one system says what another excludes: that a cancer is there, say, and that it was."""
    for number, ideas in enumerate(meanings):
        others = set().union(*(other for place, other in enumerate(meanings) if place != number))
        if any(one in ideas and other in others for pair in _CANNOT_BOTH_HOLD for one, other in (pair, pair[::-1])):
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

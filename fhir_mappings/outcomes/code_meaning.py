"""What a diagnosis or a procedure is to one outcome: it, perhaps it, something else, or not understood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from fhir_mappings.fhir.elements import CodeableConcept
from fhir_mappings.outcomes import outcome_definitions
from fhir_mappings.outcomes.outcome_definitions import OutcomeDefinition
from fhir_mappings.terminology.code_systems import CPT, ICD_10_PCS, ICD_DIAGNOSES, normalised
from fhir_mappings.terminology.concept_maps import Vocabulary
from fhir_mappings.terminology.icd_editions import BY_CHECKED_ROWS, EDITIONS, is_classified, means_as_who
from fhir_mappings.terminology.icd_spelling import ICD_10, ICD_10_CM, in_who_terms
from fhir_mappings.terminology.procedure_groups import GROUPS

# In the order in which several codings of one entry count: the surest first, and "other" before what is unknown.
Meaning = Literal["postoperative", "is", "could", "other", "unknown"]
_ORDER: tuple[Meaning, ...] = ("postoperative", "is", "could", "other", "unknown")
_LONGEST = 64
# https://www.cms.gov/medicare/coding-billing/icd-10-codes: the sections of ICD-10-PCS. 0 is Medical and Surgical, 1
# Obstetrics, X New Technology; what of the last two is no operation is delivery, drugs, measurement and what is done
# outside of the body. CCAM (GELD004) has seven characters as well: mental health and substance abuse begin GZ and HZ.
_PCS = re.compile(r"(?:[0-9BCDX][0-9A-HJ-NP-Z]|F[01]|[GH]Z)[0-9A-HJ-NP-Z]{5}")
_PCS_SURGERY, _PCS_NO_OPERATION = ("0", "1", "X"), ("10E", "XW", "XX", "XY")
# The sections of CPT by first digit: 7 radiology, 8 laboratory, 9 medicine and evaluation (orders/procedures.py);
# of the last, catheter interventions on vessels, septum and rhythm may be one.
_CPT_NO_OPERATION = re.compile(r"[789][0-9]{4}")
_CPT_CATHETER = ("929", "9358", "9359", "936")


def of_diagnosis(concept: CodeableConcept, of: OutcomeDefinition, words: Vocabulary) -> Meaning:
    """What a diagnosis is to the outcome. A text without a code is not understood."""
    found = [_diagnosis(one.system, one.code, of, words) for one in concept.coding]
    return min(found, key=_ORDER.index, default="unknown")


def of_procedure(concept: CodeableConcept, of: OutcomeDefinition, words: Vocabulary) -> tuple[Meaning, int]:
    """What a procedure is to the outcome, and from which day after the operation on."""
    found = [_procedure(one.system, one.code, of, words) for one in concept.coding]
    return min(found, key=lambda one: (_ORDER.index(one[0]), one[1]), default=("unknown", 0))


def operation_groups(concept: CodeableConcept, words: Vocabulary) -> frozenset[str]:
    """The procedure groups that a procedure belongs to."""
    ideas = (idea for one in concept.coding for idea in words.ideas(one.system, one.code))
    return frozenset(idea for idea in ideas if idea in GROUPS)


def of_operation(concept: CodeableConcept, words: Vocabulary) -> Meaning:
    """Whether a procedure is an operation."""
    if operation_groups(concept, words):
        return "is"
    found = [_operation(*pair) for one in concept.coding for pair in _pairs(one.system, one.code, words)]
    return min(found, key=_ORDER.index, default="unknown")


def _pairs(system: str | None, code: str | None, words: Vocabulary) -> Iterator[tuple[str, str]]:
    """A coding as it stands and as the site says that it is to be read."""
    if not system or not code or len(code) > _LONGEST:
        return
    uri = words.maps.canonical(system)
    if (uri, normalised(uri, code)) not in words.maps.alone:
        yield uri, normalised(uri, code)
    yield from words.maps.translate(system, code)


def _diagnosis(system: str | None, code: str | None, of: OutcomeDefinition, words: Vocabulary) -> Meaning:
    ideas = words.ideas(system, code)
    named = _named(ideas, of)
    if named is not None:
        return named
    pairs = list(_pairs(system, code, words))
    if any(_stops_above(uri, one, of) for uri, one in pairs):
        return "could"
    if any(_is_of_icd(uri, one) for uri, one in pairs):
        return "other"
    if not ideas:
        return "unknown"
    return "could" if set(of.near).intersection(ideas) else "other"


def _named(ideas: tuple[str, ...], of: OutcomeDefinition) -> Meaning | None:
    if outcome_definitions.after_surgery(of.name) in ideas:
        return "postoperative"
    if outcome_definitions.counted(of.name) in ideas:
        return "is"
    return "could" if outcome_definitions.unsure(of.name) in ideas else None


def _is_of_icd(uri: str, code: str) -> bool:
    """Whether it is a code of ICD-10 whose meaning is known in its edition: then it says what else it is."""
    if uri not in EDITIONS or not is_classified(uri, code):
        return False
    return uri not in BY_CHECKED_ROWS or means_as_who(uri, in_who_terms(uri, code))


def _stops_above(uri: str, code: str, of: OutcomeDefinition) -> bool:
    """Whether a code of ICD-10 is a category above one that is listed: J96 says less than J96.0.

    ICD-10-CM fills a code up to its seventh character with X: T81.4XXA, until October 2018, is T81.4.
    """
    if uri not in EDITIONS or not code:
        return False
    system, code = (ICD_10, in_who_terms(uri, code)) if uri in BY_CHECKED_ROWS else (uri, code)
    stem = code[:6].rstrip("X") if system == ICD_10_CM else code
    return any(one != stem and one.startswith(stem) for one in _listed(of).get(system, ()))


@lru_cache(maxsize=64)
def _listed(of: OutcomeDefinition) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for rule in outcome_definitions.diagnosis_rules(of):
        found[rule.system] = (*found.get(rule.system, ()), rule.value)
    return found


def _procedure(system: str | None, code: str | None, of: OutcomeDefinition, words: Vocabulary) -> tuple[Meaning, int]:
    ideas = _ideas_of_procedure(system, code, words)
    days = [one.from_day for one in of.procedures if outcome_definitions.done(of.name, one.from_day) in ideas]
    if set(of.value_sets).intersection(ideas):
        days.append(0)
    if days:
        return "is", min(days)
    if outcome_definitions.unsure_done(of.name) in ideas or set(of.near).intersection(ideas):
        return "could", 0
    of_pcs = any(uri == ICD_10_PCS and _PCS.fullmatch(one) for uri, one in _pairs(system, code, words))
    return ("other" if of_pcs or ideas else "unknown"), 0


def _ideas_of_procedure(system: str | None, code: str | None, words: Vocabulary) -> tuple[str, ...]:
    """The ideas of a procedure. ICD-9-CM 41.0 has the digits of the diagnosis 410: a list of diagnoses names none."""
    if words.maps.canonical(system) not in ICD_DIAGNOSES:
        return words.ideas(system, code)
    said = words.maps.translate(system or "", code or "")
    return tuple(idea for uri, one in said for idea in words.ideas(uri, one))


def _operation(uri: str, code: str) -> Meaning:
    if uri == ICD_10_PCS and _PCS.fullmatch(code):
        return "could" if code.startswith(_PCS_SURGERY) and not code.startswith(_PCS_NO_OPERATION) else "other"
    if uri != CPT or not _CPT_NO_OPERATION.fullmatch(code):
        return "unknown"
    return "could" if code.startswith(_CPT_CATHETER) else "other"

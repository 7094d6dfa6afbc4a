"""What one edition of a classification says of an outcome, no other spelling, year or edition of it denies."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from fhir_mappings.fhir.elements import CodeableConcept, Coding
from fhir_mappings.outcomes import code_meaning
from fhir_mappings.outcomes.outcome_definitions import BY_NAME, DEFINITIONS, OutcomeDefinition, diagnosis_rules
from fhir_mappings.terminology.code_systems import ICD_10_PCS, SNOMED_CT
from fhir_mappings.terminology.icd_editions import CATEGORIES
from fhir_mappings.terminology.icd_spelling import ICD_10, ICD_10_CM
from fhir_mappings.terminology.value_sets import STANDARD, ValueSet
from tests.fhir_mappings.outcomes.base_case import WORDS


def _listed(of: OutcomeDefinition, system: str) -> Iterator[str]:
    for one in (*of.diagnoses, *of.postoperative, *of.could_be):
        if one.system == system:
            yield from (code.replace(".", "") for code in one.codes)


CM_CODES = [(one.name, code) for one in DEFINITIONS for code in _listed(one, "icd-10-cm")]
WHO_CODES = [(one.name, code) for one in DEFINITIONS for code in _listed(one, "icd-10")]
# Absent from the tabular list of April 2026, which has no "unspecified" or another place for them.
NOT_IN_CM = {"B485", "I979", "J959", "T144"}


def _means(system: str, code: str, outcome: str) -> str:
    concept = CodeableConcept(coding=(Coding(system=system, code=code),))
    return code_meaning.of_diagnosis(concept, BY_NAME[outcome], WORDS)


@pytest.mark.parametrize(("outcome", "code"), CM_CODES)
def test_no_filled_category_above_a_listed_code_is_something_else(outcome: str, code: str) -> None:
    """T81.4XXA was "infection following a procedure" until ICD-10-CM divided T81.4 in October 2018."""
    for length in range(3, len(code) + 1):
        for filled in (code[:length], f"{code[:length]:X<6}", f"{code[:length]:X<6}A"):
            assert _means(ICD_10_CM, filled, outcome) != "other", filled


@pytest.mark.parametrize(("outcome", "code"), CM_CODES)
def test_what_the_american_edition_says_who_s_does_not_deny(outcome: str, code: str) -> None:
    """WHO's edition stops after four characters: what it says is wider, and is the outcome or could be it."""
    if (ICD_10, code[:3]) in CATEGORIES:
        assert _means(ICD_10, code[:4], outcome) != "other"


@pytest.mark.parametrize(("outcome", "code"), WHO_CODES)
def test_what_who_s_edition_says_the_american_does_not_deny(outcome: str, code: str) -> None:
    if (ICD_10_CM, code[:3]) in CATEGORIES and code not in NOT_IN_CM:
        assert _means(ICD_10_CM, code, outcome) != "other"


def _shares(idea: ValueSet, of: OutcomeDefinition) -> bool:
    """Whether a category of ICD belongs to both."""
    prefixes = [(rule.system, rule.value) for rule in idea.includes if rule.kind == "prefix"]
    return any(
        system == rule.system and (rule.value.startswith(value) or value.startswith(rule.value))
        for rule in diagnosis_rules(of)
        for system, value in prefixes
    )


@pytest.mark.parametrize("of", [one for one in DEFINITIONS if one.reads_conditions], ids=lambda one: one.name)
def test_an_idea_that_shares_categories_with_an_outcome_is_near_it(of: OutcomeDefinition) -> None:
    """Else its SNOMED CT codes would be something else. Those of `pregnancy` are the state, no complication of it."""
    ideas = [one for one in STANDARD.by_id.values() if one.codes(SNOMED_CT) and one.id != "pregnancy"]
    assert {one.id for one in ideas if _shares(one, of)} <= set(of.near)


@pytest.mark.parametrize(
    "code", ["302" + "".join(one) for one in product("3456", "03", "HNP", "01")] + ["302A3H1", "302A3N0", "302A3P1"]
)
def test_red_cells_are_red_cells_in_every_year_of_icd_10_pcs(code: str) -> None:
    concept = CodeableConcept(coding=(Coding(system=ICD_10_PCS, code=code),))
    assert code_meaning.of_procedure(concept, BY_NAME["transfusion"], WORDS) == ("is", 0)


@pytest.mark.parametrize("code", ["30233R1", "30233K1", "30273N1", "30280B1"])
def test_what_is_no_transfusion_of_red_cells_to_the_patient_is_none(code: str) -> None:
    """Platelets, plasma, a transfusion to the unborn, clotting factors."""
    concept = CodeableConcept(coding=(Coding(system=ICD_10_PCS, code=code),))
    assert code_meaning.of_procedure(concept, BY_NAME["transfusion"], WORDS)[0] == "other"

"""What is remembered of a code is what it means when it is read anew."""

from __future__ import annotations

import pytest

from fhir_mappings.fhir.elements import CodeableConcept, Coding
from fhir_mappings.patient import condition_codes
from fhir_mappings.terminology.code_systems import ICD_10_CM, SNOMED_CT
from fhir_mappings.terminology.concept_maps import EMPTY, vocabulary
from fhir_mappings.terminology.understanding import ABSENT_OR_UNKNOWN
from fhir_mappings.terminology.value_sets import STANDARD

WORDS = vocabulary(STANDARD, EMPTY)
CODINGS = [
    Coding(ICD_10_CM, "I50.9"),
    Coding(ICD_10_CM, "i50.9 "),
    Coding(ICD_10_CM, "I10"),
    Coding(ICD_10_CM, "R69"),
    Coding(ICD_10_CM, "Z80.0"),
    Coding(ICD_10_CM, "Q99.99X"),
    Coding(SNOMED_CT, "84114007"),
    Coding(SNOMED_CT, "1"),
    Coding(ABSENT_OR_UNKNOWN, "no-known-problems"),
    Coding(ABSENT_OR_UNKNOWN, "no-problem-info"),
    Coding("urn:oid:1.2.3", "local"),
    Coding(None, "I50.9"),
    Coding(ICD_10_CM, None),
    Coding(ICD_10_CM, "I50." + "9" * 300),
]


@pytest.mark.parametrize("text", [None, "Heart failure", "I50.9"])
@pytest.mark.parametrize("coding", CODINGS, ids=str)
def test_a_code_means_the_same_when_it_comes_again_whatever_text_stands_beside_it(
    coding: Coding, text: str | None
) -> None:
    concept = CodeableConcept((coding,), text)
    anew = condition_codes._understood(concept, WORDS)
    assert [condition_codes.meaning_of(concept, WORDS) for _ in range(2)] == [anew, anew]


def test_a_code_beside_another_is_not_read_alone() -> None:
    heart, sugar = Coding(ICD_10_CM, "I50.9"), Coding(ICD_10_CM, "E11.9")
    both = condition_codes.meaning_of(CodeableConcept((heart, sugar)), WORDS)
    for one in (heart, sugar):
        assert set(condition_codes.meaning_of(CodeableConcept((one,)), WORDS).ideas) < set(both.ideas)


def test_what_is_longer_than_codes_are_is_not_kept() -> None:
    before = condition_codes._of_one.cache_info().currsize
    condition_codes.meaning_of(CodeableConcept((Coding("urn:x", "w" * 1000),)), WORDS)
    assert condition_codes._of_one.cache_info().currsize == before

"""Several codes of one diagnosis: both count where both can hold, and what one rules out is never told as absent."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.terminology.code_systems import ICD_10_CM, SNOMED_CT
from tests.acceptance.unreadable import DIAGNOSES
from tests.builders import a_condition, a_medication_request, coded, days_ago, derived


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("Z80.3", "E11.9"), {"diabetes": True, "cancer": False}),
        (("Z82.49", "E11.9"), {"diabetes": True}),
        (("Z12.11", "I50.9"), {"heart_failure": True}),
        (("Z83.3", "I50.9"), {"heart_failure": True, "diabetes": False}),
        (("Z83.3", "E11.9"), {"diabetes": None}),
        (("Z83.3", "E11.9", "J44.9"), {"diabetes": None, "copd": None}),  # Z83.6: of the respiratory system
        (("Z80.3", "C50.911", "J44.9"), {"cancer": None, "copd": True}),
        (("Z84.89", "E11.9"), {"diabetes": None}),  # any other disease
        (("Z13.1", "E11.9"), {"diabetes": None}),
        (("Z83.3", "Z79.4"), {"insulin": True}),
        (("Z82.49", "Z95.1"), {"ischaemic_heart_disease": True}),
        (("Z83.3", "E11.22"), {"charlson_complicated_diabetes": None, "hfrs_points": 0.0}),
        (("Z82.0", "G30.9"), {"dementia": None, "charlson_dementia": None, "hfrs_points": None}),
        (("K91.89", "E11.9"), {"diabetes": True}),
        (("T86.11", "N18.4"), {"chronic_kidney_disease": True}),
        (("I97.130", "I50.9"), {"heart_failure": False}),  # an operation brought it
        (("I97.130", "I50.9", "E11.9"), {"heart_failure": False, "diabetes": True}),
    ],
)
def test_codes_of_one_text_that_can_both_hold_both_count(codes: tuple[str, ...], expected: dict[str, Any]) -> None:
    for order in (codes, codes[::-1]):
        found = derived(a_condition(coded(*((ICD_10_CM, code) for code in order))))
        for name, value in expected.items():
            told = found[name].value if found[name].usable else None
            assert (name, told) == (name, value)
            assert value is not None or found[name].reason == "two-concepts"


def test_what_one_code_rules_out_is_told_as_absent_for_no_input() -> None:
    """Whichever way an input asks: by any of several ideas, with drugs or procedures beside, by points or by a day."""
    for name, code in DIAGNOSES.items():
        mistaken = a_condition(coded((ICD_10_CM, code), (SNOMED_CT, "160303001")), onsetDateTime=days_ago(1))
        medicines = [a_medication_request("29046")] if name == "hypertension_on_medication" else []
        found = derived(mistaken, *medicines)[name]
        assert (found.usable, found.reason) == (False, "two-concepts"), name


def test_two_systems_that_name_different_diseases_tell_one_story() -> None:
    found = derived(a_condition(coded((ICD_10_CM, "I50.9"), (SNOMED_CT, "44054006"))))
    assert [found[name].value for name in ("diabetes", "heart_failure")] == [True, True]


def test_two_systems_of_which_one_says_what_the_other_excludes_are_believed_for_neither() -> None:
    mistaken = a_condition(coded((ICD_10_CM, "Z82.49"), (SNOMED_CT, "84114007")))  # a relative's, and one's own
    found = derived(mistaken)["heart_failure"]
    assert (found.status, found.reason, found.could_be) == ("conflicting", "two-concepts", (False, True))
    assert derived(mistaken, a_condition("I50.9"))["heart_failure"].value is True

"""What is named on a card comes from our own words, never from the record's."""

from __future__ import annotations

import pytest

from cds_service.advice import feature_text
from fhir_mappings.features.existing_tests import DIAGNOSES, MEDICINES
from fhir_mappings.features.features import FEATURES
from fhir_mappings.results.feature import Feature
from tests.builders import AS_OF, Resource, an_observation, derived
from tests.cds_service.advice import people


def named(name: str, *resources: dict) -> str:  # type: ignore[type-arg]
    return feature_text.feature(derived(*resources)[name], AS_OF)


def test_a_result_has_its_unit_and_its_day() -> None:
    assert named("haemoglobin", an_observation("718-7", 109, "g/L")) == "haemoglobin 10.9 g/dL, 10 Nov"


def test_in_a_list_the_day_stands_in_brackets() -> None:
    feature = derived(an_observation("718-7", 109, "g/L"))["haemoglobin"]
    assert feature_text.in_a_list(feature, AS_OF) == "haemoglobin 10.9 g/dL (10 Nov)"


def test_an_answer_has_its_day_and_no_unit() -> None:
    assert named("asa_class", people.asa(3)) == "ASA class III, 10 Nov"


def test_age_and_sex_have_neither() -> None:
    assert (named("age"), named("sex")) == ("age 71", "male sex")


def test_a_result_of_another_year_has_its_year() -> None:
    old = an_observation("8302-2", 170, "cm", effectiveDateTime="2024-02-29T10:00:00Z")
    assert named("height", old) == "height 170 cm, 29 Feb 2024"


def test_an_assumed_unit_is_marked() -> None:
    assert named("haemoglobin", an_observation("718-7", 12.1, None)).endswith("[unit assumed]")


def test_a_bound_is_told_with_its_comparator() -> None:
    bound = Feature(name="creatinine", status="used", value=0.5, unit="mg/dL", comparator="<")
    assert feature_text.feature(bound, AS_OF) == f"{FEATURES['creatinine'].label} <0.5 mg/dL"


@pytest.mark.parametrize("idea", DIAGNOSES)
def test_every_diagnosis_that_a_row_may_rest_on_has_a_name(idea: str) -> None:
    assert feature_text.diagnosis(idea)[0].islower()


@pytest.mark.parametrize("drug_class", MEDICINES)
def test_every_medicine_that_a_row_may_rest_on_has_a_name(drug_class: str) -> None:
    assert feature_text.medicine(drug_class).endswith("on the medication list")


@pytest.mark.parametrize(
    ("resource", "told"),
    [
        (people.smoker(), "current smoker, 10 Nov"),
        (people.result("98979-8", 30.7654, "mL/min/{1.73_m2}"), "eGFR 30.8 mL/min/1.73 m2, 10 Nov"),
    ],
)
def test_a_value_is_told_as_people_say_it(resource: Resource, told: str) -> None:
    features = people.an_assessment(resource).features
    name = "egfr" if "valueQuantity" in resource else "smoking_status"
    assert feature_text.feature(features[name], AS_OF) == told


def test_a_procedure_is_told_with_its_day() -> None:
    assert feature_text.procedure("coronary-stent", AS_OF, AS_OF) == "coronary stent, 20 Nov"


def test_a_sex_at_birth_that_differs_from_the_recorded_gender_is_said() -> None:
    assert feature_text.feature(Feature(name="sex", status="used", value="female", flags=("sex-differs",)), AS_OF) == (
        "female sex (at birth; recorded gender differs)"
    )

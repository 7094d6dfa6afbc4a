"""What is not exactly known reaches the models as limits, and the clinician in words."""

from __future__ import annotations

import math

import pytest

from cds_service.advice import model_inputs, silence
from cds_service.advice.assessment import Estimate
from cds_service.cards import discrete, drivers, estimate_text
from models_onnx.inexact_inputs import Within
from models_onnx.missing_ranges import MissingRange
from tests.builders import a_patient, a_record, an_observation, derived
from tests.cds_service.advice import people

BMI = "39156-5"
TODAY = "2026-11-20"


def statuses(*resources: dict) -> dict[str, str]:  # type: ignore[type-arg]
    return {score.model: score.status for score in people.an_assessment(*resources).scores}


def test_an_exact_person_has_no_limits() -> None:
    assert model_inputs.limits(derived(a_patient(), an_observation("2160-0", 1.1, "mg/dL"))) == {}


def test_an_age_of_which_the_year_is_known_is_one_of_two() -> None:
    assert model_inputs.limits(derived(a_patient(birthDate="1961"))) == {"age": Within(64.0, 65.0, censored=False)}


def test_a_result_above_a_limit_is_censored() -> None:
    found = derived(an_observation("2160-0", None, None, valueQuantity=a_quantity(2.0, ">")))
    assert model_inputs.limits(found) == {"creatinine": Within(math.nextafter(2.0, math.inf), math.inf, censored=True)}


def a_quantity(value: float, comparator: str, unit: str = "mg/dL") -> dict[str, object]:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit, "comparator": comparator}


def test_a_body_mass_index_above_a_limit_is_missing_and_the_card_says_why() -> None:
    above = an_observation(BMI, None, None, valueQuantity=a_quantity(40, ">", "kg/m2"))
    card = people.a_card(a_patient(), people.asa(3), above)
    assert "body mass index (only a limit or range)" in (card.detail or "")
    without = people.an_assessment(a_patient(), people.asa(3))
    assert [s.probability for s in people.an_assessment(a_patient(), people.asa(3), above).scores] == [
        s.probability for s in without.scores
    ]


def test_between_sixty_four_and_sixty_five_the_stepped_model_is_not_computable_and_says_what_it_needs() -> None:
    known = people.an_assessment(a_patient(birthDate="1962"), people.asa(3))
    unknown = people.an_assessment(a_patient(birthDate="1961"), people.asa(3))
    assert {s.model: s.status for s in known.scores}["sort-2014"] == "computed"
    told = {one["model"]: one for one in discrete.result(unknown)["predictions"]}
    assert told["sort-2014"]["status"] == "not-computable"
    assert (told["sort-2014"]["reason"], list(told["sort-2014"]["needs"])) == ("input-not-exact", ["age"])
    range_ = told["sort-2014"]["missingRange"]
    assert range_["low"] < range_["high"]
    assert told["elective-death"]["status"] == "computed"


def test_the_card_of_an_approximate_age_says_that_it_hangs_on_it_and_the_reasons_name_both_ages() -> None:
    assessment = people.an_assessment(a_patient(birthDate="1961"), people.asa(3))
    card = people.a_card(a_patient(birthDate="1961"), people.asa(3), an_observation(BMI, 27, "kg/m2"))
    assert "the exact age" in (card.detail or "")
    assert "age 64 or 65 (birth date not exact)" in [one.words for one in drivers.of(assessment)]


def test_without_another_model_the_card_names_the_exact_age_and_the_figures_between_which_it_lies() -> None:
    assessment = people.an_assessment(a_patient(birthDate="1961"), people.asa(3))
    death = next(one for one in assessment.scores if one.model == "sort-2014")
    (headline,) = [one for one in assessment.estimates if one.outcome.name == death.outcome]
    assert death.missing_range is not None
    unknown = MissingRange(death.model, death.version, death.outcome, death.missing_range, ())
    told = Estimate(outcome=headline.outcome, score=death, unknown=unknown)
    assert estimate_text.why_not(told, assessment.features, 1000) == "needs the exact age; 4 to 8 in 1,000"


@pytest.mark.parametrize(
    ("birth", "reason"),
    [
        ("2008-11-20", None),  # eighteen today
        ("2008-11-21", "out-of-scope"),
        ("2008", "out-of-scope"),  # seventeen or eighteen
        ("2007", None),  # eighteen or nineteen
        ("2008-11", "out-of-scope"),
        ("2008-10", None),
    ],
)
def test_one_possible_age_below_eighteen_is_out_of_scope(birth: str, reason: str | None) -> None:
    record = a_record(a_patient(birthDate=birth))
    assert silence.for_patient(record, derived(a_patient(birthDate=birth))) == reason

"""What the headline goes with: the strongest five, with value, unit, day and direction."""

from __future__ import annotations

import msgspec

from cds_service.advice import drivers
from cds_service.advice.assessment import Assessment
from models_onnx.score import Contribution
from tests.builders import a_condition
from tests.cds_service.advice import people

ASSESSMENT = people.an_assessment(people.asa(3), a_condition("C61"), people.result("718-7", 10.9, "g/dL"))


def with_contributions(*contributions: tuple[str, float]) -> Assessment:
    assert ASSESSMENT.headline is not None
    given = tuple(Contribution(*one) for one in contributions)
    score = msgspec.structs.replace(ASSESSMENT.headline.score, contributions=given)
    return msgspec.structs.replace(ASSESSMENT, headline=msgspec.structs.replace(ASSESSMENT.headline, score=score))


def test_the_strongest_come_first_and_there_are_at_most_five() -> None:
    names = ("age", "sex", "asa_class", "bmi", "cancer", "haemoglobin", "creatinine")
    found = drivers.of(with_contributions(*((name, 0.1 * (i + 1)) for i, name in enumerate(names))))
    assert [one.name for one in found] == ["creatinine", "haemoglobin", "cancer", "bmi", "asa_class"]


def test_the_operation_is_no_driver_and_neither_is_next_to_nothing() -> None:
    found = drivers.of(with_contributions(("procedure_group", 3.0), ("urgency", 1.0), ("age", 0.049), ("sex", -0.05)))
    assert [one.name for one in found] == ["sex"]


def test_each_is_told_with_value_unit_day_and_direction() -> None:
    assessment = with_contributions(("asa_class", 1.0), ("age", 0.5), ("cancer", 0.4), ("haemoglobin", -0.2))
    assert drivers.lines(drivers.of(assessment)) == [
        "**Goes with a higher risk:** ASA class III, 10 Nov; age 71; cancer.",
        "**Goes with a lower risk:** haemoglobin 10.9 g/dL, 10 Nov.",
    ]


def test_a_missing_input_and_an_absent_diagnosis_pass_for_no_value() -> None:
    assessment = with_contributions(("creatinine", 0.3), ("diabetes", -0.3))
    assert drivers.lines(drivers.of(assessment)) == [
        "**Goes with a higher risk:** creatinine missing.",
        "**Goes with a lower risk:** no diabetes recorded.",
    ]


def test_without_a_headline_there_are_none() -> None:
    assert drivers.of(msgspec.structs.replace(ASSESSMENT, headline=None)) == ()

"""What the figures go with: the strongest four, with value, unit, day and direction."""

from __future__ import annotations

import msgspec

from cds_service.advice.assessment import Assessment
from cds_service.cards import drivers
from models_onnx.score import Contribution
from tests.builders import a_condition
from tests.cds_service.advice import people

ASSESSMENT = people.an_assessment(people.asa(3), a_condition("C61"), people.result("718-7", 10.9, "g/dL"))


def with_contributions(*contributions: tuple[str, float]) -> Assessment:
    assert ASSESSMENT.headline is not None
    given = tuple(Contribution(*one) for one in contributions)
    score = msgspec.structs.replace(ASSESSMENT.headline.score, contributions=given)
    return msgspec.structs.replace(ASSESSMENT, headline=msgspec.structs.replace(ASSESSMENT.headline, score=score))


def test_the_strongest_come_first_and_there_are_at_most_four() -> None:
    names = ("age", "sex", "asa_class", "cancer", "haemoglobin")
    found = drivers.of(with_contributions(*((name, 0.1 * (i + 1)) for i, name in enumerate(names))))
    assert [one.name for one in found] == ["haemoglobin", "cancer", "asa_class", "sex"]


def test_the_operation_is_no_driver_and_neither_is_next_to_nothing() -> None:
    found = drivers.of(with_contributions(("procedure_group", 3.0), ("urgency", 1.0), ("age", 0.049), ("sex", -0.05)))
    assert [one.name for one in found][:1] == ["sex"]
    assert not {"procedure_group", "urgency"} & {one.name for one in found}


def test_each_is_told_with_value_unit_day_and_direction() -> None:
    assessment = with_contributions(("asa_class", 1.0), ("age", 0.5), ("cancer", 0.4), ("haemoglobin", -0.2))
    assert drivers.line(drivers.of(assessment)) == [
        "**Why:** higher with ASA class III (10 Nov), age 71, cancer; lower with haemoglobin 10.9 g/dL (10 Nov).",
    ]


def test_a_missing_input_is_no_reason_and_an_absent_diagnosis_passes_for_no_value() -> None:
    assessment = with_contributions(("creatinine", 0.5), ("diabetes", -0.4), ("age", 0.3))
    told = " ".join(drivers.line(drivers.of(assessment)))
    assert "creatinine" not in told
    assert "lower with no diabetes recorded" in told


def test_what_moves_another_figure_strongly_is_told_after_the_headlines() -> None:
    told = drivers.of(with_contributions(("sex", 0.1), ("bmi", 0.01)))
    assert next(one.name for one in told) == "sex"
    assert "asa_class" in {one.name for one in told}


def test_without_a_headline_there_are_none() -> None:
    assert drivers.of(msgspec.structs.replace(ASSESSMENT, headline=None)) == ()

"""A number is told with its range and beside its peers, in one denominator; what cannot be told says why."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.advice.assessment import Assessment, Estimate
from cds_service.advice.outcomes import BY_NAME
from cds_service.cards import estimate_text
from models_onnx.missing_ranges import MissingRange, Unknown
from models_onnx.peers import Peer
from models_onnx.score import Range, Score
from tests.cds_service.advice import people

ASSESSMENT = people.an_assessment(people.asa(3))
PEER = Peer(outcome="30-day-death", procedure_group="spine-fusion", n=1000, events=8, probability=0.008, source="s")


def an_estimate(outcome: str = "30-day-death", **members: Any) -> Estimate:
    score = {"model": "m", "version": "1", "sha256": "0", "outcome": outcome, "horizon": "h", "status": "computed"}
    of_score = {name: value for name, value in members.items() if name in Score.__struct_fields__}
    rest = {name: value for name, value in members.items() if name not in of_score}
    return Estimate(outcome=BY_NAME[outcome], score=Score(**score | of_score), **rest)


def unknown(low: float, high: float, *inputs: str) -> MissingRange:
    lacking = tuple(Unknown(name, low, high, 1.0, crosses=False) for name in inputs)
    return MissingRange(model="m", version="1", outcome="30-day-death", range=Range(low, high), unknown=lacking)


def of(*estimates: Estimate) -> Assessment:
    return msgspec.structs.replace(ASSESSMENT, estimates=estimates, headline=None, features={})


RARE = an_estimate("cardiac-arrest-or-mi", probability=0.004)


def told(*others: Estimate, **members: Any) -> str:
    """The lines of these outcomes."""
    return "\n".join(estimate_text.figures(of(an_estimate(**members), *others)))


def test_each_outcome_has_a_line_of_its_own_beside_the_usual_figure() -> None:
    assert told(RARE, probability=0.0164, peer=PEER) == (
        "**Of 1,000 such patients, in 30 days:**\n- Death: 16 (usual 8)\n- Heart attack or arrest: 4"
    )


def test_where_nothing_is_rarer_than_1_in_100_all_are_told_of_100() -> None:
    """DEC-40: the usual figures too decide, and are told in the same."""
    common = msgspec.structs.replace(PEER, probability=0.11)
    assert told(probability=0.257, outcome="any-complication", peer=common).splitlines() == [
        "**Of 100 such patients, in 30 days:**",
        "- Any complication in hospital: 26 (usual 11)",
    ]
    assert "**Of 1,000" in told(probability=0.257, outcome="any-complication", peer=PEER)


def test_the_limits_of_an_average_and_of_what_is_not_computable_decide_too() -> None:
    assert "- Death: 20 (model's average 4–50)" in told(probability=0.02, low=0.004, high=0.05)
    lacking = an_estimate(
        "respiratory-failure", status="not-computable", needs=("asa_class",), unknown=unknown(0.004, 0.9, "asa_class")
    )
    assert "**Of 1,000" in told(lacking, probability=0.02)


def test_the_interval_is_named_for_what_it_is() -> None:
    assert "- Death: 16 (model's average 11–22; usual 8)" in told(probability=0.0164, low=0.011, high=0.022, peer=PEER)


def test_an_interval_too_narrow_to_be_told_is_left_out() -> None:
    assert "average" not in told(probability=0.0001, low=0.00005, high=0.0002)


def test_a_range_says_on_what_it_hangs() -> None:
    found = told(probability=0.008, unknown=unknown(0.004, 0.010, "asa_class"), peer=PEER)
    assert "- Death: 4–10, depending on ASA class (usual 8)" in found


def test_where_nothing_is_missing_the_range_is_that_of_the_possible_ages() -> None:
    assert "- Death: 4–10, depending on the exact age" in told(probability=0.008, unknown=unknown(0.004, 0.010))


def test_a_range_that_rounds_to_one_number_says_nothing() -> None:
    assert told(probability=0.008, unknown=unknown(0.0079, 0.0081, "bmi")).endswith("- Death: 8")


def test_the_figure_lies_within_its_range() -> None:
    """A published model may tell less of a missing result than of any value of it."""
    assert "- Death: 1–4, " in told(probability=0.0012, unknown=unknown(0.0019, 0.0040, "creatinine"))


def test_a_range_may_begin_below_one_and_never_at_zero() -> None:
    assert estimate_text.between(Range(0.0001, 0.01), 1000) == "under 1 to 10 in 1,000"
    assert estimate_text.between(Range(0.0001, 0.0002), 1000) == "fewer than 1 in 1,000"
    assert "- Death: under 1 to 10, " in told(probability=0.008, unknown=unknown(0.0001, 0.010, "asa_class"))


def test_an_open_asa_class_is_told_class_by_class() -> None:
    each = (Range(0.0004, 0.0005), Range(0.0004, 0.0021), Range(0.007, 0.007), Range(0.03, 0.04))
    found = told(probability=0.008, unknown=unknown(0.0004, 0.04, "asa_class"), by_class=each, peer=PEER)
    assert found.splitlines() == [
        "**Of 1,000 such patients in 30 days, by ASA class I–IV:**",
        "- Death: under 1 · under 1 to 2 · 7 · 30–40 (usual 8)",
    ]


def test_points_stand_on_no_card() -> None:
    assert told(outcome="frailty", status="score-only", points=2.0, maximum_points=5.0) == ""


def lacking(outcome: str, *needs: str, **members: Any) -> Estimate:
    return an_estimate(outcome=outcome, status="not-computable", needs=needs, **members)


def test_outcomes_that_lack_the_same_stand_together() -> None:
    found = estimate_text.not_computable(
        of(lacking("cardiac-arrest-or-mi", "asa_class"), lacking("30-day-death"), lacking("pneumonia", "asa_class"))
    )
    assert found == [
        "**No figure:** heart attack or arrest, pneumonia (needs ASA class); death (no model grades this operation)."
    ]


def test_what_one_missing_input_could_make_of_it_is_told() -> None:
    (found,) = estimate_text.not_computable(
        of(lacking("respiratory-failure", "sepsis", unknown=unknown(0.004, 0.019)), RARE)
    )
    assert "(needs sepsis; 4 to 19 in 1,000)" in found


def test_with_two_missing_inputs_no_range_is_told() -> None:
    told = lacking("respiratory-failure", "sepsis", "asa_class", unknown=unknown(0.004, 0.9))
    assert estimate_text.not_computable(of(told)) == [
        "**No figure:** respiratory failure (needs sepsis and ASA class)."
    ]


def test_what_is_computable_is_not_listed_as_lacking() -> None:
    assert estimate_text.not_computable(of(an_estimate(probability=0.1))) == []


@pytest.mark.parametrize("outcome", ["30-day-death", "any-complication"])
@given(probability=st.floats(0, 1), usual=st.floats(0.0001, 1))
def test_patient_and_peers_are_told_in_the_same_denominator(outcome: str, probability: float, usual: float) -> None:
    peers = msgspec.structs.replace(PEER, outcome=outcome, probability=usual)
    one = an_estimate(outcome, probability=probability, peer=peers, band="typical")
    assessment = msgspec.structs.replace(of(one), headline=one)
    figure, depends, beside = estimate_text.headline(assessment, one)
    unit = f" in {estimate_text.denominator(assessment):,}"
    assert figure.endswith(unit)
    assert (depends, " in " in beside) == ("", False)
    assert estimate_text.figures(assessment)[0].startswith(f"**Of{unit.removeprefix(' in')} such")

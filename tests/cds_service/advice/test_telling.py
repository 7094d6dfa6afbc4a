"""A number is told with its range and beside its peers, in one denominator; what cannot be told says why."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.advice import telling
from cds_service.advice.assessment import Estimate
from cds_service.advice.outcomes import BY_NAME
from models_onnx.bounds import MissingRange, Unknown
from models_onnx.peers import Peer
from models_onnx.score import PublishedRate, Range, Score
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


def told(**members: Any) -> str:
    return telling.estimate(ASSESSMENT, an_estimate(**members))


def test_the_absolute_risk_stands_beside_its_percentage_and_its_peers() -> None:
    assert told(probability=0.0164, peer=PEER, band="above-typical") == (
        "**Death within 30 days:** about 16 in 1,000 (1.6 %). Typical for spinal fusion: 8 in 1,000."
        " This is above typical."
    )


def test_the_interval_is_told_where_it_is_known() -> None:
    assert "(1.6 %; 90 % interval 1.1 to 2.2 %)" in told(probability=0.0164, low=0.011, high=0.022)


def test_an_interval_too_narrow_to_be_told_is_left_out() -> None:
    assert "interval" not in told(probability=0.0001, low=0.00005, high=0.0002)


def test_the_range_over_what_is_missing_is_in_the_same_denominator() -> None:
    found = told(probability=0.008, unknown=unknown(0.004, 0.010, "asa_class"))
    assert "Range over what is missing: 4 to 10 in 1,000." in found


def test_where_nothing_is_missing_the_range_is_that_of_the_possible_ages() -> None:
    assert "Range over the possible ages: 4 to 10 in 1,000." in told(probability=0.008, unknown=unknown(0.004, 0.010))


def test_a_range_that_rounds_to_one_number_says_nothing() -> None:
    assert "Range" not in told(probability=0.008, unknown=unknown(0.0079, 0.0081))


def test_a_range_may_begin_below_one() -> None:
    assert telling.between(Range(0.0001, 0.01), 1000) == "under 1 to 10 in 1,000"
    assert telling.between(Range(0.0001, 0.0002), 1000) == "fewer than 1 in 1,000"


def test_points_are_told_with_published_rates_side_by_side() -> None:
    rates = (PublishedRate(source="CCS 2017", probability=0.06), PublishedRate(source="Lee 1999", probability=0.009))
    found = told(
        outcome="major-cardiac-event", status="score-only", points=1.0, maximum_points=6.0, published_rates=rates
    )
    assert found == (
        "**Heart risk points (RCRI):** 1 of 6."
        " Published rates of major heart events: 6.0 % (CCS 2017, 30 days), 0.9 % (Lee 1999)."
    )


def test_points_without_published_rates_are_called_a_count() -> None:
    found = told(outcome="frailty", status="score-only", points=2.0, maximum_points=5.0)
    assert found == "**Frailty points (mFI-5):** 2 of 5 (a count, not a risk)."


def lacking(outcome: str, *needs: str, **members: Any) -> Estimate:
    return an_estimate(outcome=outcome, status="not-computable", needs=needs, **members)


def test_outcomes_that_lack_the_same_stand_together() -> None:
    found = telling.not_computable(
        [lacking("cardiac-arrest-or-mi", "asa_class"), lacking("30-day-death"), lacking("pneumonia", "asa_class")], {}
    )
    assert found == [
        "**Not computable:** heart attack or cardiac arrest, pneumonia (needs ASA class);"
        " death (no model grades this operation)."
    ]


def test_what_one_missing_input_could_make_of_it_is_told() -> None:
    (found,) = telling.not_computable([lacking("respiratory-failure", "sepsis", unknown=unknown(0.004, 0.019))], {})
    assert "(needs sepsis; 4 to 19 in 1,000)" in found


def test_with_two_missing_inputs_no_range_is_told() -> None:
    told = lacking("respiratory-failure", "sepsis", "asa_class", unknown=unknown(0.004, 0.9))
    assert telling.not_computable([told], {}) == [
        "**Not computable:** respiratory failure (needs sepsis and ASA class)."
    ]


def test_what_is_computable_is_not_listed_as_lacking() -> None:
    assert telling.not_computable([an_estimate(probability=0.1)], {}) == []


@pytest.mark.parametrize("outcome", ["30-day-death", "any-complication"])
@given(probability=st.floats(0, 1), peer=st.floats(0.0001, 1))
def test_patient_and_peers_are_told_in_the_same_denominator(outcome: str, probability: float, peer: float) -> None:
    peers = msgspec.structs.replace(PEER, outcome=outcome, probability=peer)
    found = telling.estimate(ASSESSMENT, an_estimate(outcome, probability=probability, peer=peers, band="typical"))
    denominator = f" in {BY_NAME[outcome].denominator:,}"
    assert found.count(denominator) == 2

"""Bands follow DEC-32 and warnings DEC-39 to the limit itself; the told model follows DEC-36."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from cds_service.advice import assessment as module
from cds_service.advice.assessment import Estimate
from cds_service.advice.bands import BandLimits, band
from cds_service.advice.outcomes import BY_NAME, OUTCOMES
from models_onnx.missing_ranges import MissingRange
from models_onnx.peers import Peer
from models_onnx.score import Range, Score
from tests.builders import a_condition, a_patient
from tests.cds_service.advice import people

PEER = Peer(outcome="30-day-death", procedure_group="x", n=1000, events=100, probability=0.1, source="s")


def a_score(outcome: str = "30-day-death", probability: float | None = 0.1, **members: Any) -> Score:
    given: dict[str, Any] = {
        "model": people.models().preferred[outcome][0],
        "version": "1",
        "sha256": "0",
        "outcome": outcome,
        "horizon": "30 days",
        "status": "computed" if probability is not None else "not-computable",
        "probability": probability,
    }
    return Score(**given | members)


def an_estimate(outcome: str, name: str | None, probability: float = 0.01) -> Estimate:
    return Estimate(outcome=BY_NAME[outcome], score=a_score(outcome, probability), band=name)  # type: ignore[arg-type]


def with_usual(outcome: str, usual: float | None, probability: float) -> Estimate:
    peer = None if usual is None else msgspec.structs.replace(PEER, outcome=outcome, probability=usual)
    return Estimate(outcome=BY_NAME[outcome], score=a_score(outcome, probability), peer=peer)


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (0.5, "below-typical"),
        (0.669, "below-typical"),
        (0.67, "typical"),
        (1.499, "typical"),
        (1.5, "above-typical"),
        (2.999, "above-typical"),
        (3.0, "well-above-typical"),
        (10.0, "well-above-typical"),
    ],
)
def test_a_band_begins_at_its_limit(ratio: float, expected: str) -> None:
    peer = msgspec.structs.replace(PEER, probability=0.01)
    assert band(round(0.01 * ratio, 9), peer, BandLimits()) == expected


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (Fraction(2, 3), "below-typical"),
        (Fraction(67, 100), "typical"),
        (Fraction(3, 2), "above-typical"),
        (Fraction(3), "well-above-typical"),
    ],
)
@pytest.mark.parametrize("of", [100, 1000])
def test_a_figure_at_a_limit_of_any_usual_figure_is_beyond_it(ratio: Fraction, expected: str, of: int) -> None:
    """1.5 times the usual is above the usual, also where 0.3 / 0.2 is 1.4999999999999998."""
    for usual in range(1, of // 3):
        peer = msgspec.structs.replace(PEER, probability=usual / of)
        assert band(float(usual * ratio / of), peer, BandLimits()) == expected, usual


def test_just_below_a_limit_is_not_at_it() -> None:
    peer = msgspec.structs.replace(PEER, probability=0.2)
    assert band(0.2999999, peer, BandLimits()) == "typical"


def test_without_peers_there_is_no_band() -> None:
    assert band(0.1, None, BandLimits()) is None


@pytest.mark.parametrize(
    ("estimates", "headline"),
    [
        ([("30-day-death", "typical"), ("any-complication", "above-typical")], "any-complication"),
        ([("respiratory-failure", "typical"), ("30-day-death", "typical")], "30-day-death"),
        ([("cardiac-arrest-or-mi", None), ("30-day-death", "below-typical")], "30-day-death"),
        ([("cardiac-arrest-or-mi", None), ("respiratory-failure", None)], "cardiac-arrest-or-mi"),
        ([("major-cardiac-event", None)], None),
    ],
)
def test_the_headline_is_the_highest_band_and_on_a_tie_the_gravest_outcome(
    estimates: list[tuple[str, str | None]], headline: str | None
) -> None:
    found = sorted((an_estimate(*one) for one in estimates), key=lambda one: OUTCOMES.index(one.outcome))
    chosen = module._headline(found, BandLimits())
    assert (chosen.outcome.name if chosen else None) == headline


@pytest.mark.parametrize(
    ("outcome", "usual", "probability", "warns"),
    [
        ("30-day-death", 0.02, 0.03, True),
        ("30-day-death", 0.02, 0.0299, False),
        ("30-day-death", 0.021, 0.03, False),
        ("30-day-death", 0.5, 0.06, True),
        ("30-day-death", None, 0.0599, False),
        ("30-day-death", None, 0.06, True),
        ("any-complication", 0.10, 0.18, True),
        ("any-complication", 0.10, 0.1799, False),
        ("any-complication", 0.47, 0.36, True),
        ("major-cardiac-event", None, 0.9, False),
    ],
)
def test_DEC_39_a_warning_is_a_high_risk_and_not_only_higher_than_usual(
    outcome: str, usual: float | None, probability: float, warns: bool
) -> None:
    assert module._warns(with_usual(outcome, usual, probability), BandLimits()) == warns


def test_DEC_39_a_warning_rests_on_the_least_that_is_known() -> None:
    high = with_usual("any-complication", 0.1, 0.5)
    unknown = MissingRange(model="m", version="1", outcome="any-complication", range=Range(0.17, 0.8), unknown=())
    assert module._warns(high, BandLimits())
    assert not module._warns(msgspec.structs.replace(high, unknown=unknown), BandLimits())


def test_the_thresholds_of_a_warning_are_the_tenants() -> None:
    estimate = with_usual("30-day-death", 0.01, 0.04)
    assert module._warns(estimate, BandLimits())
    assert not module._warns(estimate, BandLimits(rare=0.05))


def test_what_warns_heads_the_card_whatever_the_band() -> None:
    rare = an_estimate("30-day-death", "well-above-typical", 0.01)
    grave = an_estimate("respiratory-failure", None, 0.07)
    assert module._headline([rare, grave], BandLimits()) is grave


def test_the_first_model_that_can_answer_is_told() -> None:
    with_asa, without = people.an_assessment(people.asa(3)), people.an_assessment()
    told = [{one.outcome.name: one.score.model for one in found.estimates} for found in (with_asa, without)]
    assert told[0]["30-day-death"] == "sort-2014"
    assert told[1]["30-day-death"] == "elective-death"


def test_points_that_cannot_be_counted_are_not_told() -> None:
    told = [one for one in people.an_assessment(people.asa(3)).estimates if not one.outcome.may_head]
    assert all(one.score.status == "score-only" for one in told)


def test_an_outcome_within_a_day_never_heads_a_card() -> None:
    assert not BY_NAME["nausea-and-vomiting"].may_head
    assert all(outcome.denominator in (100, 1000) for outcome in OUTCOMES)


def test_the_headline_stands_first_among_the_estimates() -> None:
    ill = people.an_assessment(a_patient(birthDate="1942-03-02"), people.asa(4), a_condition("C61"))
    assert ill.headline is ill.estimates[0]


def test_what_missing_inputs_could_do_goes_into_the_scores() -> None:
    scores = people.an_assessment().scores
    ranged = [score for score in scores if score.missing_range is not None]
    assert ranged
    for score in ranged:
        assert score.missing_range is not None
        assert score.missing_range.low <= (score.probability or score.missing_range.low) <= score.missing_range.high

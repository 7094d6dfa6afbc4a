"""A hospital's recalibration: what it moves, that everything still adds up, and when it is refused."""

from __future__ import annotations

import datetime
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_onnx import recalibrated
from models_onnx.missing_ranges import missing_ranges
from models_onnx.model import INTERVAL_90, sigmoid
from models_onnx.recalibrated import log_odds
from models_onnx.recalibration import Recalibration, RecalibrationError
from models_onnx.recalibration_fit import CalibrationCase, fit
from models_onnx.registry import Registry
from models_onnx.score import Score
from tests.models_onnx.people import Values, a_person

DAY = datetime.date(2026, 11, 1)
CENTRE, SPREAD = -2.0, 1.2


def a_recalibration(**members: object) -> Recalibration:
    """Twice the odds at a slope of 0.8, known exactly."""
    known = {
        "id": "6f1c",
        "number": 1,
        "model": "elective-death",
        "version": "1.0.0",
        "sha256": "",
        "outcome": "30-day-death",
        "intercept": math.log(2),
        "slope": 0.8,
        "covariance": (0.0, 0.0, 0.0),
        "peer_shift": 0.3,
        "n": 4000,
        "events": 120,
        "first": DAY,
        "last": DAY,
        **members,
    }
    return Recalibration(**known)  # type: ignore[arg-type]


def scored(registry: Registry, model: str, **changes: object) -> Score:
    values: Values = a_person(**changes)  # type: ignore[arg-type]
    return next(score for score in registry.score(values) if score.model == model)


def cases(n: int, *, intercept: float, slope: float, seed: int = 7) -> list[CalibrationCase]:
    """Operations of which the model says one thing, and which happen by another."""
    random = np.random.default_rng(seed)
    logits = random.normal(CENTRE, SPREAD, n)
    true = 1 / (1 + np.exp(-(intercept + slope * logits)))
    happened = random.random(n) < true
    return [CalibrationCase(sigmoid(float(x)), 0.1, bool(y)) for x, y in zip(logits, happened, strict=True)]


@given(
    intercept=st.floats(-3, 3),
    slope=st.floats(0.1, 3),
    age=st.integers(18, 100),
    asa=st.sampled_from([1, 2, 3, 4, None]),
    model=st.sampled_from(["sort-2014", "elective-death", "elective-complication", "gupta-mica"]),
)
def test_recalibrated_contributions_sum_to_the_recalibrated_logit(
    registry: Registry, intercept: float, slope: float, age: int, asa: int | None, model: str
) -> None:
    raw = scored(registry, model, age=age, asa_class=asa)
    found = recalibrated.score(raw, a_recalibration(intercept=intercept, slope=slope))
    if raw.status != "computed":
        assert found.probability is None
        return
    assert raw.logit is not None
    assert found.logit is not None
    assert found.reference_logit is not None
    assert found.logit == pytest.approx(intercept + slope * raw.logit, abs=1e-9)
    total = math.fsum(one.log_odds for one in found.contributions) + found.reference_logit
    assert total == pytest.approx(found.logit, abs=1e-9)
    assert found.probability == pytest.approx(sigmoid(intercept + slope * raw.logit), abs=1e-12)
    assert found.raw_probability == raw.probability


def test_a_recalibration_that_changes_nothing_changes_nothing(registry: Registry) -> None:
    raw = scored(registry, "elective-complication")
    found = recalibrated.score(raw, a_recalibration(intercept=0.0, slope=1.0))
    assert (found.probability, found.low, found.high) == pytest.approx((raw.probability, raw.low, raw.high), abs=1e-12)
    assert found.contributions == raw.contributions


@pytest.mark.parametrize("model", ["rcri", "mfi-5"])
def test_points_are_never_recalibrated(registry: Registry, model: str) -> None:
    raw = scored(registry, model)
    assert recalibrated.score(raw, a_recalibration()) is raw


def test_what_the_fit_leaves_unsure_widens_the_interval(registry: Registry) -> None:
    raw = scored(registry, "elective-complication")
    exact = recalibrated.score(raw, a_recalibration(intercept=0.0, slope=1.0))
    unsure = recalibrated.score(raw, a_recalibration(intercept=0.0, slope=1.0, covariance=(0.04, 0.0, 0.0)))
    assert None not in (exact.low, exact.high, unsure.low, unsure.high, exact.logit)
    assert unsure.low < exact.low < exact.high < unsure.high  # type: ignore[operator]
    half = log_odds(exact.high) - exact.logit  # type: ignore[arg-type, operator]
    wide = log_odds(unsure.high) - exact.logit  # type: ignore[arg-type, operator]
    assert wide == pytest.approx(math.hypot(half, INTERVAL_90 * 0.2), rel=1e-9)


def test_a_model_without_an_interval_gets_none(registry: Registry) -> None:
    found = recalibrated.score(scored(registry, "sort-2014"), a_recalibration(covariance=(0.04, 0.0, 0.0)))
    assert (found.low, found.high) == (None, None)


def test_the_range_over_what_is_missing_is_that_of_the_recalibrated_scores(registry: Registry) -> None:
    by = a_recalibration()
    missing = {one.model: one for one in missing_ranges(registry, a_person(asa_class=None))}["sort-2014"]
    moved = recalibrated.missing_range(missing, by, thresholds=(0.05,))
    every = [recalibrated.score(scored(registry, "sort-2014", asa_class=asa), by) for asa in (1, 2, 3, 4)]
    told = [one.probability for one in every if one.probability is not None]
    assert (moved.range.low, moved.range.high) == pytest.approx((min(told), max(told)), rel=1e-9)
    assert moved.unknown[0].spread == pytest.approx(by.slope * missing.unknown[0].spread)
    assert moved.unknown[0].crosses
    assert not recalibrated.missing_range(missing, by, thresholds=(0.01,)).unknown[0].crosses


def test_peers_move_by_their_own_shift_and_are_not_told_without_one(registry: Registry) -> None:
    raw = registry.peer("any-complication", "spine-fusion")
    assert raw is not None
    moved = recalibrated.peer(raw, a_recalibration(peer_shift=0.3))
    assert moved is not None
    assert log_odds(moved.probability) == pytest.approx(log_odds(raw.probability) + 0.3)
    assert recalibrated.peer(raw, a_recalibration(peer_shift=None)) is None


def test_intercept_and_slope_of_a_hospital_are_found_again() -> None:
    found = fit(cases(20_000, intercept=-0.5, slope=0.7))
    assert found.intercept_interval[0] < -0.5 < found.intercept_interval[1]
    assert found.slope_interval[0] < 0.7 < found.slope_interval[1]
    assert (found.n, found.events) == (20_000, sum(case.occurred for case in cases(20_000, intercept=-0.5, slope=0.7)))


def test_after_the_fit_as_many_events_are_expected_as_were_seen() -> None:
    given_cases = cases(5_000, intercept=0.6, slope=0.9)
    found = fit(given_cases)
    expected = [sigmoid(found.intercept + found.slope * log_odds(case.probability)) for case in given_cases]
    assert math.fsum(expected) == pytest.approx(found.events, abs=1e-4)
    assert found.peer_shift is not None
    assert len(given_cases) * sigmoid(log_odds(0.1) + found.peer_shift) == pytest.approx(found.events, abs=1e-6)


def test_the_covariance_is_that_of_repeated_samples() -> None:
    samples = [fit(cases(4_000, intercept=0.3, slope=0.9, seed=seed)) for seed in range(60)]
    slopes = np.array([one.slope for one in samples])
    told = np.mean([math.sqrt(one.covariance[2]) for one in samples])
    assert told == pytest.approx(float(slopes.std(ddof=1)), rel=0.3)


@pytest.mark.parametrize("events", [0, 99])
def test_too_few_events_are_refused(events: int) -> None:
    few = [CalibrationCase(0.02 + 0.001 * (k % 7), None, k < events) for k in range(3_000)]
    with pytest.raises(RecalibrationError, match=f"3000 operations with {events} events: at least 100"):
        fit(few)


def test_a_model_that_does_not_rank_the_cases_is_not_recalibrated() -> None:
    with pytest.raises(RecalibrationError, match="does not tell these cases apart"):
        fit(cases(3_000, intercept=-1.0, slope=0.0))


def test_a_model_that_says_the_same_of_all_is_not_recalibrated() -> None:
    same = [CalibrationCase(0.1, None, k % 3 == 0) for k in range(1_000)]
    with pytest.raises(RecalibrationError, match=r"cannot be found|does not tell"):
        fit(same)


def test_too_few_peers_leave_no_peer_figure() -> None:
    alone = [CalibrationCase(case.probability, None, case.occurred) for case in cases(5_000, intercept=0.0, slope=1.0)]
    assert fit(alone).peer_shift is None

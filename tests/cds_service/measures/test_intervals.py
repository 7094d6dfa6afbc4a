"""A 95 % interval holds the truth 93 to 97 times in 100: simulated hospitals whose truth is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cds_service.measures import agreement, discrimination, net_benefit
from cds_service.measures.intervals import Figure, Values, mean, on_log, on_logit, proportion

A, B = -0.3, 0.85  # how far the model is off in these hospitals: intercept and slope on its logit
AT = 0.16
RUNS = 1_000
Measure = Callable[[Values, Values], Figure]
MEASURES: dict[str, Measure] = {
    "auroc": discrimination.auroc,
    "observed to expected": agreement.observed_to_expected,
    "slope": lambda y, p: agreement.calibration(y, p).slope,
    "intercept": lambda y, p: agreement.calibration(y, p).intercept,
    "brier": agreement.brier,
    "net benefit": lambda y, p: net_benefit.net_benefit(y, p, AT),
    "share": lambda y, _: proportion(float(y.sum()), len(y)),
}


def a_hospital(random: np.random.Generator, n: int, centre: float = -1.9) -> tuple[Values, Values]:
    logits = random.normal(centre, 0.9, n)
    truth = 1 / (1 + np.exp(-(A + B * logits)))
    return (random.random(n) < truth).astype(float), 1 / (1 + np.exp(-logits))


def coverage(operations: int, centre: float) -> dict[str, float]:
    random = np.random.default_rng(20261129)
    whole = a_hospital(random, 2_000_000, centre)
    truths = {name: measure(*whole).value for name, measure in MEASURES.items()}
    held = dict.fromkeys(MEASURES, 0)
    for _ in range(RUNS):
        y, p = a_hospital(random, operations, centre)
        for name, measure in MEASURES.items():
            found, truth = measure(y, p), truths[name]
            assert found.low is not None
            assert found.high is not None
            assert truth is not None
            held[name] += found.low <= truth <= found.high
    return {name: count / RUNS for name, count in held.items()}


# Operations, and the centre of their risks on the logit: about 13 %, 5 %, 30 % of them have the outcome.
FIRST, *OTHERS = [(1_000, -1.9), (2_000, -3.2), (400, -0.7), (5_000, -1.9)]


def test_intervals_cover_93_to_97_times_in_100() -> None:
    found = coverage(*FIRST)
    assert all(0.93 <= share <= 0.97 for share in found.values()), found


@pytest.mark.long
@pytest.mark.parametrize(("operations", "centre"), OTHERS)
def test_they_do_in_other_hospitals(operations: int, centre: float) -> None:
    found = coverage(operations, centre)
    assert all(0.93 <= share <= 0.97 for share in found.values()), found


def test_an_interval_never_leaves_what_is_possible_and_is_not_made_up() -> None:
    assert proportion(0, 0) == Figure()
    assert proportion(0, 20).low == 0.0
    assert proportion(20, 20).high == 1.0
    assert mean(np.array([])) == Figure()
    assert mean(np.array([0.5])) == Figure(0.5)
    assert on_logit(1.0, 0.1) == Figure(1.0)
    assert on_log(0.0, 0.1) == Figure(0.0)


def test_groups_of_risk_have_enough_events_and_ties_stay_together() -> None:
    y, p = a_hospital(np.random.default_rng(7), 3_000)
    found = agreement.groups(y, np.round(p, 2), least=10)
    assert 5 <= len(found) <= 10
    assert all(one.events >= 10 and one.n - one.events >= 10 for one in found)
    assert sum(one.n for one in found) == len(y)
    assert [one.predicted for one in found] == sorted(one.predicted for one in found)
    few = agreement.groups(y[:60], p[:60], least=10)
    assert len(few) <= 1

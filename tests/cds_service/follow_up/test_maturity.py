"""A week counts whole or not at all: what is known early and what is known late never bias observed : expected."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from cds_service.follow_up.maturity import Followed, happened, standing, standings

MONDAY = date(2026, 1, 5)
HORIZON, LAG = 30, 90
FIRST_DAY_THAT_COUNTS = MONDAY + timedelta(days=6 + HORIZON + LAG)
A_DAY_EARLIER = FIRST_DAY_THAT_COUNTS - timedelta(days=1)
FOLLOWED = MONDAY + timedelta(days=HORIZON)
EARLY = MONDAY + timedelta(days=2)


@pytest.mark.parametrize(
    ("of", "as_of", "expected"),
    [
        (Followed(day=MONDAY, occurred=False, observed_through=FOLLOWED), FIRST_DAY_THAT_COUNTS, "counts"),
        (Followed(day=MONDAY, occurred=False, observed_through=FOLLOWED), A_DAY_EARLIER, "not-mature"),
        (Followed(day=MONDAY, occurred=True, occurred_on=EARLY), A_DAY_EARLIER, "not-mature"),
        (Followed(day=MONDAY, occurred=True, occurred_on=EARLY), FIRST_DAY_THAT_COUNTS, "counts"),
        (Followed(day=MONDAY, occurred=False, observed_through=FOLLOWED - timedelta(1)), FIRST_DAY_THAT_COUNTS, "lost"),
        # With an event: lost where the file says that they were followed beyond it, and not through the horizon.
        (Followed(day=MONDAY, occurred=True, occurred_on=EARLY, observed_through=FOLLOWED - timedelta(1)),
         FIRST_DAY_THAT_COUNTS, "lost"),
        (Followed(day=MONDAY, occurred=True, occurred_on=EARLY, observed_through=FOLLOWED),
         FIRST_DAY_THAT_COUNTS, "counts"),
        (Followed(day=MONDAY, occurred=True, occurred_on=EARLY, observed_through=EARLY),
         FIRST_DAY_THAT_COUNTS, "counts"),
        (Followed(day=MONDAY, occurred=False), FIRST_DAY_THAT_COUNTS, "undated"),
        (Followed(day=MONDAY, occurred=True), FIRST_DAY_THAT_COUNTS, "undated"),
        (Followed(day=MONDAY), FIRST_DAY_THAT_COUNTS, "unknown"),
        (Followed(day=MONDAY, contradicted=True), FIRST_DAY_THAT_COUNTS, "contradicted"),
        # The Sunday of a week counts on the same day as its Monday.
        (Followed(day=MONDAY + timedelta(6), occurred=False, observed_through=FOLLOWED + timedelta(6)),
         FIRST_DAY_THAT_COUNTS, "counts"),
    ],
)  # fmt: skip
def test_an_operation_counts_once_its_week_is_known_whole(of: Followed, as_of: date, expected: str) -> None:
    assert standing(of, horizon_days=HORIZON, as_of=as_of, lag_days=LAG) == expected


@pytest.mark.parametrize(("days", "expected"), [(0, True), (30, True), (31, False)])
def test_an_outcome_after_the_horizon_is_none(days: int, expected: bool) -> None:
    of = Followed(day=MONDAY, occurred=True, occurred_on=MONDAY + timedelta(days), observed_through=None)
    assert happened(of, horizon_days=HORIZON) is expected


def test_how_many_stand_how() -> None:
    of = [Followed(day=MONDAY), Followed(day=MONDAY, occurred=False)]
    found = standings(of, horizon_days=HORIZON, as_of=FIRST_DAY_THAT_COUNTS)
    assert (found.count("unknown"), found.count("undated"), found.count("counts")) == (1, 1, 0)


def _one_hospital(random: np.random.Generator, *, withhold: bool) -> tuple[float, float]:
    """Observed and expected of 2,000 operations over 40 weeks, as the record has them on the last day.

    Each has its own risk; an event comes within 30 days and is reported 0 to 90 days later. Until then the register
    says "not so far", through yesterday less its lag.
    """
    n, last = 2_000, 40 * 7
    operated = random.integers(0, last, n)
    risk = 1 / (1 + np.exp(-random.normal(-2.0, 0.8, n)))
    event = random.random(n) < risk
    event_after = random.integers(0, HORIZON + 1, n)
    known = event & (operated + event_after + random.integers(0, LAG + 1, n) <= last)
    observed = expected = 0.0
    for day, p, is_known, after in zip(operated, risk, known, event_after, strict=True):
        start = MONDAY + timedelta(int(day))
        of = Followed(
            day=start,
            occurred=bool(is_known),
            occurred_on=start + timedelta(int(after)) if is_known else None,
            observed_through=MONDAY + timedelta(days=last - LAG),
        )
        counts = standing(of, horizon_days=HORIZON, as_of=MONDAY + timedelta(last), lag_days=LAG) == "counts"
        if counts or not withhold:
            observed += happened(of, horizon_days=HORIZON)
            expected += p
    return observed, expected


@pytest.mark.parametrize("runs", [200, pytest.param(1_000, marks=pytest.mark.long)])
def test_reports_that_come_0_to_90_days_late_leave_observed_to_expected_unbiased(runs: int) -> None:
    random = np.random.default_rng(20261129)
    observed, expected = np.sum([_one_hospital(random, withhold=True) for _ in range(runs)], axis=0)
    assert abs(observed / expected - 1) < 0.02
    observed, expected = np.sum([_one_hospital(random, withhold=False) for _ in range(10)], axis=0)
    assert observed / expected < 0.9, "what counts every operation at once would have shown a risk that is too low"


def _lost_hospital(random: np.random.Generator, *, says_how_far: bool) -> tuple[float, float]:
    """Observed and expected of 2,000 mature operations, of which one in five was followed for fewer days than asked."""
    observed = expected = 0.0
    for _ in range(2_000):
        risk = float(1 / (1 + np.exp(-random.normal(-2.0, 0.8))))
        after = int(random.integers(0, HORIZON)) if random.random() < risk else None
        followed = int(random.integers(0, HORIZON)) if random.random() < 0.2 else HORIZON
        seen = after is not None and after <= followed
        through = after if seen and after is not None and not says_how_far else followed
        of = Followed(
            day=MONDAY,
            occurred=seen,
            occurred_on=MONDAY + timedelta(after) if seen and after is not None else None,
            observed_through=MONDAY + timedelta(through),
        )
        if standing(of, horizon_days=HORIZON, as_of=FIRST_DAY_THAT_COUNTS, lag_days=LAG) == "counts":
            observed += happened(of, horizon_days=HORIZON)
            expected += risk
    return observed, expected


def test_who_was_lost_is_left_out_with_an_event_as_without_where_the_file_says_how_far_they_were_followed() -> None:
    random = np.random.default_rng(20261129)
    observed, expected = np.sum([_lost_hospital(random, says_how_far=True) for _ in range(40)], axis=0)
    assert abs(observed / expected - 1) < 0.025
    observed, expected = np.sum([_lost_hospital(random, says_how_far=False) for _ in range(40)], axis=0)
    assert observed / expected > 1.06, "a file that ends with the event leaves events of those who were lost in"

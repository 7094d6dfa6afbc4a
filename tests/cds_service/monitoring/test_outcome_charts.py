"""Charts of outcomes where more happens than was told: their alarms, horizons, and the figure that counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from cds_service.monitoring import blind_spots, outcome_series, prometheus, watch
from cds_service.monitoring.monitors import monitors
from cds_service.monitoring.outcome_series import Outcomes
from cds_service.monitoring.risk_cusum import SHIFT
from cds_service.monitoring.series import Weeks
from cds_service.monitoring.watch import Watched
from models_onnx.outcome_horizons import outcome_horizons

MONDAY, WEEKS, A_WEEK = date(2025, 9, 1), 40, 25
TODAY = MONDAY + timedelta(weeks=WEEKS)
OUTCOME = "any-complication"


def rows(*, told: float = 0.13, true: float = 0.5, weeks: int = WEEKS, **members: Any) -> list[dict[str, Any]]:
    """The scores' export of so many weeks of operations, each with its outcome; `members` of every row."""
    random = np.random.default_rng(3)
    return [
        _row(MONDAY + timedelta(days=7 * week + number % 5), f"{week}-{number}", told, random.random() < true) | members
        for week in range(weeks)
        for number in range(A_WEEK)
    ]


def _row(day: date, operation: str, told: float, occurred: bool) -> dict[str, Any]:
    return {
        "received_at": datetime(day.year, day.month, day.day, 9, tzinfo=UTC).isoformat(),
        "outcome": OUTCOME,
        "model": "m",
        "version": "1",
        "state": "champion",
        "probability": told,
        "raw_probability": told,
        "occurred": int(occurred),
        "occurred_on": day + timedelta(days=3) if occurred else None,
        "observed_through": day + timedelta(days=60),
        "operated_on": day,
        "operation": operation,
        "of_operation": 1,
        "sex": "female",
        "age_band": "50-64",
    }


def watched(of: list[dict[str, Any]], *, horizons: dict[str, int | None] | None = None) -> Watched:
    horizons = {OUTCOME: None} if horizons is None else horizons
    scored = outcome_series.scored(iter(of), horizons)
    outcomes = tuple(outcome_series.charts(scored, today=TODAY))
    return Watched(
        tenant="t",
        made_on=TODAY,
        weeks=Weeks(MONDAY, WEEKS),
        calls=len(of),
        operations=len(of),
        charts=watch.drawn((), outcomes, Weeks(MONDAY, WEEKS), monitors()),
        silences=(),
        overrides=(),
        never_had=(),
        standings=outcome_series.standings(scored, today=TODAY),
        observed=(),
    )


def _alarms(of: Watched, figure: str) -> int:
    told = prometheus.exposition([of], monitors(), at=datetime(2026, 6, 8, tzinfo=UTC))
    return int(next(line for line in told.splitlines() if f'figure="{figure}"' in line).rpartition(" ")[2])


def test_more_harm_than_was_told_is_an_alarm_for_prometheus_when_its_weeks_begin_to_count() -> None:
    of = watched(rows())
    assert _alarms(of, "calibration") > 0
    assert _alarms(of, "subgroups") > 0


def test_an_alarm_of_weeks_that_counted_long_ago_asks_for_nothing_now() -> None:
    of = watched(rows(weeks=12))
    assert of.alarms("calibration")
    assert _alarms(of, "calibration") == 0


def test_an_operation_is_followed_as_long_as_the_model_looks_that_told_it() -> None:
    late = {"occurred": 1, "occurred_on": TODAY - timedelta(days=1)}
    day = date(2025, 9, 8)
    of = [
        _row(day, f"{horizon}-{number}", 0.1, occurred=True) | {"horizon_days": horizon} | late
        for horizon in (7, None)
        for number in range(50)
    ]
    (chart, *_) = outcome_series.charts(outcome_series.scored(iter(of), {OUTCOME: 7}), today=TODAY)
    assert (len(chart.happened), chart.happened.sum()) == (100, 50)


def test_an_outcome_whose_horizon_nobody_knows_is_told_and_not_charted() -> None:
    of = watched(rows(), horizons={})
    assert of.standings == {OUTCOME: {"horizon not known": WEEKS * A_WEEK}}
    assert not of.charts


def test_an_outcome_of_several_models_has_the_horizon_of_the_first_that_is_told() -> None:
    assert outcome_horizons()[OUTCOME] is None


def test_a_recalibrated_figure_is_held_to_what_was_told_and_severity_to_the_models_own() -> None:
    of = rows(told=0.5, raw_probability=0.13)
    assert not watched(of).alarms("calibration")
    assert watched(rows(raw_probability=0.5)).alarms("calibration")
    (levels,) = watch.severity(outcome_series.scored(iter(of), {OUTCOME: None}), Weeks(MONDAY, WEEKS))
    assert levels.streams.first[0, 0] / A_WEEK == pytest.approx(np.log(0.13 / 0.87))


def test_weeks_that_differ_more_than_chance_make_the_told_delay_longer() -> None:
    weeks = np.repeat(np.arange(40), 50)
    happened = {by: np.tile(np.arange(50), 40) < 6.5 + by * np.where(weeks % 2, 1, -1) for by in (0.5, 6)}
    told = {
        by: outcome_series.delay_weeks(
            Outcomes(
                figure="calibration",
                outcome=OUTCOME,
                label="",
                risks=np.full(2000, 0.13),
                happened=of.astype(float),
                weeks=weeks,
                countable=weeks,
                first_monday=MONDAY,
            ),
            867,
            SHIFT,
        )
        for by, of in happened.items()
    }
    assert told[6] > 2 * told[0.5]


def test_the_told_wait_is_that_of_the_outcomes_own_horizon() -> None:
    (chart, *_) = outcome_series.charts(outcome_series.scored(iter(rows()), {OUTCOME: 8}), today=TODAY)
    assert "and 14 weeks until they count" in blind_spots.of_outcomes(chart, 867, SHIFT)

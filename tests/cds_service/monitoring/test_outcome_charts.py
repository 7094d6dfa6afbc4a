"""Charts of outcomes where more happens than was told: their alarms, horizons, and the figure that counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from cds_service.follow_up.maturity import Followed
from cds_service.monitoring import blind_spots, outcome_series, prometheus, risk_cusum, watch
from cds_service.monitoring.monitors import monitors
from cds_service.monitoring.outcome_series import Outcomes, Scored
from cds_service.monitoring.outcome_tally import OutcomeTally
from cds_service.monitoring.risk_cusum import SHIFT
from cds_service.monitoring.watch import Watched
from cds_service.monitoring.weeks import Weeks
from cds_service.records.watched_calls import KnownResult, LookedAhead, ModelScore, WatchedCall
from models_onnx.outcome_horizons import outcome_horizons

MONDAY, WEEKS, A_WEEK = date(2025, 9, 1), 40, 25
TODAY = MONDAY + timedelta(weeks=WEEKS)
OUTCOME = "any-complication"


def operations(*, told: float = 0.13, true: float = 0.5, weeks: int = WEEKS, **members: Any) -> list[Scored]:
    """So many weeks of operations, each with its outcome; `members` of each."""
    random = np.random.default_rng(3)
    return [
        _scored(MONDAY + timedelta(days=7 * week + number % 5), told, random.random() < true, **members)
        for week in range(weeks)
        for number in range(A_WEEK)
    ]


def _scored(day: date, told: float, occurred: bool, **members: Any) -> Scored:
    found: dict[str, Any] = {"occurred": occurred, "occurred_on": day + timedelta(days=3) if occurred else None}
    of: dict[str, Any] = {
        "day": day,
        "asked": day,
        "outcome": OUTCOME,
        "risk": told,
        "own": told,
        "sex": "female",
        "age_band": "50-64",
        "known": Followed(day=day, observed_through=day + timedelta(days=60), **found),
        "horizon_days": None,
        "is_horizon_known": True,
    }
    return Scored(**of | members)


def tallied(of: list[Scored]) -> OutcomeTally:
    tally = OutcomeTally(TODAY)
    for number, one in enumerate(of):
        tally.add(one, number)
    return tally


def watched(of: list[Scored]) -> Watched:
    tally = tallied(of)
    charts, observed = watch.outcome_charts(tally, monitors())
    return Watched(
        tenant="t",
        made_on=TODAY,
        weeks=Weeks(MONDAY, WEEKS),
        calls=len(of),
        operations=len(of),
        charts=charts,
        silences=(),
        overrides=(),
        never_had=(),
        standings=tally.standings(),
        observed=observed,
    )


def _alarms(of: Watched, figure: str) -> int:
    told = prometheus.exposition([of], monitors(), at=datetime(2026, 6, 8, tzinfo=UTC))
    return int(next(line for line in told.splitlines() if f'figure="{figure}"' in line).rpartition(" ")[2])


def test_more_harm_than_was_told_is_an_alarm_for_prometheus_when_its_weeks_begin_to_count() -> None:
    of = watched(operations())
    assert _alarms(of, "calibration") > 0
    assert _alarms(of, "subgroups") > 0


def test_an_alarm_of_weeks_that_counted_long_ago_asks_for_nothing_now() -> None:
    of = watched(operations(weeks=12))
    assert of.alarms("calibration")
    assert _alarms(of, "calibration") == 0


def _call(*predictions: LookedAhead) -> WatchedCall:
    models = (ModelScore("m", "1", OUTCOME, probability=0.2, raw_probability=0.1),)
    at = datetime(2025, 9, 8, 9, tzinfo=UTC)
    none: dict[str, Any] = {"reason": "", "total_ms": 1.0, "unmapped": False, "inputs": (), "said": {}, "asked": None}
    return WatchedCall(id="1", at=at, decision="silence", models=models, result=KnownResult(predictions), **none)


def test_the_horizon_is_that_of_the_model_that_told_the_risk() -> None:
    own = outcome_series.told_risks(_call(LookedAhead(OUTCOME, "m", "1", 30)), {OUTCOME: 7})
    until_discharge = outcome_series.told_risks(_call(LookedAhead(OUTCOME, "m", "1")), {OUTCOME: 7})
    of_another = outcome_series.told_risks(_call(LookedAhead(OUTCOME, "m", "2", 30)), {OUTCOME: 7})
    unknown = outcome_series.told_risks(_call(), {})
    found = [(one.horizon_days, one.is_horizon_known) for (one,) in (own, until_discharge, of_another, unknown)]
    assert found == [(30, True), (None, True), (7, True), (None, False)]
    assert (own[0].risk, own[0].own) == (0.2, 0.1)


def test_an_operation_is_followed_as_long_as_the_model_looks_that_told_it() -> None:
    day = date(2025, 9, 8)
    late = Followed(day=day, occurred=True, occurred_on=TODAY - timedelta(days=1), observed_through=TODAY)
    of = [_scored(day, 0.1, True, horizon_days=horizon, known=late) for horizon in (7, None) for _ in range(50)]
    (chart, *_) = tallied(of).charts()
    assert (len(chart.happened), chart.happened.sum()) == (100, 50)


def test_somebody_of_whom_neither_sex_nor_age_is_known_counts_once_in_the_group_of_both() -> None:
    of = operations(weeks=3, sex="not known", age_band="not known")
    assert [(one.label, len(one.risks)) for one in tallied(of).charts()] == [("", 75), ("not known", 75)]


def test_an_outcome_whose_horizon_nobody_knows_is_told_and_not_charted() -> None:
    of = watched(operations(is_horizon_known=False))
    assert of.standings == {OUTCOME: {"horizon not known": WEEKS * A_WEEK}}
    assert not of.charts


def test_a_chart_of_many_operations_holds_what_a_picture_shows() -> None:
    (chart, _) = watched(operations(true=0.13)).charts["calibration"]
    assert len(chart.days) == len(chart.values) <= 2 * watch.MOST_POINTS
    assert chart.days[-1] == MONDAY + timedelta(weeks=int((TODAY - MONDAY).days / 7) - 18)


def test_an_outcome_of_several_models_has_the_horizon_of_the_first_that_is_told() -> None:
    assert outcome_horizons()[OUTCOME] is None


def test_a_recalibrated_figure_is_held_to_what_was_told() -> None:
    assert not watched(operations(told=0.5, own=0.13)).alarms("calibration")
    assert watched(operations(own=0.5)).alarms("calibration")


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
    (chart, *_) = tallied(operations(horizon_days=8)).charts()
    assert "and 14 weeks until they count" in blind_spots.of_outcomes(chart, 867, SHIFT)


def test_the_chart_of_one_stream_is_that_of_many() -> None:
    random = np.random.default_rng(4)
    risks = random.uniform(0.02, 0.4, (3, 500))
    happened = (random.random(risks.shape) < 1.8 * risks).astype(float)
    together = risk_cusum.chart(risks, happened, limit_=3.0)
    alone = [risk_cusum.chart_of_one(*of, limit_=3.0) for of in zip(risks, happened, strict=True)]
    assert together.signals.any(axis=1).all()
    assert np.array_equal(together.values, [one.values for one in alone])
    assert np.array_equal(together.signals, [one.signals for one in alone])

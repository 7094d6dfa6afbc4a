"""The figures that the charts have to reach, on simulated hospitals; `make long` runs them at full size."""

from __future__ import annotations

import numpy as np
import pytest

from cds_service.monitoring import ewma
from tests.simulations import faults, hospitals, outcome_charts, severity
from tests.simulations.outcome_charts import BASE_RATE, SHIPPED


@pytest.mark.parametrize(("volume", "weeks"), [(50, 9.9), (200, 2.5)])
def test_one_chart_alone_base_rate_13_percent_half_a_logit_in_control_10000_weeks(volume: int, weeks: float) -> None:
    found = outcome_charts.mean_weeks(BASE_RATE, volume=volume, nominal_weeks=10_000, by=0.5, charts=4_000)
    assert found == pytest.approx(weeks, rel=0.10)


@pytest.mark.parametrize("risks", [BASE_RATE, SHIPPED], ids=["one risk", "the shipped model's"])
def test_in_control_run_length_within_10_percent_of_nominal(risks: np.ndarray) -> None:
    found = outcome_charts.mean_weeks(risks, volume=50, nominal_weeks=26, by=0.0, charts=2_000)
    assert found == pytest.approx(26, rel=0.10)


@pytest.mark.long
@pytest.mark.parametrize("nominal", [104, 867])
@pytest.mark.parametrize("risks", [BASE_RATE, SHIPPED], ids=["one risk", "the shipped model's"])
def test_in_control_run_length_within_10_percent_of_nominal_over_10000_simulated_charts(
    risks: np.ndarray, nominal: int
) -> None:
    found = outcome_charts.mean_weeks(risks, volume=50, nominal_weeks=nominal, by=0.0, charts=10_000)
    assert found == pytest.approx(nominal, rel=0.10)


def test_the_limit_of_an_ewma_gives_its_run_length() -> None:
    scores = np.random.default_rng(1).normal(size=(2_000, 600))
    limit = ewma.limit(0.3, 100)
    value, alarms = np.zeros(2_000), 0
    for week in scores.T:
        value = 0.7 * value + 0.3 * week
        alarms += int((np.abs(value) >= limit).sum())
        value = np.where(np.abs(value) >= limit, 0.0, value)
    assert scores.size / alarms == pytest.approx(100, rel=0.10)


@pytest.mark.parametrize("fault", faults.FAULTS)
def test_a_fault_is_told_in_time(fault: str) -> None:
    delay, _unit, most = faults.FAULTS[fault]
    told = delay(hospitals=30, volume=50)
    assert np.median(told) <= most
    assert np.mean(told <= most) >= 0.9


def test_a_rise_in_case_severity_of_0_3_logit_found_as_such_within_4_weeks_without_a_calibration_alarm() -> None:
    told, calibration = faults.sicker_patients(hospitals=100, volume=50)
    assert np.median(told) <= 4
    assert calibration.mean() <= 0.10  # what chance alone gives in 30 weeks


def test_the_chart_of_severity_does_as_well_as_any_can_but_for_what_it_has_to_learn() -> None:
    best, told, ours = severity.best(50), severity.told_the_usual(50), severity.ours(50, hospitals=500)
    assert best.mean == pytest.approx(3.2, rel=0.05)
    assert best.within(4) == pytest.approx(0.87, abs=0.02)
    assert told.within(4) == pytest.approx(best.within(4), abs=0.03)
    assert ours.within(4) >= 0.6
    assert severity.ours(70, hospitals=500).within(4) >= 0.8


def test_family_false_alarms_at_most_1_in_104_weeks_with_every_chart_on() -> None:
    assert hospitals.weeks_for_each_alarm(sites=30, volume=50, varies=False) >= 104


@pytest.mark.long
@pytest.mark.parametrize("volume", [50, 200])
@pytest.mark.parametrize("varies", [False, True], ids=["chance alone", "over-dispersed and seasonal"])
def test_family_false_alarms_at_most_1_in_104_weeks_of_streams_that_vary(volume: int, varies: bool) -> None:
    assert hospitals.weeks_for_each_alarm(sites=200, volume=volume, varies=varies) >= 104

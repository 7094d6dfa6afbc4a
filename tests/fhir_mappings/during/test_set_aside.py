"""What is set aside ends the value before it, and no score rests on a heart that may have stood still."""

from __future__ import annotations

import pytest

from fhir_mappings.during.amount_totals import amount_total
from fhir_mappings.during.apgar_inputs import NO_PULSE, apgar_components
from fhir_mappings.during.artefacts import without_artefacts
from fhir_mappings.during.case_summary import case_summary
from fhir_mappings.during.course import Course
from fhir_mappings.during.notices import notices, stopped
from fhir_mappings.during.steps import steps
from tests.fhir_mappings.during.courses import course, every, line, trace

ALL_ASIDE = {
    "heart rate of 0": course(trace("heart-rate", every(10, [0] * 12)), minutes=2),
    "probe in the room": course(trace("temperature", every(60, [21.0] * 10)), minutes=10),
    "open line": course(*line(every(10, [4] * 12), every(10, [2] * 12), every(10, [1] * 12)), minutes=2),
    "flushed line": course(*line(every(10, [298] * 12), every(10, [295] * 12), every(10, [292] * 12)), minutes=2),
    "mean above systolic": course(*line({0: 80}, {0: 90}, {0: 60}, "cuff"), minutes=2),
    "out of range": course(*line({0: 310}, {0: 150}, {0: 90}, "cuff"), minutes=2),
}


@pytest.mark.parametrize("name", ALL_ASIDE)
def test_a_signal_whose_values_were_all_set_aside_is_a_gap(name: str) -> None:
    one = ALL_ASIDE[name]
    found = case_summary(one)
    assert all(steps(found.course, each.signal) == () for each in one.traces)
    assert all(exposure.minutes is None for exposure in found.exposures)
    assert all(component.value is None for component in found.apgar)
    assert notices(found.course, {}) == stopped(found.course) == ()


def test_a_value_that_is_set_aside_ends_the_value_before_it() -> None:
    one = without_artefacts(course(trace("heart-rate", {0: 73, 10: 0, 20: 0, 100: 71}), minutes=3))
    assert [(step.begin, step.end, step.sample.value) for step in steps(one, "heart-rate")] == [
        (0, 10, 73),
        (100, 180, 71),
    ]


def arrest(rate: float = 0, pressures: tuple[float, float, float] = (22, 19, 18)) -> Course:
    """An hour at 85 mmHg and 73 per minute, with three minutes of an arrest, a value each 10 s."""
    told = [[level + n % 3 for n in range(360)] for level in (120, 85, 60, 73)]
    for position in range(180, 198):
        for values, value in zip(told, (*pressures, rate), strict=True):
            values[position] = value
    systolic, mean, diastolic, rates = (every(10, list(map(float, values))) for values in told)
    return without_artefacts(course(*line(systolic, mean, diastolic), trace("heart-rate", rates)))


def components(one: Course) -> dict[str, tuple[float | None, str]]:
    return {each.name: (each.value, each.reason) for each in apgar_components(one, amount_total(one, "blood-loss"))}


def test_an_arrest_is_the_lowest_pressure_and_leaves_the_rate_unknown() -> None:
    found = components(arrest())
    assert found["lowest_mean_pressure"] == (19, "")
    assert found["lowest_heart_rate"] == (None, NO_PULSE)


@pytest.mark.parametrize("pressures", [(8, 6, 5), (4, 2, 1), (19, 16, 15), (64, 62, 60)])
def test_a_pressure_without_a_pulse_that_was_set_aside_leaves_the_pressure_unknown(
    pressures: tuple[float, float, float],
) -> None:
    found = components(arrest(rate=73, pressures=pressures))
    assert found["lowest_mean_pressure"] == (None, NO_PULSE)
    assert found["lowest_heart_rate"] == (73, "")


def test_a_flush_and_a_lead_that_was_touched_leave_the_components() -> None:
    assert components(arrest(73, (298, 295, 292)))["lowest_mean_pressure"] == (85, "")
    rates = every(5, [70.0 + n % 3 for n in range(720)]) | {1000.0: 0.0, 1005.0: 0.0}
    assert components(without_artefacts(course(trace("heart-rate", rates))))["lowest_heart_rate"] == (70, "")


def test_a_single_rate_of_0_between_two_minutes_leaves_the_rate_unknown() -> None:
    rates = every(60, [70.0] * 60) | {1200.0: 0.0}
    assert components(without_artefacts(course(trace("heart-rate", rates))))["lowest_heart_rate"] == (None, NO_PULSE)

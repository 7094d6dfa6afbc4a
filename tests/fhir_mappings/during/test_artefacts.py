"""Every rule for artefacts: what it must touch, and what it must not."""

from __future__ import annotations

import pytest

from fhir_mappings.during import artefact_rules
from fhir_mappings.during.artefacts import without_artefacts
from fhir_mappings.during.course import Course, Sample, Trace
from tests.fhir_mappings.during.courses import course, every, line, trace

STEADY = [78.0, 80.0, 79.0, 81.0, 80.0, 78.0, 79.0, 82.0]


def _aside(one: Course) -> dict[str, list[float]]:
    """By rule the seconds at which something was set aside."""
    found: dict[str, list[float]] = {}
    for trace_ in without_artefacts(one).traces:
        for aside in trace_.aside:
            found.setdefault(aside.rule, []).append(aside.sample.at)
    return {rule: sorted(set(at)) for rule, at in found.items()}


def _with(values: list[float], **at: float) -> list[float]:
    return [at.get(f"n{number}", value) for number, value in enumerate(values)]


def _line(seconds: float, systolic: list[float], mean: list[float], diastolic: list[float]) -> Course:
    return course(*line(every(seconds, systolic), every(seconds, mean), every(seconds, diastolic)))


def _heart_rates(*samples: Sample) -> Course:
    return course(Trace("heart-rate", "unstated", samples))


def _rule_of(name: str) -> str:
    return name.partition(",")[0].partition(" ")[0]


def _moving(level: float, count: int = 8) -> list[float]:
    return [level + (number * 3) % 5 for number in range(count)]


TOUCHED = {
    "flush": (
        _line(10, _with(_moving(120), n3=298), _with(_moving(80), n3=295), _with(_moving(60), n3=292)),
        [30.0],
    ),
    "disconnection": (
        _line(10, _with(_moving(120), n3=4), _with(_moving(80), n3=2), _with(_moving(60), n3=1)),
        [30.0],
    ),
    "disconnection of a probe": (course(trace("temperature", every(300, [36.1, 36.0, 22.0, 36.1]))), [600.0]),
    "pressure-order, mean above systolic": (
        _line(60, _moving(120), _with(_moving(80), n2=130), _moving(60)),
        [120.0],
    ),
    "pressure-order, no pulse": (_line(60, _with(_moving(120), n2=64), _moving(62), _moving(60)), [120.0]),
    "out-of-range": (course(*line({0: 310}, {0: 150}, {0: 90}, "cuff")), [0.0]),
    "out-of-range heart rate": (course(trace("heart-rate", every(10, [70, 0, 72]))), [10.0]),
    "spike": (course(trace("mean-pressure", every(30, _with(STEADY, n4=130)), "invasive")), [120.0]),
    "spike of 20 s at a value a second": (
        course(trace("mean-pressure", every(1, [80, 81] * 10 + [125, 126] * 10 + [80, 81] * 10), "invasive")),
        [float(second) for second in range(20, 40)],
    ),
    "spike downwards, with all pressures of the instant": (
        _line(10, _with(_moving(130), n3=70), _with(_moving(80), n3=60), _with(_moving(60), n3=50)),
        [30.0],
    ),
    "spike of the heart rate": (course(trace("heart-rate", every(5, [70, 72, 140, 71, 70]))), [10.0]),
    "spike of the saturation": (course(trace("spo2", every(5, [98, 98, 70, 97, 98]))), [10.0]),
    "spike of the temperature": (course(trace("temperature", every(60, [36.1, 36.1, 37.4, 36.2]))), [120.0]),
    "frozen": (
        _line(60, [110, *[115] * 6, 112], [70, *[75] * 6, 72], [50, *[55] * 6, 52]),
        [120.0, 180.0, 240.0, 300.0, 360.0],
    ),
    "conflict": (
        _heart_rates(Sample(0, 60, "a", "d"), Sample(0, 90, "b", "d"), Sample(5, 61, "c", "d")),
        [0.0],
    ),
    "out-of-range saturation": (course(trace("spo2", every(10, [98, 0, 97]))), [10.0]),
    "another-code": (
        _heart_rates(Sample(0, 60, "a", "d"), Sample(0, 90, "b", "d", second=True), Sample(5, 91, "c", "d", True)),
        [0.0],
    ),
    "another-device": (
        _heart_rates(Sample(0, 60, "a", "d"), Sample(0, 90, "b", "e"), Sample(5, 61, "c", "d")),
        [0.0],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TOUCHED)
def test_a_rule_touches_what_it_must_and_nothing_else(name: str) -> None:
    one, at = TOUCHED[name]
    assert _aside(one) == {_rule_of(name): at}


LEFT_ALONE = {
    "a pressure of a patient in shock": _line(10, _moving(55), _moving(42), _moving(35)),
    "the pressure that remains in an arrest, without a pulse": _line(10, [22] * 8, [19] * 8, [18] * 8),
    "the pressure that remains in an arrest": _line(10, _moving(26), _moving(20), _moving(18)),
    "a high pressure with a pulse": _line(10, _moving(240), _moving(184), _moving(150)),
    "a damped line with a narrow pulse": _line(10, _moving(134), _moving(131), _moving(126)),
    "a low mean with a pulse": _line(10, _moving(30), _moving(9), [6 + number % 2 for number in range(8)]),
    "a systolic pressure 6 mmHg above the diastolic": course(*line({0: 66}, {0: 62}, {0: 60})),
    "a mean equal to the systolic pressure of a cuff, rounded": course(
        trace("systolic-pressure", {0: 70}, "cuff"), trace("mean-pressure", {0: 70}, "cuff")
    ),
    "limits of the range": course(*line({0: 299, 1: 21}, {0: 200, 1: 14}, {0: 180, 1: 6}, "cuff")),
    "a collapse that stays": course(trace("mean-pressure", every(60, [85, 84, 40, 38, 41, 40]), "invasive")),
    "a fall that lasts 40 s": course(
        trace("mean-pressure", every(1, [85, 84] * 20 + [40, 41] * 20 + [85, 84] * 20), "invasive")
    ),
    "a single low value between two of a minute": course(
        trace("mean-pressure", every(60, _with(STEADY, n4=38)), "invasive")
    ),
    "a single slow rate between two of a minute": course(trace("heart-rate", every(60, [80, 81, 25, 82, 80]))),
    "a mean that stands still without the other two": course(trace("mean-pressure", every(60, [75] * 9), "invasive")),
    "a mean and systolic that stand still": course(
        trace("mean-pressure", every(60, [75] * 9), "invasive"),
        trace("systolic-pressure", every(60, [115] * 9), "invasive"),
    ),
    "a pulse rate alone": _heart_rates(Sample(0, 60, "a", "d", second=True), Sample(5, 61, "b", "d", second=True)),
    "a leap of 39": course(trace("mean-pressure", every(60, [80, 119, 80]), "invasive")),
    "a low value of a cuff between two of five minutes": course(
        trace("mean-pressure", every(300, [85, 42, 84]), "cuff")
    ),
    "a gap with another level behind it": course(trace("mean-pressure", {0: 85, 600: 40, 660: 84}, "invasive")),
    "a heart rate that doubles and stays": course(trace("heart-rate", every(5, [60, 61, 125, 126, 124, 127]))),
    "a paced heart": course(trace("heart-rate", every(60, [70] * 60))),
    "a saturation of 100 for an hour": course(trace("spo2", every(60, [100] * 60))),
    "a cuff that tells the same for half an hour": course(trace("mean-pressure", every(300, [75] * 7), "cuff")),
    "a mean that stands while the pulse moves": _line(60, _moving(120), [80] * 8, _moving(60)),
    "five equal values in four minutes": course(trace("mean-pressure", every(60, [75] * 5), "invasive")),
    "an arrested heart rate of 25": course(trace("heart-rate", every(10, [30, 25, 28]))),
    "a cold patient": course(trace("temperature", every(300, [33.2, 33.0, 32.9]))),
    "a temperature that falls slowly": course(trace("temperature", every(300, [36.8, 36.2, 35.4, 34.9]))),
    "two devices that take turns": _heart_rates(Sample(0, 60, "a", "d"), Sample(5, 90, "b", "e")),
}


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_a_rule_touches_nothing_that_it_must_not(name: str) -> None:
    assert _aside(LEFT_ALONE[name]) == {}


def test_every_rule_has_a_case_that_it_touches_and_a_source() -> None:
    assert set(map(_rule_of, TOUCHED)) == set(artefact_rules.RULES)
    assert all(rule.source and rule.words for rule in artefact_rules.RULES.values())


def test_nothing_is_lost_and_nothing_is_made_up() -> None:
    for one in (*(one for one, _ in TOUCHED.values()), *LEFT_ALONE.values()):
        for before, after in zip(one.traces, without_artefacts(one).traces, strict=True):
            told = sorted(
                (*after.samples, *(aside.sample for aside in after.aside)), key=lambda one: (one.at, one.value)
            )
            assert told == sorted(before.samples, key=lambda one: (one.at, one.value))
            assert (before.signal, before.way) == (after.signal, after.way)


def test_a_second_pass_changes_nothing() -> None:
    for one, _ in TOUCHED.values():
        once = without_artefacts(one)
        assert without_artefacts(once) == once


def test_a_spike_of_the_systolic_pressure_takes_the_mean_only_where_it_leapt_too() -> None:
    kept = _line(10, _with(_moving(120), n3=190), _moving(80), _moving(60))
    traces = {one.signal: one for one in without_artefacts(kept).traces}
    assert [len(traces[name].aside) for name in ("systolic-pressure", "mean-pressure")] == [1, 0]
    taken = _line(10, _with(_moving(120), n3=190), _with(_moving(80), n3=110), _moving(60))
    traces = {one.signal: one for one in without_artefacts(taken).traces}
    assert [len(traces[name].aside) for name in ("systolic-pressure", "mean-pressure")] == [1, 1]

"""What is told of a case: amounts read in two ways, the own baseline, components of the score, the whole."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from fhir_mappings.during.amount_totals import LATE, Recorded, amount_total
from fhir_mappings.during.apgar_inputs import REFUSED, UNREAD, apgar_components, apgar_values
from fhir_mappings.during.case_summary import Plan, case_summary
from fhir_mappings.during.course import Amount, CaseEvent, Course, CourseEntry, EventKind, Sample, UnreadPart
from fhir_mappings.during.own_baseline import own_baseline
from tests.fhir_mappings.during.courses import course, every, line, trace

HOUR = trace("heart-rate", every(60, [70, 62] * 30)), trace("mean-pressure", every(60, [80, 71] * 30), "invasive")


def with_(one: Course, **members: object) -> Course:
    return msgspec.structs.replace(one, **members)


def losses(*volumes: float, period: bool = False, overlap: bool = False) -> tuple[Amount, ...]:
    step = 300 if overlap else 600
    return tuple(
        Amount("blood-loss", 600.0 + step * number, volume, "o", float(step * number) if period else None)
        for number, volume in enumerate(volumes)
    )


@pytest.mark.parametrize(
    ("amounts", "recorded", "low", "high"),
    [
        (losses(300), "unstated", 300, 300),
        (losses(0), "unstated", 0, 0),
        (losses(100, 300), "unstated", 300, 400),
        (losses(100, 300), "totals", 300, 300),
        (losses(100, 300), "each", 400, 400),
        (losses(300, 100), "unstated", 100, 400),
        (losses(300, 100), "totals", 100, 300),
        (losses(100, 300, period=True), "unstated", 400, 400),
        (losses(100, 300, period=True, overlap=True), "unstated", 300, 400),
        ((*losses(100, 300, period=True), *losses(350)), "unstated", 400, 750),
        ((*losses(100, 300, period=True), *losses(350)), "each", 750, 750),
    ],
)
def test_a_total_is_a_range_where_it_can_be_read_in_two_ways(
    amounts: Sequence[Amount], recorded: Recorded, low: float, high: float
) -> None:
    found = amount_total(with_(course(), amounts=tuple(amounts)), "blood-loss", recorded)
    assert (found.low, found.high, found.readings, found.exact) == (low, high, len(amounts), low == high)


def test_what_was_not_recorded_or_not_read_is_no_loss_of_nothing() -> None:
    assert amount_total(course(), "blood-loss").reason == "not-recorded"
    unread = with_(course(), amounts=losses(300), unread=(UnreadPart("o", "blood-loss", "unit-missing"),))
    found = amount_total(unread, "blood-loss")
    assert (found.low, found.high, found.reason) == (None, None, "unreadable")


def entries(*readings: tuple[float, dict[str, float]], way: str = "cuff") -> list[CourseEntry]:
    return [
        CourseEntry(
            str(at), None, "", "final", tuple((name, way, Sample(at, value, "o")) for name, value in one.items())
        )  # type: ignore[misc]
        for at, one in readings
    ]


DAY = 86_400.0


@pytest.mark.parametrize(
    ("readings", "value", "computed", "reason"),
    [
        ([(-DAY, {"mean-pressure": 90.0}), (-2 * DAY, {"mean-pressure": 100.0})], 95, 0, ""),
        (
            [(-DAY, {"systolic-pressure": 120.0, "diastolic-pressure": 60.0}), (-2 * DAY, {"mean-pressure": 100.0})],
            90,
            1,
            "",
        ),
        ([(-DAY, {"mean-pressure": 90.0})], None, 0, "too-few"),
        ([(-184 * DAY, {"mean-pressure": 90.0}), (-185 * DAY, {"mean-pressure": 90.0})], None, 0, "not-recorded"),
        ([(0.0, {"mean-pressure": 90.0}), (5.0, {"mean-pressure": 90.0})], None, 0, "not-recorded"),
        ([(-DAY, {"systolic-pressure": 120.0}), (-2 * DAY, {"heart-rate": 60.0})], None, 0, "not-recorded"),
        ([], None, 0, "not-recorded"),
    ],
)
def test_the_baseline_is_the_mean_of_the_readings_of_six_months_before(
    readings: list[tuple[float, dict[str, float]]], value: float | None, computed: int, reason: str
) -> None:
    found = own_baseline(entries(*readings), 0.0)
    assert (found.value, found.computed, found.reason) == (value, computed, reason)


def test_an_arterial_line_is_no_baseline_and_neither_is_a_case_without_start() -> None:
    readings = [(-DAY, {"mean-pressure": 90.0}), (-2 * DAY, {"mean-pressure": 100.0})]
    assert own_baseline(entries(*readings, way="invasive"), 0.0).reason == "not-recorded"
    assert own_baseline(entries(*readings), None).reason == "start-not-recorded"


def components(one: Course) -> dict[str, tuple[float | None, str]]:
    return {each.name: (each.value, each.reason) for each in apgar_components(one, amount_total(one, "blood-loss"))}


def test_a_closed_case_has_the_three_components() -> None:
    found = components(with_(course(*HOUR), amounts=losses(250)))
    assert found == {"blood_loss": (250, ""), "lowest_mean_pressure": (71, ""), "lowest_heart_rate": (62, "")}


def test_the_value_of_the_last_instant_counts_among_the_lowest() -> None:
    rates = trace("heart-rate", every(60, [70] * 60) | {3600.0: 50.0})
    assert components(course(rates))["lowest_heart_rate"] == (50, "")


def test_a_case_that_runs_has_none() -> None:
    one = with_(course(*HOUR, ended=False), amounts=losses(250))
    assert {reason for _, reason in components(one).values()} == {"case-open"}
    assert apgar_values(apgar_components(one, amount_total(one, "blood-loss")), 60) == ()


@pytest.mark.parametrize("kind", ["bradyarrhythmia", "asystole"])
def test_a_recorded_rhythm_stands_in_the_place_of_the_rate(kind: EventKind) -> None:
    one = with_(course(*HOUR), events=(CaseEvent(kind, 5.0, "o"),))
    assert components(one)["lowest_heart_rate"] == (0, "")
    other = with_(course(*HOUR), events=(CaseEvent("neuromonitoring-change", 5.0, "o"),))
    assert components(other)["lowest_heart_rate"] == (62, "")


@pytest.mark.parametrize(
    ("one", "name", "reason"),
    [
        (course(HOUR[0]), "lowest_mean_pressure", "not-recorded"),
        (course(HOUR[1]), "lowest_heart_rate", "not-recorded"),
        (course(*HOUR), "blood_loss", "not-recorded"),
        (course(trace("heart-rate", every(60, [70] * 20))), "lowest_heart_rate", "seen-too-little"),
        (with_(course(*HOUR), amounts=losses(100, 300)), "blood_loss", "read-in-two-ways"),
        (with_(course(*HOUR), unread=(UnreadPart("o", "asystole", "unclear"),)), "lowest_heart_rate", "event-unclear"),
        (with_(course(*HOUR), unread=(UnreadPart("o", "mean-pressure", "censored"),)), "lowest_mean_pressure", UNREAD),
        (with_(course(*HOUR), amounts=losses(100), late=("blood-loss",)), "blood_loss", LATE),
        (with_(course(*HOUR), late=("asystole",)), "lowest_heart_rate", LATE),
    ],
)
def test_a_component_that_is_missing_says_why(one: Course, name: str, reason: str) -> None:
    assert components(one)[name] == (None, reason)


def test_where_versions_did_not_fit_no_component_has_a_value() -> None:
    found = case_summary(with_(course(*HOUR), amounts=losses(250)), refused=1).apgar
    assert [(one.value, one.reason) for one in found] == [(None, REFUSED)] * 3


def test_what_is_given_after_the_end_is_no_part_of_what_was_given_before_it() -> None:
    given = Amount("fluid", 600.0, 500.0, "o")
    assert amount_total(with_(course(), amounts=(given,), late=("fluid",)), "fluid").low == 500


def test_what_can_be_read_in_two_ways_is_asked_at_both_ends() -> None:
    one = with_(course(*HOUR), amounts=losses(100, 300))
    asked = apgar_values(apgar_components(one, amount_total(one, "blood-loss")), 60)
    assert [each["blood_loss"] for each in asked] == [300, 400]
    assert all(each["age"] == 60 for each in asked)


def test_a_flush_is_out_before_anything_is_counted() -> None:
    systolic, mean, diastolic = ({60.0 * n: level + n % 3 for n in range(60)} for level in (120, 80, 60))
    systolic[1200.0], mean[1200.0], diastolic[1200.0] = 298, 295, 292
    one = with_(course(*line(systolic, mean, diastolic), HOUR[0]), amounts=losses(50))
    found = case_summary(one, plan=Plan(minutes=45))
    assert found.aside == {"flush": 3}
    assert [each.value for each in found.apgar] == [50, 80, 62]
    assert (found.duration.found, found.duration.planned, found.duration.more) == (60, 45, 15)
    assert (found.blood_loss.found, found.blood_loss.planned, found.blood_loss.reason) == (50, None, "not-planned")
    assert {exposure.reason for exposure in found.exposures} == {"", "no-baseline", "not-recorded"}
    seen = {each.signal: each for each in found.seen}
    assert (seen["mean-pressure"].lowest, len(seen["mean-pressure"].aside), seen["mean-pressure"].minutes) == (
        80,
        1,
        59,  # what was set aside ends the value before it
    )
    assert (seen["spo2"].lowest, seen["spo2"].minutes, seen["spo2"].gaps) == (None, 0, ((0.0, 3600.0),))


def test_an_empty_case_tells_nothing_as_zero() -> None:
    found = case_summary(course(minutes=30))
    assert all(exposure.minutes is None and exposure.reason for exposure in found.exposures)
    assert all(total.low is None and total.reason for total in found.amounts.values())
    assert all(component.value is None and component.reason for component in found.apgar)
    assert (found.baseline.value, found.baseline.reason) == (None, "not-recorded")

"""Invented cases: their deviations are found in time, tricks are not marked, and the page tells what the code says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cds_service.demo.invented_cases import CASES, InventedCase, before, beyond, observations, procedure, truth
from fhir_mappings.during.assembling import course_of
from fhir_mappings.during.case_summary import CaseSummary, Plan, case_summary
from fhir_mappings.during.case_times import case_times
from fhir_mappings.during.entries import read_entry, reader
from fhir_mappings.during.notices import stopped
from tests.fhir_mappings.during.simulation import DOCUMENT, QUICK, between, falling, play, quiet

BEGIN = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
BY_ID = {case.id: case for case in CASES}
READER = reader("p1", ZoneInfo("UTC"))


def summary_of(case: InventedCase) -> CaseSummary:
    sent = [one for _, one in observations(case, BEGIN, "p1", every_s=5)]
    read = [read_entry(json.dumps(one).encode(), READER) for one in sent]
    end = BEGIN.timestamp() + case.minutes * 60
    times = case_times([json.dumps(procedure(case, BEGIN, "p1", ended=True)).encode()], ZoneInfo("UTC"), end)
    course = course_of([entry for entry in read if entry is not None], times, end)
    visits = [read_entry(json.dumps(one).encode(), READER) for one in before(case, BEGIN, "p1")]
    earlier = [entry for entry in visits if entry is not None]
    return case_summary(course, earlier, Plan(case.planned_minutes), {"blood-loss": "totals"})


@pytest.mark.parametrize("number", range(2))
def test_a_fall_is_marked_within_a_minute(number: int) -> None:
    played = play(falling(number), number)
    assert len(played.delays) == 3
    assert all(delay is not None and 0 <= delay <= 60 for delay in played.delays)
    assert played.false == 0


def test_by_cuff_a_fall_is_marked_within_a_minute_of_the_inflation_that_shows_it() -> None:
    played = play(falling(1, cuff=180), 1)
    assert all(delay is not None and 0 <= delay <= 60 for delay in played.delays)
    assert played.false == 0


def test_quiet_hours_are_quiet_because_artefacts_are_set_aside() -> None:
    assert sum(play(quiet(number, 60, 3.0), number).false for number in (1, 2)) == 0
    assert sum(play(quiet(number, 60, 3.0), number, cleaned=False).false for number in (1, 2)) > 0


def test_the_page_tells_at_most_one_mark_for_nothing_in_ten_quiet_hours() -> None:
    rows = [line.split("|")[1:-1] for line in between(DOCUMENT.read_text("utf-8"), "simulation").splitlines()[2:]]
    played = {row[0].strip(): row for row in rows}
    assert float(played["quiet, pressure moves by 3 mmHg (standard deviation) about 84"][5]) <= 1
    found, _, every = played["arterial line, two falls of pressure and one of saturation"][2].split()[:3]
    assert int(every) - int(found) <= 1, "docs/during.md tells of the one that is later"


@pytest.mark.parametrize("name", QUICK)
def test_the_page_tells_the_rules_as_they_are(name: str) -> None:
    assert between(DOCUMENT.read_text("utf-8"), name) == QUICK[name]()


def test_a_quiet_case_has_no_exposure_and_its_tricks_are_set_aside() -> None:
    found = summary_of(BY_ID["case-quiet"])
    assert [one.minutes for one in found.exposures] == [0, 0, 0, 0]
    assert set(found.aside) == {"flush", "disconnection"}
    assert found.baseline.value == pytest.approx(93.3, abs=0.1)
    assert all(component.reason == "" for component in found.apgar)


def test_the_exposures_of_a_case_are_near_its_truth() -> None:
    case = BY_ID["case-pressure"]
    found = {one.limit.name: one for one in summary_of(case).exposures}
    true = sum(end - begin for begin, end in beyond(case, "mean-pressure", 65)) / 60
    assert found["map-below-65"].minutes == pytest.approx(true, abs=1.0)
    assert found["map-below-65"].episodes is not None


def test_bleeding_and_a_cold_patient_are_told() -> None:
    found = summary_of(BY_ID["case-bleeding"])
    assert (found.amounts["blood-loss"].low, found.duration.more) == (1250, 30)
    values = {component.name: component.value for component in found.apgar}
    assert values["blood_loss"] == 1250
    assert 36 <= (values["lowest_mean_pressure"] or 0) <= 48
    cold = {one.limit.name: one.minutes for one in found.exposures}["temperature-below-36"]
    assert cold is not None
    assert cold > 60


def test_a_recorded_asystole_counts_and_a_monitor_that_stopped_is_seen() -> None:
    case = BY_ID["case-asystole"]
    found = summary_of(case)
    rate = next(one for one in found.apgar if one.name == "lowest_heart_rate")
    assert (rate.value, rate.event) == (0, "asystole")
    assert {one.signal for one in stopped(found.course)} >= {"mean-pressure", "heart-rate", "spo2"}


def test_a_case_is_the_same_each_time_and_begins_at_rest() -> None:
    for case in CASES:
        assert truth(case, "mean-pressure", 0) == 84
        twice = [list(observations(case, BEGIN, "p1", every_s=60)) for _ in range(2)]
        assert twice[0] == twice[1]
        assert len({one["id"] for _, one in twice[0]}) == len(twice[0])

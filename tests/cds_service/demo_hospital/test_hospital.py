"""The invented hospital: the same on every machine, its truth known, and its record like any other's."""

from __future__ import annotations

import csv
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from cds_service.demo_hospital import hospital, invented_orders, invented_people
from cds_service.follow_up.planned_operations import planned_operations
from cds_service.records import database, outcome_file
from cds_service.records.asked_calls import asked_calls

WEEKS = 2


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hospital")
    hospital.build(folder, progress=lambda _done, _of: None, until_week=WEEKS)
    return folder


def rows(folder: Path, statement: str) -> list[tuple[object, ...]]:
    return sqlite3.connect(folder / hospital.RECORD).execute(statement).fetchall()


def test_everybody_is_the_same_again_and_about_one_in_eight_has_a_complication() -> None:
    people = invented_people.people()
    assert people == invented_people.people()
    assert len(people) == invented_people.OPERATIONS
    expected = sum(one.truth.probability["any-complication"] for one in people) / len(people)
    happened = sum(one.truth.days_after["any-complication"] is not None for one in people) / len(people)
    assert 0.08 < expected < 0.16
    assert abs(happened - expected) < 3 * (expected * (1 - expected) / len(people)) ** 0.5


def test_every_call_has_its_row_at_its_own_instant(built: Path) -> None:
    people = [one for one in invented_people.people() if one.week <= WEEKS]
    told = [at for one in people for at, _ in invented_orders.calls(one)]
    kept = [str(instant) for (instant,) in rows(built, "SELECT received_at FROM evaluation")]
    assert len(kept) == len(told)
    assert min(kept)[:10] == min(told).date().isoformat()
    assert rows(built, "SELECT DISTINCT status, mode FROM evaluation") == [(200, "silent")]


def test_calls_of_one_order_are_one_operation(built: Path) -> None:
    engine = database.connect(f"sqlite:///{built / hospital.RECORD}", durable=True, connections=1)
    found = planned_operations(asked_calls(engine, hospital.TENANT))
    assert len(found) == WEEKS * invented_people.PER_WEEK
    engine.dispose()


def test_the_outcomes_are_a_file_that_the_record_reads_and_agree_with_the_truth(built: Path) -> None:
    content = (built / hospital.OUTCOMES).read_bytes()
    known = ("any-complication", "30-day-death")
    today = invented_people.FIRST_DAY.replace(year=invented_people.FIRST_DAY.year + 1)
    lines = outcome_file.outcome_lines(content, tenant_id=hospital.TENANT, known=known, source="t", today=today)
    said = Counter((line.row.outcome, line.row.occurred) for line in lines)
    with (built / hospital.TRUTH).open(encoding="utf-8") as file:
        truly = sum(row["any-complication:days"] != "" for row in csv.DictReader(file))
    assert 0 < said["any-complication", True] <= truly
    assert said["any-complication", False] + said["any-complication", True] == said.total() / 2


def test_a_folder_that_holds_a_hospital_is_left_alone(built: Path) -> None:
    with pytest.raises(FileExistsError):
        hospital.build(built, progress=lambda _done, _of: None, until_week=1)


@pytest.mark.parametrize("week", [1, invented_people.UNIT_CHANGE[0], invented_people.NEW_CODE[0]])
def test_what_goes_wrong_is_in_the_requests_of_its_weeks(week: int) -> None:
    people = [one for one in invented_people.people() if one.week == week]
    bodies = [body for one in people for _, body in invented_orders.calls(one)]
    codes = {body["context"]["draftOrders"]["entry"][0]["resource"]["code"]["coding"][0]["code"] for body in bodies}
    values = [
        entry["resource"]["valueQuantity"]["value"]
        for body in bodies
        for entry in (body["prefetch"]["labs"] or {"entry": ()})["entry"]
        if entry["resource"]["code"]["coding"][0]["code"] == "718-7"
    ]
    assert ("SPINE-2026-A" in codes) == (week in invented_people.NEW_CODE)
    assert (max(values) < 12) == (week in invented_people.UNIT_CHANGE)


def test_on_one_day_no_laboratory_results_are_sent() -> None:
    week, _ = invented_people.BROKEN_KEY_DAY
    bodies = [b for one in invented_people.people() if one.week == week for _, b in invented_orders.calls(one)]
    assert {body["prefetch"]["labs"] is None for body in bodies} == {True, False}

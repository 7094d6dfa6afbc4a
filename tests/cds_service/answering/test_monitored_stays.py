"""An operation on a later day of a stay that no Procedure tells is seen by how fast its values come."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from cds_service.records import case_pace
from cds_service.records.case_pace import MONITORED, WINDOW
from cds_service.records.during_tables import during_case
from fhir_mappings.during.under_way import SILENT, is_under_way
from tests.cds_service.answering.test_calls import ask, kept
from tests.cds_service.answering.test_open_cases import PATIENT, an_open_operation, post
from tests.cds_service.during.hospitals import a_value, an_hospital
from tests.fhir_mappings.during.test_under_way import NOW, ZONE, timed


def a_stay(*, days=3, **members):
    begun = datetime.now(UTC) - timedelta(days=days)
    return {
        "resourceType": "Encounter", "id": "e1", "status": "in-progress", "period": {"start": begun.isoformat()},
        "subject": {"reference": f"Patient/{PATIENT}"},
    } | members  # fmt: skip


def values(count, first=0):
    of = {"subject": {"reference": f"Patient/{PATIENT}"}}
    return [a_value(seconds=60.0 * (first + number), id=f"v{first + number}", **of) for number in range(count)]


def test_a_monitor_on_a_later_day_of_the_stay_is_an_operation(tmp_path):
    app = an_hospital(tmp_path)
    post(app, a_stay())
    for number in range(3):
        post(app, *values(5, first=5 * number))
    assert ask(app).json["cards"] == []
    assert kept(app)[-1][:2] == ("silence", "case-open")


def test_a_whole_chart_that_comes_at_once_is_no_monitor(tmp_path):
    app = an_hospital(tmp_path)
    post(app, a_stay(), *values(300))
    assert len(ask(app).json["cards"]) == 1


def test_the_vital_signs_of_a_ward_are_none_however_often_the_same_are_sent(tmp_path):
    app = an_hospital(tmp_path)
    for _ in range(5):
        post(app, a_stay(), *values(MONITORED - 1))
    assert len(ask(app).json["cards"]) == 1


def test_values_that_come_one_by_one_are_counted_together(tmp_path):
    app = an_hospital(tmp_path)
    post(app, a_stay())
    for number in range(7):
        assert len(ask(app).json["cards"]) == 1
        post(app, *values(MONITORED // 7, first=number * MONITORED // 7))
    assert ask(app).json["cards"] == []


def test_where_procedures_tell_of_the_operation_they_alone_count(tmp_path):
    app = an_hospital(tmp_path)
    post(app, a_stay(), an_open_operation(ended=True), *values(60))
    assert len(ask(app).json["cards"]) == 1


@pytest.mark.parametrize(
    ("ago", "status", "end", "runs"),
    [
        (timedelta(0), "in-progress", None, True),
        (SILENT, "in-progress", None, True),
        (SILENT + timedelta(minutes=1), "in-progress", None, False),
        (timedelta(0), "finished", -0.1, False),
        (timedelta(0), "planned", None, False),
    ],
)
def test_it_ends_with_the_stay_or_when_the_monitor_is_silent(ago, status, end, runs):
    stay = timed("Encounter", status, start=-72.0, end=end)
    assert is_under_way([stay], ZONE, NOW, NOW, has_values=True, monitored_at=NOW - ago) is runs


@pytest.mark.parametrize(
    ("every", "at_once", "monitored"),
    [
        (timedelta(minutes=1), 3, True),  # a monitor
        (timedelta(minutes=5), 2, True),  # the least that is charted in an operation: pulse, and pressures in one
        (timedelta(minutes=30), 6, False),
        (timedelta(hours=1), 6, False),  # a ward that is charted each hour
        (timedelta(hours=4), 60, False),
        (timedelta(minutes=15), 75, True),  # a monitor whose values are sent together each quarter of an hour
    ],
)
def test_an_operation_is_told_from_a_ward(every, at_once, monitored):
    row = SimpleNamespace(**dict.fromkeys(during_case.columns.keys()))
    at, found = NOW, []
    while at < NOW + timedelta(hours=12):
        vars(row).update(case_pace.paced(row, at_once, at))
        found.append(row.monitored_at is not None and at - row.monitored_at <= SILENT)
        at += every
    until_seen = WINDOW // every + 1
    assert all(found[until_seen:]) if monitored else not any(found)

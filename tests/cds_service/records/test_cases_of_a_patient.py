"""What is asked of the record about one patient's cases and calls, and one case taken out, on either database."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from cds_service.records import case_removal, tables
from cds_service.records.during_cases import Arrival, CaseBounds, CaseFullError, CaseKey, Part
from cds_service.records.earlier_calls import earlier_calls
from cds_service.records.recent_cases import recent_cases
from cds_service.records.rows import AdministrationEvent
from tests.cds_service.records.rows_of import NOON, an_evaluation

TENANT, PATIENT = "general-hospital", "p1"
BOUNDS = CaseBounds(cases=2, entries=100, bytes=10_000)
VALUES = [Part("observation", f'{{"id":"o{number}"}}') for number in range(5)]


def keep(records, *encounters, at=NOON):
    parts = [*VALUES, Part("times", '{"resourceType":"Procedure"}'), Part("birth", '{"resourceType":"Patient"}')]
    return records.during_cases.keep_all(
        {CaseKey(TENANT, PATIENT, name): parts for name in encounters}, BOUNDS, Arrival("post", "", at)
    )


def test_of_each_case_its_times_are_read_and_its_values_counted(records):
    keep(records, "e1", at=NOON - timedelta(hours=30))
    keep(records, "e2")
    (found,) = recent_cases(records.quick, TENANT, PATIENT, since=NOON - timedelta(hours=24))
    assert (found.values, found.times, found.whole) == (5, ('{"resourceType":"Procedure"}',), True)
    assert len(recent_cases(records.quick, TENANT, PATIENT, since=NOON - timedelta(hours=31))) == 2
    for tenant, patient in (("other", PATIENT), (TENANT, "p2")):
        assert recent_cases(records.quick, tenant, patient, since=NOON - timedelta(days=9)) == ()


def test_several_cases_are_kept_together_or_none(records):
    with pytest.raises(CaseFullError):
        keep(records, "e1", "e2", "e3")
    assert records.during_cases.of_tenant(TENANT) == ()
    assert [one.new for one in keep(records, "e2", "e1")] == [7, 7]


def test_one_case_is_taken_out_with_its_event_and_no_other(records):
    one, other = keep(records, "e1", "e2")
    event = AdministrationEvent(
        happened_at=NOON, action="remove-case", tenant_id=TENANT, scope="", value="", done_by="A", reason="test"
    )
    assert case_removal.remove_case(records.durable, "other", one.case_id, event) is None
    removed = case_removal.remove_case(records.durable, TENANT, one.case_id, event)
    assert removed == case_removal.RemovedCase(entries=7, arrivals=1, others=1)
    assert [case.id for case in records.during_cases.of_tenant(TENANT)] == [other.case_id]
    with records.durable.connect() as connection:
        assert connection.execute(select(func.count()).select_from(tables.administration)).scalar() == 1


def test_the_calls_about_a_patient_come_with_the_day_that_was_ordered(records):
    def call(days, **members):
        row = an_evaluation(received_at=NOON - timedelta(days=days), tenant_id=TENANT, patient_id=PATIENT, **members)
        records.write_evaluation(row)
        return row.id

    first = call(3, procedure_group="spine-fusion", result={"procedure": {"occurrence": "2026-12-24T23:30:00Z"}})
    call(2, procedure_group=None, decision="silence", reason="unmapped-procedure")
    call(1, procedure_group=None, decision="silence", reason="not-surgical")
    call(200, procedure_group="spine-fusion")
    assert records.flush(5)
    zone = ZoneInfo("Europe/Berlin")
    since = NOON - timedelta(days=180)
    found = earlier_calls(records.quick, TENANT, PATIENT, since=since, until=NOON, zone=zone)
    assert [one.evaluation_id for one in found.asked] == [first]
    assert (found.planned_on, found.unknown) == ({first: date(2026, 12, 25)}, (NOON - timedelta(days=2),))
    assert earlier_calls(records.quick, TENANT, "p2", since=since, until=NOON, zone=zone).asked == ()

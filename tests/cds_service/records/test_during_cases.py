"""The store of cases: each version once, whatever the order; bounded; kept by whoever dies afterwards; purged."""

import random
from datetime import timedelta

import msgspec
import pytest

from cds_service.records import retention
from cds_service.records.database import DatabaseError
from cds_service.records.during_cases import AnotherPatientError, Arrival, CaseBounds, CaseFullError, CaseKey, Part
from tests.cds_service.records.rows_of import NOON

BOUNDS = CaseBounds(cases=3, entries=100, bytes=10_000)
KEY = CaseKey("general-hospital", "p1", "e1")
FROM_US = Arrival("post", "https://ehr.example", NOON)


def a_part(number, **members):
    return Part("observation", f'{{"id":"o{number}"}}', **members)


def content(records, case_id, tenant="general-hospital"):
    return records.during_cases.content(records.during_cases.find(tenant, case_id))


def test_any_order_and_any_repetition_give_the_same_content(records):
    drawn = random.Random(7)
    parts = [a_part(number) for number in range(30)]
    found = []
    for patient in ("a", "b", "c"):
        sent = [*parts, *drawn.choices(parts, k=40)]
        drawn.shuffle(sent)
        while sent:
            some = [sent.pop() for _ in range(min(len(sent), drawn.randint(1, 9)))]
            key = CaseKey("general-hospital", patient)
            case_id = records.during_cases.keep(key, some, BOUNDS, FROM_US).case_id
        found.append(content(records, case_id).observations)
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == len(parts)


def test_what_came_twice_is_told_and_counts_no_more(records):
    first = records.during_cases.keep(KEY, [a_part(1), a_part(2), a_part(2)], BOUNDS, FROM_US)
    again = records.during_cases.keep(KEY, [a_part(1), a_part(3)], BOUNDS, FROM_US)
    assert (first.new, first.repeated) == (2, 1)
    assert (again.new, again.repeated, again.case_id) == (1, 1, first.case_id)
    assert records.during_cases.find("general-hospital", first.case_id).entries == 3


def test_a_full_case_says_so_and_still_learns_what_was_withdrawn(records):
    small = CaseBounds(cases=3, entries=4, bytes=10_000)
    kept = records.during_cases.keep(KEY, [a_part(number) for number in range(6)], small, FROM_US)
    assert (kept.new, kept.refused) == (4, 2)
    assert records.during_cases.keep(KEY, [a_part(9, withdrawn=True)], small, FROM_US).new == 1
    assert records.during_cases.keep(KEY, [a_part(10, withdrawn=True)], small, FROM_US).refused == 1
    assert records.during_cases.find("general-hospital", kept.case_id).refused == 3


def test_a_case_is_bounded_in_bytes(records):
    small = CaseBounds(cases=3, entries=100, bytes=len(a_part(1).body) * 2)
    assert records.during_cases.keep(KEY, [a_part(number) for number in range(3)], small, FROM_US).refused == 1


def test_a_letter_of_three_bytes_counts_three(records):
    parts = [Part("observation", f'{{"id":"{number}","note":"{"€" * 30}"}}') for number in range(3)]
    small = CaseBounds(cases=3, entries=100, bytes=len(parts[0].body.encode()) * 2)
    assert records.during_cases.keep(KEY, parts, small, FROM_US).refused == 1


def test_a_tenant_has_no_more_cases_than_it_may_and_nothing_of_one_more_is_kept(records):
    for patient in "abc":
        records.during_cases.keep(CaseKey("general-hospital", patient), [a_part(1)], BOUNDS, FROM_US)
    with pytest.raises(CaseFullError):
        records.during_cases.keep(CaseKey("general-hospital", "d"), [a_part(1)], BOUNDS, FROM_US)
    assert not records.during_cases.of_patient("general-hospital", "d")
    assert records.during_cases.keep(CaseKey("other", "d"), [a_part(1)], BOUNDS, FROM_US).new == 1


def test_an_encounter_of_one_patient_is_never_anothers(records):
    records.during_cases.keep(KEY, [a_part(1)], BOUNDS, FROM_US)
    with pytest.raises(AnotherPatientError):
        records.during_cases.keep(CaseKey("general-hospital", "p2", "e1"), [a_part(1)], BOUNDS, FROM_US)
    assert not records.during_cases.of_patient("general-hospital", "p2")


def test_a_case_of_another_tenant_is_not_there(records):
    kept = records.during_cases.keep(KEY, [a_part(1)], BOUNDS, FROM_US)
    assert records.during_cases.find("other", kept.case_id) is None


def test_what_names_no_encounter_belongs_to_every_case_of_its_patient(records):
    kept = records.during_cases.keep(KEY, [a_part(1), Part("times", "own")], BOUNDS, FROM_US)
    loose = CaseKey("general-hospital", "p1")
    records.during_cases.keep(loose, [a_part(2), a_part(1), Part("times", "loose")], BOUNDS, FROM_US)
    records.during_cases.keep(CaseKey("general-hospital", "p2"), [a_part(3)], BOUNDS, FROM_US)
    found = content(records, kept.case_id)
    assert found.observations == (a_part(1).body, a_part(2).body)
    assert found.times == ("own",)


def test_the_times_of_what_names_no_encounter_are_not_those_of_a_case_that_has_one(records):
    records.during_cases.keep(CaseKey("general-hospital", "p1"), [Part("times", "loose")], BOUNDS, FROM_US)
    kept = records.during_cases.keep(KEY, [a_part(1)], BOUNDS, FROM_US)
    assert content(records, kept.case_id).times == ()


def test_what_did_not_fit_is_counted_with_what_names_no_encounter(records):
    one = msgspec.structs.replace(BOUNDS, entries=1)
    kept = records.during_cases.keep(KEY, [a_part(1), a_part(2)], one, FROM_US)
    records.during_cases.keep(CaseKey("general-hospital", "p1"), [a_part(3), a_part(4)], one, FROM_US)
    assert content(records, kept.case_id).refused == 2


def test_what_was_kept_is_there_for_another_worker(open_records):
    kept = open_records().during_cases.keep(KEY, [a_part(1)], BOUNDS, FROM_US)
    assert content(open_records(), kept.case_id).observations == (a_part(1).body,)


@pytest.mark.parametrize(
    ("age_days", "case_days", "evaluation_days", "left"),
    [(29, 30, 100, 1), (31, 30, 100, 0), (29, 100, 30, 1), (31, 100, 30, 0)],
)
def test_a_case_goes_with_all_it_holds_after_its_own_days_and_never_stays_longer_than_an_evaluation(
    records, age_days, case_days, evaluation_days, left
):
    before = Arrival("post", "", NOON - timedelta(days=age_days))
    kept = records.during_cases.keep(KEY, [a_part(1)], BOUNDS, before)
    records.during_cases.keep(CaseKey("other", "p"), [a_part(1)], BOUNDS, before)
    assert "other" in retention.tenants_kept(records.durable)
    days = {"evaluation_days": evaluation_days, "comment_days": 10, "case_days": case_days}
    purged = retention.purge(records.durable, "general-hospital", **days, now=NOON)
    assert purged.cases == 1 - left
    assert (records.during_cases.find("general-hospital", kept.case_id) is not None) == bool(left)
    assert records.during_cases.of_tenant("other")


def test_a_record_without_the_tables_is_told_as_such(records):
    with records.durable.begin() as connection:
        connection.exec_driver_sql("DROP TABLE during_entry")
    with pytest.raises(DatabaseError):
        records.during_cases.keep(KEY, [a_part(1)], BOUNDS, FROM_US)

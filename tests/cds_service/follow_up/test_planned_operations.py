"""One operation is counted once, and two are counted twice: the agreed cases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cds_service.follow_up.planned_operations import WINDOW, Asked, OpenOperations, planned_operations

CASES = yaml.safe_load((Path(__file__).parent / "operation_cases.yaml").read_text(encoding="utf-8"))


def a_call(of: dict[str, Any]) -> Asked:
    at = of["at"] if isinstance(of["at"], datetime) else datetime.fromisoformat(of["at"])
    return Asked(
        evaluation_id=of["id"],
        at=at.replace(tzinfo=UTC),
        procedure_group=of["group"],
        patient_id=of.get("patient", "p") or None,
        order_reference=of.get("order"),
        operated_on=of.get("operated"),
        event_on=of.get("event"),
    )


def test_the_table_has_at_least_twenty_cases_each_with_a_name_of_its_own() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) >= 20


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_calls_are_joined_as_agreed(case: dict[str, Any]) -> None:
    found = planned_operations(map(a_call, case["calls"]))
    told = [
        [call.evaluation_id + "*" * (call is operation.last_before) for call in operation.calls] for operation in found
    ]
    assert told == case["operations"]


@pytest.mark.parametrize(
    ("zone", "at", "stands"),
    [
        # The operation was on Monday 2 March; this call came on Tuesday at 08:30 of the hospital's clock.
        ("Asia/Tokyo", "2026-03-02T23:30:00", False),
        ("Europe/Berlin", "2026-03-03T07:30:00", False),
        ("America/New_York", "2026-03-03T13:30:00", False),
        # And this one on Monday at 06:30 or, where a zone is far behind, at 23:30.
        ("Asia/Tokyo", "2026-03-01T21:30:00", True),
        ("Pacific/Honolulu", "2026-03-03T09:30:00", True),
        (None, "2026-03-03T11:30:00", True),
        (None, "2026-03-03T12:30:00", False),
    ],
)
def test_the_last_call_before_the_operation_is_told_by_the_hospitals_own_day(
    zone: str | None, at: str, stands: bool
) -> None:
    calls = [
        {"id": "before", "at": "2026-02-25T10:00:00", "group": "spine-fusion", "operated": date(2026, 3, 2)},
        {"id": "late", "at": at, "group": "spine-fusion", "operated": date(2026, 3, 2)},
    ]
    (found,) = planned_operations(map(a_call, calls), zone=ZoneInfo(zone) if zone else None)
    assert found.last_before.evaluation_id == ("late" if stands else "before")


calls = st.builds(
    Asked,
    evaluation_id=st.uuids().map(str),
    at=st.integers(0, 200 * 24).map(lambda hours: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)),
    procedure_group=st.sampled_from(["spine-fusion", "hip-replacement"]),
    patient_id=st.sampled_from(["p", "q", None]),
    order_reference=st.sampled_from(["o1", "o2", None]),
    operated_on=st.one_of(st.none(), st.integers(0, 200).map(lambda day: date(2026, 1, 1) + timedelta(day))),
)


@given(st.lists(calls, max_size=12, unique_by=lambda call: call.evaluation_id), st.randoms())
def test_every_call_is_in_one_operation_of_one_patient_whatever_the_order_of_the_rows(
    asked: list[Asked], random: Any
) -> None:
    found = planned_operations(asked)
    assert sorted(call.evaluation_id for one in found for call in one.calls) == sorted(c.evaluation_id for c in asked)
    for one in found:
        assert len({call.patient_id for call in one.calls}) == 1
        assert {call.operated_on for call in one.calls} <= {None, one.operated_on}
    shuffled = list(asked)
    random.shuffle(shuffled)
    assert planned_operations(shuffled) == found


@given(st.lists(calls, max_size=14, unique_by=lambda call: call.evaluation_id), st.integers(1, 40))
def test_operations_that_are_let_go_as_time_goes_on_are_those_of_all_calls_at_once(
    asked: list[Asked], every: int
) -> None:
    ordered = sorted(asked, key=lambda one: (one.at, one.evaluation_id))
    named: dict[tuple[str, date], datetime] = {}
    for call in ordered:
        if call.patient_id and call.operated_on:
            named[call.patient_id, call.operated_on] = call.at
    opened, found = OpenOperations(later=named), []
    for number, call in enumerate(ordered):
        opened.add(call)
        if number % every == 0 and number + 1 < len(ordered):
            found += opened.closed(ordered[number + 1].at)
    found += opened.closed()
    assert sorted(found, key=lambda one: (one.calls[0].at, one.calls[0].evaluation_id)) == list(
        planned_operations(asked)
    )
    assert opened.first_held() is None


def test_an_operation_is_held_no_longer_than_a_call_may_be_about_it() -> None:
    opened = OpenOperations()
    for day in range(300):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
        opened.add(Asked(evaluation_id=str(day), at=at, procedure_group="spine-fusion", patient_id=f"p-{day}"))
        list(opened.closed(at))
        assert at - (opened.first_held() or at) <= WINDOW

"""Which planned operation a case was: the one that it can be by patient and day, or none; never a guess."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cds_service.follow_up.case_operation import case_operation
from cds_service.follow_up.planned_operations import Asked

START = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)  # the 30th in Berlin
ZONE = ZoneInfo("Europe/Berlin")


def call(name, days, group="spine-fusion", **members):
    at = START - timedelta(days=days)
    return Asked(evaluation_id=name, at=at, procedure_group=group, patient_id="p", **members)


DAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("words", "calls", "planned", "others", "joined", "why"),
    [
        ("the day before", [call("a", 1)], {}, [], "a", ""),
        ("the last call before the start", [call("a", 9), call("b", 1), call("late", -0.1)], {}, [], "b", ""),
        ("30 days before", [call("a", 30)], {}, [], "a", ""),
        ("31 days before, of no stated day", [call("a", 31)], {}, [], None, "none"),
        ("100 days before, for this day", [call("a", 100)], {"a": DAY}, [], "a", ""),
        ("200 days before", [call("a", 200)], {"a": DAY}, [], None, "none"),
        ("for the day beside", [call("a", 9)], {"a": date(2026, 11, 29)}, [], "a", ""),
        ("for another day", [call("a", 9)], {"a": date(2026, 11, 28)}, [], None, "none"),
        ("moved to this day", [call("a", 9), call("b", 2)], {"a": date(2026, 11, 25), "b": DAY}, [], "b", ""),
        ("two operations of no stated day", [call("a", 9), call("b", 3, "cholecystectomy")], {}, [], None, "several"),
        ("two, one for this day", [call("a", 9), call("b", 3, "cholecystectomy")], {"b": DAY}, [], "b", ""),
        ("two, one for another day", [call("a", 9), call("b", 3, "cholecystectomy")],
         {"b": date(2026, 12, 20)}, [], "a", ""),
        ("two for this day", [call("a", 9), call("b", 3, "cholecystectomy")], {"a": DAY, "b": DAY}, [], None,
         "several"),
        ("another case between", [call("a", 9)], {}, [5], None, "none"),
        ("another case before the call", [call("a", 9)], {}, [12], "a", ""),
        ("another case between, and this day stated", [call("a", 9)], {"a": DAY}, [5], "a", ""),
        ("done on another day, as its outcome says", [call("a", 9, operated_on=date(2026, 11, 21))], {}, [], None,
         "none"),
        ("done on this day, as its outcome says", [call("a", 9, operated_on=DAY)], {"a": date(2026, 11, 1)}, [], "a",
         ""),
        ("nothing was asked", [], {}, [], None, "none"),
    ],
)  # fmt: skip
def test_a_case_is_the_one_operation_that_it_can_be(words, calls, planned, others, joined, why):
    found = case_operation(
        calls, planned, started=START, zone=ZONE, others=[START - timedelta(days=days) for days in others]
    )
    assert (found.operation.last_before.evaluation_id if found.operation else None, found.why) == (joined, why), words


@pytest.mark.parametrize(("days", "why"), [(0.1, "several"), (29, "several"), (31, ""), (-1, "")])
@pytest.mark.parametrize("planned", [{}, {"a": DAY}])
def test_an_operation_that_was_not_understood_may_be_what_was_done(days, why, planned):
    unknown = [START - timedelta(days=days)]
    assert case_operation([call("a", 2)], planned, started=START, zone=ZONE, unknown=unknown).why == why
    assert case_operation([], planned, started=START, zone=ZONE, unknown=unknown).why == "none"

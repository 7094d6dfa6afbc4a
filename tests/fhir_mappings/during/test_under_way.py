"""Whether an operation runs: by its Procedures, else by a stay of which there are values; never for ever."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fhir_mappings.during.under_way import MOST, is_under_way

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")


def timed(kind="Procedure", status="in-progress", start=-1.0, end=None, **members):
    """Its times in hours from now; a start of None is not recorded."""
    said = {name: (NOW + timedelta(hours=hour)).isoformat() for name, hour in (("start", start), ("end", end))
            if hour is not None}  # fmt: skip
    period = {"performedPeriod" if kind == "Procedure" else "period": said} if said else {}
    return json.dumps({"resourceType": kind, "id": "one", "status": status, **period, **members})


@pytest.mark.parametrize(
    ("words", "times", "runs"),
    [
        ("begun", [timed()], True),
        ("begun, of no known time", [timed(start=None)], True),
        ("begun this very moment", [timed(start=0.0)], True),
        ("not begun", [timed(status="preparation", start=1.0)], False),
        ("it begins later, whatever the status", [timed(start=0.1)], False),
        ("over", [timed(status="completed", end=-0.5)], False),
        ("over by its status, of no known end", [timed(status="completed")], False),
        ("over by its status alone", [timed(status="stopped", start=None)], False),
        ("an end that is still to come", [timed(status="completed", end=0.5)], True),
        ("an end beside a status under way", [timed(end=-0.5)], True),
        ("a status that says nothing", [timed(status="unknown")], True),
        ("withdrawn", [timed(status="entered-in-error")], False),
        ("not done", [timed(status="not-done")], False),
        ("begun 23 hours ago", [timed(start=-23.0)], True),
        ("begun 25 hours ago: of some nobody records the end", [timed(start=-25.0)], False),
        ("over, and another begun", [timed(status="completed", end=-0.5), timed(id="two", start=-0.2)], True),
        ("a stay goes on after the operation",
         [timed(status="completed", end=-0.5), timed("Encounter", start=-5.0)], False),
        ("the newest version counts", [timed(meta={"versionId": "1"}),
                                       timed(status="completed", end=-0.1, meta={"versionId": "2"})], False),
        ("in whatever order", [timed(status="completed", end=-0.1, meta={"versionId": "2"}),
                               timed(meta={"versionId": "1"})], False),
        ("what cannot be read may run", ['{"resourceType": "Procedure", "status": 1}'], True),
        ("a modifier that is not known", [timed(modifierExtension=[{"url": "urn:x"}])], True),
        ("nothing", [], False),
    ],
)  # fmt: skip
def test_an_operation_runs_from_its_start_to_its_recorded_end(words, times, runs):
    for has_values in (False, True):
        assert is_under_way(times, ZONE, NOW, NOW, has_values=has_values) is runs, words


@pytest.mark.parametrize(("has_values", "status", "end"), [
    (True, "in-progress", None), (False, "in-progress", None), (True, "finished", -0.1), (True, "planned", None),
])  # fmt: skip
def test_a_stay_is_an_operation_only_where_there_are_values(has_values, status, end):
    runs = is_under_way([timed("Encounter", status, end=end)], ZONE, NOW, NOW, has_values=has_values)
    assert runs is (has_values and status == "in-progress")


def test_a_time_without_a_zone_is_of_the_hospital():
    local = {"start": "2026-11-29T12:30:00"}  # 11:30 UTC
    assert is_under_way([timed(performedPeriod=local)], ZONE, NOW, NOW, has_values=False)
    assert not is_under_way([timed(performedPeriod=local)], ZoneInfo("UTC"), NOW, NOW, has_values=False)
    assert timedelta(hours=24) == MOST


@pytest.mark.parametrize("members", [
    {}, {"status": "unknown"}, {"performedPeriod": {"start": "2026-11-27"}}, {"performedDateTime": "2026-11-27"},
    {"meta": {"lastUpdated": "2026-11-28T09:00:00Z"}}, {"performedPeriod": {"start": "2026-11-27T20:00:00Z"}},
])  # fmt: skip
def test_nothing_runs_for_more_than_a_day_whatever_of_its_start_is_recorded(members):
    """Values may go on for the whole stay."""
    times = [timed(start=None, **members)]
    assert not is_under_way(times, ZONE, NOW, NOW - timedelta(hours=25), has_values=True)


@pytest.mark.parametrize("members", [
    {"performedPeriod": {"start": "2026-11-29"}}, {"performedPeriod": {"start": "2026-11-28"}},
    {"meta": {"lastUpdated": "2026-11-29T09:00:00Z"}},
])  # fmt: skip
def test_what_may_have_begun_within_a_day_runs_however_long_its_stay(members):
    assert is_under_way([timed(start=None, **members)], ZONE, NOW, NOW - timedelta(days=9), has_values=True)

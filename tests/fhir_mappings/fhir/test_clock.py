"""What lies inside a window, to the limit itself (inputs 1.2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fhir_mappings.fhir.clock import AHEAD, Clock, clock, is_ahead, is_future, placed
from fhir_mappings.fhir.dates import Moment, moment

ZONE = ZoneInfo("UTC")


def at(text: str) -> Moment:
    found = moment(text, ZONE)
    assert found is not None
    return found


def now(text: str = "2026-11-20T09:00:00") -> Clock:
    return clock(datetime.fromisoformat(text).replace(tzinfo=UTC), ZONE)


def test_a_day_ahead_is_what_clocks_and_zones_may_differ_by() -> None:
    assert timedelta(hours=24) == AHEAD
    assert now().ahead == AHEAD


@pytest.mark.parametrize(
    ("when", "ahead", "future"),
    [
        ("2026-11-20T08:59:59Z", False, False),
        ("2026-11-20T09:00:00Z", False, False),  # the hook itself is now
        ("2026-11-20T09:00:01Z", True, False),
        ("2026-11-21T09:00:00Z", True, False),
        ("2026-11-21T09:00:01Z", True, True),
        ("2026-11-20", False, False),
        ("2026-11-21", True, False),  # a date alone by its calendar day
        ("2026-11-22", True, True),
    ],
)
def test_ahead_is_taken_as_now_and_further_is_the_future(when: str, ahead: bool, future: bool) -> None:
    assert (is_ahead(at(when), now()), is_future(at(when), now())) == (ahead, future)


@pytest.mark.parametrize(
    ("when", "days", "hook", "where"),
    [
        ("2026-10", 50, "2026-11-20T09:00:00", ""),  # the window begins on 1 October
        ("2026-10", 49, "2026-11-20T09:00:00", "date-imprecise"),
        ("2026-10", 30, "2026-10-31T09:00:00", ""),  # the month ends today
        ("2026-10", 30, "2026-10-30T09:00:00", "date-imprecise"),
        ("2026-10", 20, "2026-11-20T09:00:00", "date-imprecise"),  # its last day is the first of the window
        ("2026-10", 19, "2026-11-21T09:00:00", "stale"),
    ],
)
def test_the_whole_of_a_month_has_to_lie_inside(when: str, days: int, hook: str, where: str) -> None:
    assert placed(at(when), days, now(hook)) == where

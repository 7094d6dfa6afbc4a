"""Which open orders of a chart can still be of an operation to come: the day before, the day, the day after."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from msgspec import Raw

from fhir_mappings.orders.open_operations import still_planned

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def an_order(**members):
    return Raw(json.dumps({"resourceType": "ServiceRequest", "id": "o", "status": "active"} | members).encode())


@pytest.mark.parametrize(
    ("members", "planned"),
    [
        ({}, True),
        ({"occurrenceDateTime": "2026-11-23"}, False),
        ({"occurrenceDateTime": "2026-11-24"}, True),
        ({"occurrenceDateTime": "2026-11-24T06:00:00Z"}, True),  # earlier today: the day is not over
        ({"occurrenceDateTime": "2026-11-25"}, True),
        ({"occurrenceDateTime": "2026-11"}, True),  # a month that is not over
        ({"occurrenceDateTime": "2026-10"}, False),
        ({"occurrencePeriod": {"start": "2026-11-20", "end": "2026-11-21"}}, False),
        ({"occurrenceDateTime": "soon"}, True),
        ({"authoredOn": "2025-11-24"}, True),
        ({"authoredOn": "2025-11-23"}, False),
        ({"authoredOn": "2025-11-23", "occurrenceDateTime": "2026-12-01"}, True),
        ({"authoredOn": 7}, True),  # unreadable: told later, not lost here
        ({"resourceType": "Task", "authoredOn": "2020-01-01"}, True),
    ],
)
def test_an_order_is_planned_until_its_day_is_over_or_it_is_forgotten(members, planned):
    order = an_order(**members)
    assert still_planned([order], as_of=NOON, zone=ZoneInfo("UTC")) == ((order,) if planned else ())


def test_the_day_is_that_of_the_hospital():
    order = an_order(occurrenceDateTime="2026-11-23")
    assert still_planned([order], as_of=datetime(2026, 11, 24, 2, 0, tzinfo=UTC), zone=ZoneInfo("America/New_York"))

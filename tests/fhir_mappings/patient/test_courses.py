"""A course of a told length is over when it, its repeats and the time to begin it are past (inputs 6)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.builders import a_medication_request, date_ago, days_ago, derived


def lasting(*bounds: dict[str, Any] | None) -> list[dict[str, Any]]:
    return [{"timing": {"repeat": one}} if one is not None else {} for one in bounds]


def days(value: Any, code: str = "d", **members: Any) -> dict[str, Any]:
    return {"boundsDuration": {"value": value, "system": "http://unitsofmeasure.org", "code": code, **members}}


FIVE = days(5)
ENDED, OPEN = ({"boundsPeriod": {"end": date_ago(days)}} for days in (1, -1))


@pytest.mark.parametrize(
    ("bounds", "members", "taken"),
    [
        ([FIVE], {}, False),
        ([FIVE], {"authoredOn": days_ago(30)}, True),  # it may have begun late
        ([FIVE], {"authoredOn": None}, True),
        ([FIVE], {"authoredOn": "2026"}, True),
        ([FIVE], {"authoredOn": "gestern"}, True),
        ([days(5, unit="Tage")], {}, False),
        ([{"boundsDuration": {"value": 5, "unit": "days"}}], {}, False),
        ([{"boundsDuration": {"value": 5, "unit": "Tage"}}], {}, True),
        ([days(1, "wk")], {}, False),
        ([days(1, "mo")], {}, True),
        ([days(1, "a")], {}, True),
        ([days(40)], {}, True),
        ([days(5, comparator=">")], {}, True),
        ([days(-5)], {}, True),
        ([days(1e300)], {}, True),
        ([{"boundsDuration": "5 d"}], {}, True),
        ([{"boundsRange": {"low": {"value": 5, "code": "d"}, "high": {"value": 7, "code": "d"}}}], {}, False),
        ([{"boundsRange": {"low": {"value": 5, "code": "d"}}}], {}, True),
        ([{"boundsRange": {"high": {"value": 30, "code": "d"}}}], {}, True),
        ([FIVE, FIVE], {}, True),  # one after the other
        ([days(2), days(2)], {}, False),
        ([FIVE, {}], {}, True),
        ([FIVE, None], {}, True),
        ([FIVE, ENDED], {}, False),
        ([FIVE, OPEN], {}, True),
        ([FIVE], {"dispenseRequest": {"numberOfRepeatsAllowed": 1}}, True),
        ([days(2)], {"dispenseRequest": {"numberOfRepeatsAllowed": 1}}, False),
        ([FIVE], {"dispenseRequest": {"numberOfRepeatsAllowed": "3"}}, True),
        ([FIVE], {"dispenseRequest": {"numberOfRepeatsAllowed": 10**30}}, True),
        ([FIVE], {"dispenseRequest": {"validityPeriod": {"start": date_ago(10)}}}, True),
        ([FIVE], {"dispenseRequest": {"validityPeriod": {"start": "bald"}}}, True),
    ],
)
def test_a_course_is_over_only_where_that_is_known(bounds: Any, members: dict[str, Any], taken: bool) -> None:
    order = a_medication_request("8640", dosageInstruction=lasting(*bounds), **{"authoredOn": days_ago(39)} | members)
    assert derived(order)["steroid"].value is taken


@example(lengths=[9e8, 9e8], repeats=0)
@example(lengths=[9e8], repeats=10**30)
@given(lengths=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=4), repeats=st.integers())
def test_no_length_is_too_long_to_be_counted(lengths: list[float], repeats: int) -> None:
    """Together they may be more than a calendar holds: then the medicine is taken, and the answer goes on."""
    request = a_medication_request(
        dosageInstruction=lasting(*map(days, lengths)), dispenseRequest={"numberOfRepeatsAllowed": repeats}
    )
    assert derived(request)["insulin"].status

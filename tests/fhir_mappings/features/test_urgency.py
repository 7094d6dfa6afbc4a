"""Elective unless the order or the encounter says otherwise (inputs 7)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.terminology.code_systems import ICD_10_CM
from tests.builders import PATIENT_ID, a_condition, coded, date_ago, days_ago, derived

EMERGENCY = {
    "resourceType": "Encounter",
    "id": "e-1",
    "status": "in-progress",
    "class": {"code": "EMER"},
    "subject": {"reference": f"Patient/{PATIENT_ID}"},
}


@pytest.mark.parametrize(
    ("order", "expected", "flags"),
    [
        ({}, "elective", ()),
        ({"priority": "routine"}, "elective", ()),
        ({"priority": "urgent"}, "urgent", ()),
        ({"priority": "asap"}, "urgent", ()),
        ({"priority": "stat"}, "immediate", ()),
        ({"priority": " STAT "}, "immediate", ()),
        ({"priority": None}, "elective", ()),
        # What is neither absent nor `routine` is never elective.
        *(
            ({"priority": odd}, "urgent", ())
            for odd in (
                "Routine",
                "ROUTINE",
                " routine",
                "routine ",
                "",
                " ",
                "elective",
                "normal",
                "R",
                "x" * 10_000,
                5,
                0,
                1.5,
                True,
                False,
                [],
                ["routine"],
                {},
                {"code": "routine"},
            )
        ),
        ({"reasonCode": [coded((ICD_10_CM, "S32.010A"))]}, "urgent", ()),
        ({"reasonCode": [coded((ICD_10_CM, "S32.010D"))]}, "elective", ()),
        ({"occurrenceDateTime": days_ago(-0.9)}, "urgent", ()),
        ({"occurrenceDateTime": days_ago(-1)}, "elective", ()),
        ({"occurrenceDateTime": date_ago(0)}, "urgent", ()),
        ({"occurrenceDateTime": date_ago(-2)}, "elective", ()),
        ({"occurrenceDateTime": date_ago(3)}, "elective", ("occurrence-past",)),
        ({"occurrencePeriod": {"start": days_ago(-0.5)}}, "urgent", ()),
        ({"occurrenceDateTime": "2026-11"}, "elective", ()),
    ],
)
def test_urgency_is_read_from_the_order(order: dict[str, Any], expected: str, flags: tuple[str, ...]) -> None:
    found = derived(order=order)["urgency"]
    assert (found.value, found.flags, found.source) == (expected, flags, "ServiceRequest/order-1")


def test_an_emergency_encounter_makes_it_urgent_and_is_the_source() -> None:
    found = derived(EMERGENCY)["urgency"]
    assert (found.value, found.source) == ("urgent", "Encounter/e-1")
    assert derived({**EMERGENCY, "class": {"code": "AMB"}})["urgency"].value == "elective"
    assert derived({**EMERGENCY, "status": "finished"})["urgency"].value == "elective"


def test_an_injury_on_the_problem_list_says_nothing_about_urgency() -> None:
    assert derived(a_condition("S32.010A"))["urgency"].value == "elective"

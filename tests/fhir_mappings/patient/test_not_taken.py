"""Statements that a medicine is not taken, against what says that it is: only what is surely older is beaten."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.terminology.code_systems import ATC, RXNORM
from tests.builders import PATIENT_ID, a_medication_request, coded, date_ago, days_ago, derived

GLARGINE = coded((ATC, "A10AE04"))


def a_statement(status: str, medicine: Any = GLARGINE, **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement",
        "id": f"s-{status}",
        "status": status,
        "medicationCodeableConcept": medicine,
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        **members,
    }


@pytest.mark.parametrize(
    ("members", "value"),
    [
        ({"dateAsserted": date_ago(2), "effectivePeriod": {"start": date_ago(300)}}, True),
        ({"dateAsserted": date_ago(2), "effectiveDateTime": date_ago(300)}, True),
        ({"dateAsserted": date_ago(2)}, True),
        ({"dateAsserted": date_ago(300), "effectiveDateTime": date_ago(2)}, True),
        ({"dateAsserted": date_ago(200), "effectivePeriod": {"start": date_ago(300)}}, False),
        ({"effectivePeriod": {"start": date_ago(300)}}, False),
        ({"dateAsserted": date_ago(300)}, False),
        ({"dateAsserted": "2026", "effectivePeriod": {"start": date_ago(300)}}, None),  # one of the two is later
        ({"dateAsserted": "gestern", "effectivePeriod": {"start": date_ago(300)}}, None),
        ({}, None),
    ],
)
def test_what_is_said_to_be_taken_counts_by_the_day_when_that_was_said(members: Any, value: bool | None) -> None:
    found = derived(a_statement("active", **members), a_statement("not-taken", dateAsserted=days_ago(100)))["insulin"]
    assert found.value is value
    assert value or found.usable is (value is False)


def rxnorm(code: str) -> dict[str, Any]:
    return coded((RXNORM, code))


INSULIN, RX_GLARGINE, WARFARIN = rxnorm("5856"), rxnorm("274783"), rxnorm("11289")


@pytest.mark.parametrize("medicine", [GLARGINE, RX_GLARGINE])
@pytest.mark.parametrize(
    ("refused", "value"),
    [
        (GLARGINE, False),
        (RX_GLARGINE, False),
        *((group, None) for group in (INSULIN, *(coded((ATC, code)) for code in ("A10A", "A10AE", "A10", "A")))),
        (coded((ATC, "A10AE05")), True),
        (coded((ATC, "A10B")), True),
        (rxnorm("86009"), True),  # lispro
        (WARFARIN, True),
    ],
)
def test_the_same_drug_is_beaten_and_one_of_a_group_that_is_not_taken_may_be_taken(
    medicine: Any, refused: Any, value: bool | None
) -> None:
    """Whichever system names the one and the other."""
    taken = a_medication_request(medicine)
    found = derived(taken, a_statement("not-taken", refused, dateAsserted=days_ago(1)))["insulin"]
    assert found.value is value
    assert value or found.usable is (value is False)
    older = derived(taken, a_statement("not-taken", refused, dateAsserted=days_ago(90)))["insulin"]
    assert older.value is True
    undated = derived(taken, a_statement("not-taken", refused))["insulin"]
    assert (undated.value, undated.usable) == ((True, True) if value else (None, False))


def of_parts(*parts: dict[str, Any]) -> dict[str, Any]:
    """A prescription of a Medication with these ingredients and no code."""
    inside = {"resourceType": "Medication", "id": "m", "ingredient": [{"itemCodeableConcept": one} for one in parts]}
    return a_medication_request(
        medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=[inside]
    )


LOCAL, PARACETAMOL, APIXABAN = coded(("urn:x", "2")), coded((ATC, "N02BE01")), coded((ATC, "B01AF02"))


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ((GLARGINE,), (False, False)),
        ((GLARGINE, PARACETAMOL), (False, False)),
        ((GLARGINE, APIXABAN), (False, True)),
        ((GLARGINE, LOCAL), (None, None)),  # what the other is may be anything, insulin too
        ((LOCAL, GLARGINE), (None, None)),
        ((GLARGINE, {"text": "something"}), (None, None)),
        ((GLARGINE, APIXABAN, LOCAL), (None, True)),
    ],
)
def test_a_part_that_is_not_known_stays_so_where_another_is_not_taken(parts: Any, told: tuple[Any, Any]) -> None:
    found = derived(of_parts(*parts), a_statement("not-taken", dateAsserted=days_ago(1)))
    assert (found["insulin"].value, found["anticoagulant"].value) == told
    assert all(one.value is not None or not one.usable for one in (found["insulin"], found["anticoagulant"]))

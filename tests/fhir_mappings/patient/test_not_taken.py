"""Statements that a medicine is not taken, against what says that it is: only what is surely older is beaten."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.terminology.code_systems import ATC, RXNORM, SNOMED_CT
from tests.builders import PATIENT_ID, a_medication_request, a_record, coded, date_ago, days_ago, derived

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


def routed(code: str, route: str) -> dict[str, Any]:
    return {"medicationCodeableConcept": rxnorm(code), "dosage": [{"route": coded((SNOMED_CT, route))}]}


BY_MOUTH, INTO_THE_EYE = "26643006", "54485002"
ASPART, ASPART_MIX, REGULAR, INHALED = rxnorm("51428"), rxnorm("977842"), rxnorm("351859"), rxnorm("2715452")
GLARGINE_PRODUCT, WITH_LIXISENATIDE = rxnorm("847232"), rxnorm("1858994")


@pytest.mark.parametrize(
    ("taken", "refused", "value"),
    [
        (ASPART, ASPART, False),
        (ASPART, ASPART_MIX, None),
        (ASPART_MIX, ASPART_MIX, False),
        (REGULAR, INHALED, None),
        (INHALED, INHALED, False),
        (RX_GLARGINE, GLARGINE_PRODUCT, False),
        (GLARGINE_PRODUCT, RX_GLARGINE, False),
        (RX_GLARGINE, WITH_LIXISENATIDE, None),
        (GLARGINE, WITH_LIXISENATIDE, None),
        (WITH_LIXISENATIDE, WITH_LIXISENATIDE, False),
        (WITH_LIXISENATIDE, RX_GLARGINE, False),  # a combination counts for each ingredient
    ],
)
def test_a_product_or_a_combination_that_is_not_taken_leaves_the_others_of_its_ingredient_open(
    taken: Any, refused: Any, value: bool | None
) -> None:
    found = derived(a_medication_request(taken), a_statement("not-taken", refused, dateAsserted=days_ago(1)))["insulin"]
    assert (found.value, found.reason) == (value, "taking-unclear" if value is None else None)


@pytest.mark.parametrize(("route", "value"), [(BY_MOUTH, False), (INTO_THE_EYE, True)])
def test_drops_that_are_not_taken_say_nothing_of_tablets(route: str, value: bool) -> None:
    tablets = a_medication_request(rxnorm("3264"), dosageInstruction=[{"route": coded((SNOMED_CT, BY_MOUTH))}])
    refused = a_statement("not-taken", dateAsserted=days_ago(1)) | routed("3264", route)
    assert derived(tablets, refused)["steroid"].value is value
    assert derived(refused)["steroid"].value is False


def test_what_is_known_and_perhaps_not_taken_is_understood() -> None:
    """It is no entry that was not understood: the input says why it is open, and no other is."""
    record = a_record(a_medication_request(GLARGINE), a_statement("not-taken", GLARGINE))
    assert record.not_understood.entries == 0
    found = derived(a_medication_request(GLARGINE), a_statement("not-taken", GLARGINE))
    assert [name for name, one in found.items() if one.reason == "taking-unclear"] == ["insulin"]
    assert found["opioid"].value is False

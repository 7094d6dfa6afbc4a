"""What was handed out or given leaves its classes open only for as long as it may still be taken."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.terminology.code_systems import ATC
from tests.builders import PATIENT_ID, a_medication_request, a_record, coded, date_ago, days_ago, derived

INSULIN, PARACETAMOL = coded((ATC, "A10AB01")), coded((ATC, "N02BE01"))
CVX = "http://hl7.org/fhir/sid/cvx"


def given(kind: str, medicine: dict[str, Any] = INSULIN, **members: Any) -> dict[str, Any]:
    return {
        "resourceType": kind,
        "id": "g-1",
        "status": "completed",
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "medicationCodeableConcept": medicine,
        **members,
    }


def a_dose(**members: Any) -> dict[str, Any]:
    return given("MedicationAdministration", **members)


def handed_out(medicine: Any = INSULIN, **members: Any) -> dict[str, Any]:
    return given("MedicationDispense", medicine, **members)


def told(*resources: dict[str, Any], name: str = "insulin") -> Any:
    """Its value where it counts; None where it is open."""
    found = derived(*resources)[name]
    assert found.usable or found.value is None
    return found.value


@pytest.mark.parametrize(
    ("resource", "value"),
    [
        (a_dose(), None),
        (a_dose(effectiveDateTime="gestern"), None),
        (a_dose(effectiveDateTime=days_ago(89)), None),
        (a_dose(effectiveDateTime=date_ago(91)), False),
        (a_dose(effectiveDateTime="2019"), False),
        (a_dose(effectiveDateTime=date_ago(0)[:4]), None),
        (a_dose(effectivePeriod={"start": date_ago(400)}), None),
        (a_dose(effectivePeriod={"start": date_ago(400), "end": date_ago(89)}), None),
        (a_dose(effectivePeriod={"start": date_ago(400), "end": date_ago(91)}), False),
        (handed_out(), None),
        (handed_out(daysSupply={"value": 5}), None),
        (handed_out(whenHandedOver=date_ago(364)), None),
        (handed_out(whenHandedOver=date_ago(366)), False),
        (handed_out(whenPrepared=date_ago(366)), False),
        (handed_out(whenPrepared=date_ago(366), whenHandedOver=date_ago(10)), None),
        (handed_out(whenPrepared=date_ago(366), whenHandedOver="gestern"), None),
        (handed_out(whenHandedOver=date_ago(91), daysSupply={"value": 5}), False),
        (handed_out(whenHandedOver=date_ago(89), daysSupply={"value": 5}), None),
        (handed_out(whenHandedOver=date_ago(120), daysSupply={"value": 120, "unit": "d"}), None),
        (handed_out(whenHandedOver=date_ago(120), daysSupply={"value": 4, "unit": "mo"}), None),
        (handed_out(whenHandedOver=date_ago(120), daysSupply={"value": 1, "unit": "Packung"}), None),
        (handed_out(whenHandedOver=date_ago(120), daysSupply={"value": 1e12}), None),
        (handed_out(whenHandedOver=date_ago(120), daysSupply="5"), None),
    ],
)
def test_an_old_one_says_nothing_of_today(resource: dict[str, Any], value: bool | None) -> None:
    assert told(resource) is value


def by(*statuses: str, named: int | None = None) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Prescriptions of these statuses and references to so many."""
    prescribed = [a_medication_request(INSULIN, id=f"p-{n}", status=status) for n, status in enumerate(statuses)]
    return prescribed, [{"reference": f"MedicationRequest/p-{n}"} for n in range(named or len(statuses))]


@pytest.mark.parametrize(
    ("prescriptions", "dose", "supply"),
    [
        (by("stopped"), False, False),
        (by("completed"), False, None),
        (by("cancelled"), None, None),
        (by("on-hold"), None, None),
        (by("stopped", named=2), None, None),
        (by("stopped", "stopped"), False, False),
        (by("stopped", "on-hold"), None, None),
    ],
)
def test_one_whose_prescriptions_came_and_are_over_says_nothing(prescriptions: Any, dose: Any, supply: Any) -> None:
    requests, named = prescriptions
    recent = {"effectiveDateTime": days_ago(5), "request": named[0]}
    if len(named) == 1:
        assert told(*requests, a_dose(**recent)) is dose
    assert told(*requests, handed_out(whenHandedOver=days_ago(5), authorizingPrescription=named)) is supply


@pytest.mark.parametrize(("said", "value"), [(date_ago(1), False), (date_ago(60), None), (None, None)])
def test_a_later_not_taken_ends_it(said: str | None, value: bool | None) -> None:
    refused = given("MedicationStatement", status="not-taken", dateAsserted=said)
    assert told(a_dose(effectiveDateTime=days_ago(30)), refused) is value
    assert told(handed_out(whenHandedOver=date_ago(30)), refused) is value
    assert told(a_dose(), refused) is None


@pytest.mark.parametrize("name", ["insulin", "anticoagulant", "antiplatelet", "steroid", "opioid"])
@pytest.mark.parametrize(
    ("medicine", "value"),
    [
        (coded((CVX, "140")), False),
        (coded((CVX, "08"), ("urn:x", "7")), False),
        (coded(("urn:oid:2.16.840.1.113883.12.292", "140")), False),
        (coded((CVX, "flu")), None),
        (coded(("urn:x", "140")), None),
    ],
)
def test_a_vaccine_is_of_no_class(medicine: dict[str, Any], value: bool | None, name: str) -> None:
    assert told(given("MedicationAdministration", medicine), name=name) is value


@pytest.mark.parametrize(
    ("status", "value"),
    [
        ("active", False),
        ("on-hold", False),
        ("completed", False),
        ("cancelled", False),
        ("entered-in-error", None),
        ("draft", None),
        ("unknown", None),
    ],
)
@pytest.mark.parametrize("own", [{"text": "as before"}, coded(("urn:x", "7"), text="as before"), None])
def test_only_a_prescription_that_was_one_says_what_was_handed_out(own: Any, status: str, value: bool | None) -> None:
    prescribed = a_medication_request(PARACETAMOL, id="p-0", status=status)
    resource = handed_out(own, authorizingPrescription=[{"reference": "MedicationRequest/p-0"}])
    assert told(prescribed, {k: v for k, v in resource.items() if v is not None}) is value


def test_own_words_that_name_an_ingredient_count_beside_the_prescription() -> None:
    prescribed = a_medication_request(PARACETAMOL, id="p-0")
    for own in ({"text": "Insulin glargine"}, {"coding": [{"system": "urn:x", "code": "7", "display": "insulin nph"}]}):
        resource = handed_out(own, authorizingPrescription=[{"reference": "MedicationRequest/p-0"}])
        assert told(prescribed, resource) is None


def test_what_was_handed_out_and_is_known_is_understood() -> None:
    """It leaves its own class open, and is told as no entry that was not understood."""
    for resource in (handed_out(), a_dose()):
        assert a_record(resource).not_understood.entries == 0
        found = derived(resource)
        assert [name for name, one in found.items() if one.reason == "taking-unclear"] == ["insulin"]
    unknown = handed_out({"text": "as before"})
    missed = a_record(handed_out(), unknown | {"id": "g-2"}).not_understood
    assert {key: one.reasons for key, one in missed.lists.items()} == {"medications": {"words-only": 1}}
    both = derived(handed_out(), unknown | {"id": "g-2"})
    assert (both["insulin"].reason, both["opioid"].reason) == ("taking-unclear", "not-understood")

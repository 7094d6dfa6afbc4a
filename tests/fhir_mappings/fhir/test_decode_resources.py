"""Each resource is read alone; what cannot be read is counted, and another patient's stops everything."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Raw

from fhir_mappings.features import features
from fhir_mappings.fhir.decode_resources import WrongPatientError, decode_resources
from fhir_mappings.fhir.elements import ABSENT
from fhir_mappings.fhir.search_result import SearchResult
from tests.builders import (
    PATIENT_ID,
    a_condition,
    a_medication_request,
    a_patient,
    a_planned_procedure,
    a_record,
    an_observation,
    as_json,
    days_ago,
    derived,
)


def set_aside(*resources: Any) -> dict[str, int]:
    return decode_resources("labs", SearchResult(resources=as_json(resources)), PATIENT_ID).set_aside


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (an_observation(context={"reference": "Encounter/1"}), "fhir-version-unsupported"),  # STU3
        (an_observation(comments="DSTU2"), "fhir-version-unsupported"),
        ({**a_condition(), "clinicalStatus": "active"}, "fhir-version-unsupported"),  # STU3
        (a_condition(assertedDate="2026-01-01"), "fhir-version-unsupported"),
        ({"resourceType": "MedicationOrder", "patient": {"reference": f"Patient/{PATIENT_ID}"}},
         "fhir-version-unsupported"),  # DSTU2
        (a_medication_request(medication={"concept": {}}), "fhir-version-unsupported"),  # R5
        (an_observation(subject=None), "subject-unknown"),
        (an_observation(subject={"identifier": {"value": "MRN 1"}}), "subject-unknown"),
        (an_observation(subject={"reference": "#contained"}), "subject-unknown"),
        (an_observation(subject={"reference": "Group/7"}), "subject-unknown"),
        (an_observation(subject={"reference": "urn:uuid:another"}), "subject-unknown"),
        (an_observation(status=4), "unreadable"),
        (an_observation(valueString=7.2), "unreadable"),
        ({"id": "no type"}, "unreadable"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_counted_by_reason(resource: dict[str, Any], reason: str) -> None:
    assert set_aside(resource) == {reason: 1}


@pytest.mark.parametrize(
    "resource",
    [
        an_observation(subject={"reference": f"https://ehr.example/fhir/Patient/{PATIENT_ID}/_history/2"}),
        an_observation(subject={"reference": f"urn:uuid:{PATIENT_ID}"}),
        an_observation(vendorField={"anything": [1, 2]}),
        {"resourceType": "Practitioner", "id": "p"},
        {"resourceType": "Provenance", "target": [{"reference": "Observation/1"}]},
        {"resourceType": "OperationOutcome", "issue": []},
        {"resourceType": "Medication", "id": "m"},
        a_patient(),
    ],
)
def test_what_is_usable_or_of_no_concern_is_not_counted(resource: dict[str, Any]) -> None:
    assert set_aside(resource) == {}


@pytest.mark.parametrize(
    "resource",
    [
        an_observation(subject={"reference": "Patient/somebody-else"}),
        an_observation(subject={"reference": "Patient/somebody-else"}, status=4),  # even where it cannot be read
        a_patient(id="somebody-else"),
        {"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/somebody-else"}},
    ],
)
def test_another_patients_resource_stops_everything(resource: dict[str, Any]) -> None:
    with pytest.raises(WrongPatientError) as caught:
        decode_resources("labs", SearchResult(resources=as_json([resource]), supplied="fetched"), PATIENT_ID)
    assert (caught.value.key, caught.value.supplied) == ("labs", "fetched")
    assert "somebody-else" not in str(caught.value)


def test_one_bad_resource_leaves_the_others() -> None:
    result = SearchResult(resources=(Raw(b"not json"), *as_json([an_observation()])))
    found = decode_resources("labs", result, PATIENT_ID)
    assert len(found.resources) == 1
    assert found.set_aside == {"unreadable": 1}


def test_a_member_that_is_absent_is_known_as_absent() -> None:
    found = decode_resources("labs", SearchResult(resources=as_json([an_observation()])), PATIENT_ID).resources[0]
    assert found.value_ratio is ABSENT  # type: ignore[union-attr]


@pytest.mark.parametrize("code", [{"coding": "718-7"}, "718-7", None, [], {"coding": [{"code": 7187}]}])
def test_a_result_whose_code_cannot_be_read_is_set_aside_and_an_older_one_counts(code: object) -> None:
    newer = an_observation("718-7", 9.0, "g/dL", id="newer", effectiveDateTime=days_ago(1)) | {"code": code}
    older = an_observation("718-7", 13.0, "g/dL", id="older", effectiveDateTime=days_ago(5))
    record = a_record(a_patient(), newer, older)
    assert record.set_aside == {"unreadable": 1}
    found = features.derive(record, a_planned_procedure())["haemoglobin"]
    assert (found.value, found.source, found.flags) == (13.0, "Observation/older", ("partial",))


def test_where_no_code_can_be_read_nothing_is_concluded() -> None:
    record = a_record(a_patient(), an_observation("718-7", 9.0, "g/dL") | {"code": "718-7"})
    found = features.derive(record, a_planned_procedure())["haemoglobin"]
    assert (found.status, found.reason) == ("missing", "not-understood")


def test_a_code_longer_than_what_is_remembered_means_the_same() -> None:
    long = an_observation("718-7", 13.0, "g/dL")
    long["code"]["text"] = "x" * 5000
    assert derived(a_patient(), long)["haemoglobin"].value == 13.0


def test_one_unreadable_result_among_a_thousand_leaves_all_others_read() -> None:
    many = [an_observation("2951-2", 140.0, "mmol/L", id=f"o-{n}") for n in range(999)]
    record = a_record(a_patient(), *many, an_observation("718-7", 9.0, "g/dL") | {"status": 7})
    assert (len(record.recorded["sodium"]), record.set_aside) == (999, {"unreadable": 1})

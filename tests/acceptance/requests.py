"""A whole order-select for Mr. B, 72, ASA III, elective lumbar fusion; a test states only what it changes."""

from __future__ import annotations

import copy
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

CPT = "http://www.ama-assn.org/go/cpt"
PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
LOINC = "http://loinc.org"
LOCAL = "https://demo.surgical-risk.example/codes"
SNOMED = "http://snomed.info/sct"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
FUSION = (CPT, "22633")


# Two requests of one run are of one instant: a second that ticks between them is not a change of the data.
NOW = datetime.now(UTC)


def days_ago(days: float) -> str:
    return (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def an_order(
    coding: tuple[str, str] = FUSION, *, order_id: str = "fusion", patient: str = "pt-b", **members: Any
) -> dict[str, Any]:
    system, code = coding
    return {
        "resourceType": "ServiceRequest",
        "id": order_id,
        "status": "draft",
        "intent": "order",
        "priority": "routine",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
    } | members


def a_patient(age: int = 72, **members: Any) -> dict[str, Any]:
    born = NOW.date()
    return {
        "resourceType": "Patient",
        "id": "pt-b",
        "gender": "male",
        "birthDate": born.replace(year=born.year - age, day=min(born.day, 28)).isoformat(),
    } | members


def an_asa_class(roman: str = "III", *, days: float = 5) -> dict[str, Any]:
    codes = {"I": "413495001", "II": "413496000", "III": "413497009"}
    return _observation("asa", "97816-3", days) | {
        "valueCodeableConcept": {"coding": [{"system": SNOMED, "code": codes[roman]}]}
    }


def a_functional_status(code: str = "FUNC-INDEPENDENT", *, days: float = 5) -> dict[str, Any]:
    """In the demonstration tenant's own codes: there is no standard one."""
    return _observation("function", "FUNC", days) | {
        "code": {"coding": [{"system": LOCAL, "code": "FUNC"}]},
        "valueCodeableConcept": {"coding": [{"system": LOCAL, "code": code}]},
    }


def a_result(loinc: str, value: float, unit: str, *, days: float = 5, result_id: str | None = None) -> dict[str, Any]:
    return _observation(result_id or f"lab-{loinc}", loinc, days) | {
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    }


def _observation(resource_id: str, loinc: str, days: float) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": resource_id,
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": loinc}]},
        "subject": {"reference": "Patient/pt-b"},
        "effectiveDateTime": days_ago(days),
    }


def a_condition(code: str, *, system: str = ICD) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": f"c-{code.replace('.', '-')}",
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
        },
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": "Patient/pt-b"},
    }


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def a_request(*orders: dict[str, Any], selections: list[str] | None = None, **prefetch: Any) -> dict[str, Any]:
    """order-select with every prefetch key: a key given here replaces its default; `...` leaves the key out."""
    drafts = list(orders) or [an_order()]
    keys = {
        "patient": a_patient(),
        "conditions": bundle(),
        "labs": bundle(a_result("2160-0", 1.1, "mg/dL")),
        "observations": bundle(an_asa_class()),
        "medications": bundle(),
        "procedures": bundle(),
        "orders": bundle(),
        "reports": bundle(),
    } | prefetch
    return {
        "hook": "order-select",
        "hookInstance": str(uuid.uuid4()),
        "context": {
            "userId": "Practitioner/surgeon",
            "patientId": "pt-b",
            "selections": selections or [f"{d['resourceType']}/{d['id']}" for d in drafts],
            "draftOrders": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": copy.deepcopy(draft)} for draft in drafts],
            },
        },
        "prefetch": {key: value for key, value in keys.items() if value is not ...},
    }

"""The calls that the invented hospital's EHR makes about one operation, as CDS Hooks requests in FHIR R4."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from cds_service.demo_hospital import invented_people
from cds_service.demo_hospital.invented_people import InventedPerson

_PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
_ICD = "http://hl7.org/fhir/sid/icd-10-cm"
_LOINC = "http://loinc.org"
_SNOMED = "http://snomed.info/sct"
_ASA = {1: "413495001", 2: "413496000", 3: "413497009", 4: "413498004"}
_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
_CDC = "urn:oid:2.16.840.1.113883.6.238"
_OWN_CODES = "https://demo-hospital.example/orders"
_MMOL_PER_GRAM = 0.6206  # haemoglobin (monomer, 16,114 g/mol): g/dL to mmol/L
_CHANGED, _NEW_CODE = 7, 5  # every seventh order is changed a week later; every fifth has the new code


def calls(person: InventedPerson) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Each call with its instant: while the order is written, when it is signed, and after a change of it."""
    at = datetime.combine(person.ordered, time(), UTC) + timedelta(hours=person.hour)
    yield at, _request(person, at, "order-select")
    signed = at + timedelta(minutes=4)
    yield signed, _request(person, signed, "order-sign")
    later = at + timedelta(days=5)
    if person.number % _CHANGED == 0 and later.date() < person.operated:
        yield later, _request(person, later, "order-sign")


def _request(person: InventedPerson, at: datetime, hook: str) -> dict[str, Any]:
    order = _order(person, at)
    context = {
        "userId": f"Practitioner/surgeon-{person.number % 12}",
        "patientId": person.id,
        "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order}]},
    }
    if hook == "order-select":
        context["selections"] = [f"ServiceRequest/{order['id']}"]
    name = f"{person.id}/{hook}/{at.isoformat()}"
    return {
        "hook": hook,
        "hookInstance": str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        "context": context,
        "prefetch": _prefetch(person, at),
    }


def _order(person: InventedPerson, at: datetime) -> dict[str, Any]:
    has_new = person.week in invented_people.NEW_CODE and person.number % _NEW_CODE == 0
    system, code = (_OWN_CODES, "SPINE-2026-A") if has_new else (_PCS, person.code)
    return {
        "resourceType": "ServiceRequest",
        "id": f"order-{person.number:04d}",
        "status": "draft",
        "intent": "order",
        "priority": "routine",
        "category": [{"coding": [{"system": _SNOMED, "code": "387713003"}]}],
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": f"Patient/{person.id}"},
        "authoredOn": _instant(at),
        "occurrenceDateTime": person.operated.isoformat(),
    }


def _prefetch(person: InventedPerson, at: datetime) -> dict[str, Any]:
    week, weekday = invented_people.BROKEN_KEY_DAY
    is_broken = person.week == week and at.weekday() == weekday
    return {
        "patient": _patient(person),
        "conditions": _bundle(*(_condition(person, code) for code in person.diseases)),
        "labs": None if is_broken else _bundle(*(_results(person, at) if person.has_results else ())),
        "observations": _bundle(*_observations(person, at)),
        "medications": _bundle(*_medicines(person, at)),
        "procedures": _bundle(),
        "orders": _bundle(),
        "reports": _bundle(),
    }


def _patient(person: InventedPerson) -> dict[str, Any]:
    born = date(person.ordered.year - person.age, 1, 1) + timedelta(days=person.number % 200)
    patient: dict[str, Any] = {
        "resourceType": "Patient",
        "id": person.id,
        "gender": "female" if person.is_female else "male",
        "birthDate": born.isoformat(),
        "extension": [],
    }
    if person.race is not None:
        patient["extension"].append(_core("race", *person.race))
    if person.is_hispanic is not None:
        said = ("2135-2", "Hispanic or Latino") if person.is_hispanic else ("2186-5", "Not Hispanic or Latino")
        patient["extension"].append(_core("ethnicity", *said))
    if person.language:
        coding = {"system": "urn:ietf:bcp:47", "code": person.language}
        patient["communication"] = [{"language": {"coding": [coding]}, "preferred": True}]
    if not patient["extension"]:
        del patient["extension"]
    return patient


def _core(name: str, code: str, words: str) -> dict[str, Any]:
    coding = {"system": _CDC, "code": code, "display": words}
    told = [{"url": "ombCategory", "valueCoding": coding}, {"url": "text", "valueString": words}]
    return {"url": f"{_CORE}us-core-{name}", "extension": told}


def _condition(person: InventedPerson, code: str) -> dict[str, Any]:
    active = {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}
    return {
        "resourceType": "Condition",
        "id": f"condition-{person.number:04d}-{code.replace('.', '-')}",
        "clinicalStatus": {"coding": [active]},
        "code": {"coding": [{"system": _ICD, "code": code}]},
        "subject": {"reference": f"Patient/{person.id}"},
        "recordedDate": (person.ordered - timedelta(days=300)).isoformat(),
    }


def _results(person: InventedPerson, at: datetime) -> Iterator[dict[str, Any]]:
    is_changed = person.week in invented_people.UNIT_CHANGE
    haemoglobin = round(person.haemoglobin * _MMOL_PER_GRAM, 1) if is_changed else person.haemoglobin
    yield _quantity(person, at, "718-7", haemoglobin, "g/dL")
    yield _quantity(person, at, "2160-0", person.creatinine, "mg/dL")
    yield _quantity(person, at, "777-3", 180 + person.number * 89 % 150, "10*3/uL")
    yield _quantity(person, at, "2951-2", 136 + person.number * 5 % 8, "mmol/L")


def _observations(person: InventedPerson, at: datetime) -> Iterator[dict[str, Any]]:
    yield _quantity(person, at, "39156-5", person.bmi, "kg/m2")
    if person.has_asa:
        value = {"valueCodeableConcept": {"coding": [{"system": _SNOMED, "code": _ASA[person.asa]}]}}
        yield _observation(person, at, "97816-3") | value


def _quantity(person: InventedPerson, at: datetime, loinc: str, value: float, unit: str) -> dict[str, Any]:
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return _observation(person, at, loinc) | {"valueQuantity": quantity}


def _observation(person: InventedPerson, at: datetime, loinc: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"observation-{person.number:04d}-{loinc}",
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": loinc}]},
        "subject": {"reference": f"Patient/{person.id}"},
        "effectiveDateTime": _instant(at - timedelta(days=6 + person.number * 7 % 20)),
    }


def _medicines(person: InventedPerson, at: datetime) -> Iterator[dict[str, Any]]:
    if "I10" in person.diseases:
        yield {
            "resourceType": "MedicationRequest",
            "id": f"medicine-{person.number:04d}",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "C09AA02"}]},
            "subject": {"reference": f"Patient/{person.id}"},
            "authoredOn": _instant(at - timedelta(days=90)),
        }


def _bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [{"resource": one, "search": {"mode": "match"}} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")

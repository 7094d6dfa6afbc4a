"""Builders of plausible FHIR resources and searches: every member optional, a test states only what it is about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Raw

from fhir_mappings.features import features
from fhir_mappings.fhir.search_result import SearchResult, SearchResults
from fhir_mappings.orders import procedures
from fhir_mappings.orders.procedures import PlannedProcedure
from fhir_mappings.patient import patient_record
from fhir_mappings.patient.patient_record import KEYS, PatientRecord
from fhir_mappings.results.feature import Feature, Features
from fhir_mappings.results.site_rules import NO_SITE_RULES, SiteRules
from fhir_mappings.terminology import concept_maps
from fhir_mappings.terminology.code_systems import ICD_10_CM, LOINC, RXNORM, UCUM
from fhir_mappings.terminology.concept_maps import ConceptMaps
from fhir_mappings.terminology.value_sets import STANDARD, ValueSets

PATIENT_ID = "pt-1"
AS_OF = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Vienna")
DEMO_CODES = "https://demo.surgical-risk.example/codes"
DEMO_MAPS = concept_maps.load([concept_maps.DEMO])

Resource = dict[str, Any]
MEASUREMENTS = {
    "creatinine": ("2160-0", "mg/dL"),
    "haemoglobin": ("718-7", "g/dL"),
    "albumin": ("1751-7", "g/dL"),
    "platelets": ("777-3", "10*3/uL"),
    "inr": ("6301-6", "{INR}"),
    "sodium": ("2951-2", "mmol/L"),
    "glucose": ("2345-7", "mg/dL"),
    "hba1c": ("4548-4", "%"),
    "height": ("8302-2", "cm"),
    "weight": ("29463-7", "kg"),
    "bmi": ("39156-5", "kg/m2"),
    "spo2": ("59408-5", "%"),
    "egfr": ("98979-8", "mL/min/{1.73_m2}"),
}
_KEY_OF = {
    "Patient": "patient",
    "Condition": "conditions",
    "MedicationRequest": "medications",
    "MedicationStatement": "medications",
    "Medication": "medications",
    "Procedure": "procedures",
    "Encounter": "encounter",
    "DiagnosticReport": "reports",
    "ServiceRequest": "orders",
}
_VITAL_SIGNS = {"8302-2", "29463-7", "39156-5", "59408-5", "2708-6", "97816-3", "72166-2", "82810-3", "FUNC"}


def days_ago(days: float, *, as_of: datetime = AS_OF) -> str:
    """An instant so many days before the hook, as FHIR writes it."""
    return (as_of - timedelta(days=days)).isoformat().replace("+00:00", "Z")


def date_ago(days: int, *, as_of: datetime = AS_OF) -> str:
    """The calendar date so many days before the hook."""
    return (as_of - timedelta(days=days)).date().isoformat()


def coded(*codes: tuple[str, str], text: str | None = None) -> dict[str, Any]:
    """A CodeableConcept with these (system, code) pairs."""
    concept: dict[str, Any] = {"coding": [{"system": system, "code": code} for system, code in codes]} if codes else {}
    return concept | ({"text": text} if text else {})


def a_patient(**members: Any) -> Resource:
    """A man of 71."""
    return {
        "resourceType": "Patient",
        "id": PATIENT_ID,
        "gender": "male",
        "birthDate": "1955-03-02",
        **members,
    }


def a_condition(code: str | dict[str, Any] = "E11.9", *, status: str | None = "active", **members: Any) -> Resource:
    """A confirmed diagnosis on the problem list, coded in ICD-10-CM unless a whole concept is given."""
    condition: Resource = {
        "resourceType": "Condition",
        "id": f"c-{code}" if isinstance(code, str) else "c-1",
        "code": coded((ICD_10_CM, code)) if isinstance(code, str) else code,
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "verificationStatus": coded(("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed")),
        "category": [coded(("http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item"))],
    }
    if status:
        system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
        condition["clinicalStatus"] = coded((system, status))
    return _with(condition, members)


def an_observation(
    code: str | dict[str, Any] = "2160-0", value: float | None = 1.1, unit: str | None = "mg/dL", **members: Any
) -> Resource:
    """A final result of ten days ago with a UCUM unit, coded in LOINC unless a whole concept is given."""
    observation: Resource = {
        "resourceType": "Observation",
        "id": f"o-{code}" if isinstance(code, str) else "o-1",
        "status": "final",
        "code": coded((LOINC, code)) if isinstance(code, str) else code,
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "effectiveDateTime": days_ago(10),
    }
    if value is not None:
        observation["valueQuantity"] = a_quantity(value, unit)
    return _with(observation, members)


def a_quantity(value: float, unit: str | None = "mg/dL", **members: Any) -> dict[str, Any]:
    """A number with a UCUM unit, or without any."""
    quantity: dict[str, Any] = {"value": value}
    if unit is not None:
        quantity |= {"unit": unit, "system": UCUM, "code": unit}
    return _with(quantity, members)


def an_answer(code: str | dict[str, Any], *answers: tuple[str, str], **members: Any) -> Resource:
    """An Observation whose value is a coded answer."""
    return an_observation(code, None, valueCodeableConcept=coded(*answers), **members)


def a_medication_request(code: str | dict[str, Any] = "1364430", **members: Any) -> Resource:
    """An active outpatient prescription of a month ago, by RxNorm code unless a whole concept is given."""
    request: Resource = {
        "resourceType": "MedicationRequest",
        "id": f"m-{code}" if isinstance(code, str) else "m-1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": coded((RXNORM, code)) if isinstance(code, str) else code,
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "authoredOn": days_ago(30),
    }
    return _with(request, members)


def a_procedure(system: str, code: str, **members: Any) -> Resource:
    """A completed procedure of three years ago."""
    procedure: Resource = {
        "resourceType": "Procedure",
        "id": f"p-{code}",
        "status": "completed",
        "code": coded((system, code)),
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "performedDateTime": date_ago(1000),
    }
    return _with(procedure, members)


def an_order(*codes: tuple[str, str], **members: Any) -> Resource:
    """A draft ServiceRequest; lumbar interbody fusion (ICD-10-PCS) unless codes are given."""
    order: Resource = {
        "resourceType": "ServiceRequest",
        "id": "order-1",
        "status": "draft",
        "intent": "order",
        "code": coded(*(codes or (("http://www.cms.gov/Medicare/Coding/ICD10", "0SG00AJ"),))),
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
    }
    return _with(order, members)


def _with(resource: Resource, members: Mapping[str, Any]) -> Resource:
    """The resource with these members; a member given as None is left out."""
    return {name: value for name, value in {**resource, **members}.items() if value is not None}


def as_json(resources: Iterable[Resource]) -> tuple[Raw, ...]:
    """Each resource as the JSON in which it arrives."""
    return tuple(Raw(json.dumps(resource).encode()) for resource in resources)


def searches(*resources: Resource, **overrides: SearchResult) -> SearchResults:
    """One successful search per prefetch key, holding the resources that belong there; others found nothing."""
    by_key: dict[str, list[Resource]] = {key: [] for key in KEYS}
    for resource in resources:
        by_key[_key_of(resource)].append(resource)
    found = {key: SearchResult(resources=as_json(those)) for key, those in by_key.items()}
    return found | overrides


def _key_of(resource: Resource) -> str:
    if key := _KEY_OF.get(resource["resourceType"]):
        return key
    code = resource.get("code")
    codings = code.get("coding", ()) if isinstance(code, dict) else ()
    codes = {coding.get("code") for coding in codings if isinstance(coding, dict)}
    return "observations" if codes & _VITAL_SIGNS else "labs"


def a_record(
    *resources: Resource,
    maps: ConceptMaps = DEMO_MAPS,
    as_of: datetime = AS_OF,
    value_sets: ValueSets = STANDARD,
    rules: SiteRules = NO_SITE_RULES,
    **overrides: SearchResult,
) -> PatientRecord:
    """The record of these resources, with a plausible Patient unless one is given."""
    if not any(resource["resourceType"] == "Patient" for resource in resources):
        resources = (a_patient(), *resources)
    results = searches(*resources, **overrides)
    return patient_record.read_record(
        results, patient_id=PATIENT_ID, as_of=as_of, zone=ZONE, maps=maps, value_sets=value_sets, rules=rules
    )


def a_planned_procedure(**members: Any) -> PlannedProcedure:
    """An elective lumbar fusion."""
    found = procedures.planned(as_json([an_order(**members)]), patient_id=PATIENT_ID, maps=DEMO_MAPS)
    assert isinstance(found, tuple)
    return found[0]


def derived(*resources: Resource, order: Mapping[str, Any] | None = None, **arguments: Any) -> Features:
    """Every feature of these resources for an elective lumbar fusion."""
    return features.derive(a_record(*resources, **arguments), a_planned_procedure(**(order or {})))


def measured(name: str, value: float | None = None, unit: str | None = None, **members: Any) -> Feature:
    """The feature that a single Observation of this measurement gives, in its canonical unit unless told."""
    code, canonical = MEASUREMENTS[name]
    return derived(an_observation(code, value, unit or canonical, **members))[name]


def codes_of(name: str) -> set[str]:
    """Every LOINC code that speaks of a measurement."""
    ideas = [idea for idea in (name, f"{name}-lower-rank") if idea in STANDARD.by_id]
    return {code for idea in ideas for code in STANDARD.codes(idea, LOINC)}

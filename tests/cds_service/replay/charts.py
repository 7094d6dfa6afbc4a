"""Whom the tests of replay answer for: everybody of the cohorts with an order, and what may come later."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec
from msgspec import Raw

from cds_service.answer import Knowledge
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.replay import patient
from cds_service.replay.chart import KEY_OF
from cds_service.replay.patient import Setting
from cds_service.tenant_runtime import open_tenant
from cds_service.tenants.tenant_files import demo_tenant
from models_onnx import registry

Resource = dict[str, Any]
ORDER = "the-order"
EVERYTHING = frozenset(KEY_OF)
SNOMED, LOINC, CLINICAL = "http://snomed.info/sct", "http://loinc.org", (
    "http://terminology.hl7.org/CodeSystem/condition-clinical"
)  # fmt: skip
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
DIAGNOSES = ("E11.9", "I50.9", "N18.6", "A41.9", "C50.9", "J44.9", "R65.21", "O09.90", "XYZ")
RESULTS = (("718-7", 4.0, "g/dL"), ("2160-0", 9.0, "mg/dL"), ("1751-7", 1.0, "g/dL"), ("33762-6", 9000.0, "pg/mL"))
OPERATIONS = ("22612", "63030", "27130")


@cache
def setting(*, procedures_too: bool = False, provided: frozenset[str] = EVERYTHING) -> Setting:
    site = patient.unhurried(open_tenant(demo_tenant("http://127.0.0.1:8000")))
    return Setting(site, Knowledge(registry.load(), FhirClient(threads=1)), provided, procedures_too)


def raw(resource: Resource) -> Raw:
    return Raw(msgspec.json.encode(resource))


def order(patient_id: str, as_of: datetime, code: str = "22612") -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "id": ORDER,
        "status": "completed",
        "intent": "order",
        "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": code}]},
        "subject": {"reference": f"Patient/{patient_id}"},
        "authoredOn": as_of.isoformat(),
    }


def row_of(patient_id: str, resources: list[Raw], **chosen: Any) -> bytes:
    """The row of ORDER."""
    rows = patient.replay(patient_id, resources, setting(**chosen)).rows
    (found,) = [row for row in rows if b'"ServiceRequest/the-order"' in row]
    return found


def later(dice: random.Random, patient_id: str, as_of: datetime) -> list[Resource]:
    """A few resources that were known only after `as_of`, by whichever of their dates says so."""
    return [_MAKERS[dice.randrange(len(_MAKERS))](dice, patient_id, as_of, n) for n in range(dice.randint(1, 6))]


def _after(dice: random.Random, as_of: datetime) -> str:
    """A time that is surely later: a second or years later, in any zone; a later day, month or year."""
    when = as_of + timedelta(seconds=dice.choice((1, 60, 3600, 86_399, 86_401, 10**6, 10**8)))
    shape = dice.randrange(5)
    if shape == 0:
        return (as_of + timedelta(days=dice.randint(2, 900))).strftime("%Y-%m-%d")
    if shape == 1:
        return f"{as_of.year + dice.randint(1, 3)}"
    if shape == 2:
        return (as_of + timedelta(days=dice.randint(32, 500))).strftime("%Y-%m")
    zoned = when.astimezone(UTC) + timedelta(hours=(hours := dice.randint(-11, 13)))
    return zoned.strftime(f"%Y-%m-%dT%H:%M:%S{hours:+03d}:00")


def _before(dice: random.Random, as_of: datetime) -> str:
    return (as_of - timedelta(seconds=dice.choice((0, 1, 3600, 10**5, 10**7)))).isoformat()


def _base(kind: str, patient_id: str, number: int, **members: Any) -> Resource:
    return {
        "resourceType": kind,
        "id": f"later-{number}",
        "subject": {"reference": f"Patient/{patient_id}"},
        **members,
    }


def _dated(dice: random.Random, as_of: datetime, own: tuple[str, ...], beside: tuple[str, ...] = ()) -> Resource:
    """One of the own dates later; else only the day of the last change, which is; `beside`: earlier, and no matter."""
    if dice.random() < 0.2:
        return {"meta": {"lastUpdated": _after(dice, as_of)}}
    found: Resource = {name: _before(dice, as_of) for name in beside if dice.random() < 0.5}
    name = dice.choice(own)
    when = _after(dice, as_of)
    found[name] = {"start": when} if name.endswith("Period") or name == "period" else when
    return found | ({"meta": {"lastUpdated": _before(dice, as_of)}} if dice.random() < 0.3 else {})


def _observation(dice: random.Random, patient_id: str, as_of: datetime, number: int) -> Resource:
    code, value, unit = dice.choice(RESULTS)
    codes = dice.choice(({"system": LOINC, "code": code}, {"system": "urn:local", "code": f"L{number}"}))
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    dates = _dated(dice, as_of, ("effectiveDateTime", "effectiveInstant", "effectivePeriod"), ("issued",))
    if dice.random() < 0.3:
        dates = {"effectiveDateTime": _before(dice, as_of), "issued": _after(dice, as_of)}
    status = dice.choice(("final", "amended", "registered", "odd"))
    return _base(
        "Observation", patient_id, number, status=status, code={"coding": [codes]}, valueQuantity=quantity, **dates
    )


def _condition(dice: random.Random, patient_id: str, as_of: datetime, number: int) -> Resource:
    dates = _dated(dice, as_of, ("recordedDate", "onsetDateTime", "onsetPeriod"))
    if dice.random() < 0.4:
        dates = {"onsetDateTime": _before(dice, as_of), "recordedDate": _after(dice, as_of)}
    status = {"coding": [{"system": CLINICAL, "code": dice.choice(("active", "resolved", "inactive"))}]}
    code = {"coding": [{"system": ICD, "code": dice.choice(DIAGNOSES)}]} if dice.random() < 0.8 else {"text": "words"}
    return _base("Condition", patient_id, number, clinicalStatus=status, code=code, **dates)


def _procedure(dice: random.Random, patient_id: str, as_of: datetime, number: int) -> Resource:
    dates = _dated(dice, as_of, ("performedDateTime", "performedPeriod"))
    if dice.random() < 0.3:
        dates = {"performedPeriod": {"start": _before(dice, as_of), "end": _after(dice, as_of)}}
    codes = ({"system": "http://www.ama-assn.org/go/cpt", "code": "22612"}, {"system": SNOMED, "code": "265764009"})
    status = dice.choice(("completed", "in-progress"))
    return _base("Procedure", patient_id, number, status=status, code={"coding": [dice.choice(codes)]}, **dates)


def _medicine(dice: random.Random, patient_id: str, as_of: datetime, number: int) -> Resource:
    drug = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": dice.choice(("11289", "5"))}]}
    if dice.random() < 0.3:
        dates = _dated(dice, as_of, ("dateAsserted",), ("effectiveDateTime",))
        status = dice.choice(("active", "not-taken"))
        return _base("MedicationStatement", patient_id, number, status=status, medicationCodeableConcept=drug, **dates)
    status = dice.choice(("active", "completed", "stopped", "odd"))
    return _base(
        "MedicationRequest", patient_id, number, status=status, intent="order", medicationCodeableConcept=drug,
        **_dated(dice, as_of, ("authoredOn",)),
    )  # fmt: skip


def _visit(dice: random.Random, patient_id: str, as_of: datetime, number: int) -> Resource:
    kind = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"}
    made = _base("Encounter", patient_id, number, status=dice.choice(("in-progress", "finished")), **{"class": kind})
    return made | _dated(dice, as_of, ("period",)) | {"id": dice.choice(("enc-1", made["id"]))}


def _request(dice: random.Random, patient_id: str, as_of: datetime, number: int) -> Resource:
    code = {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": dice.choice(OPERATIONS)}]}
    made = {"status": dice.choice(("active", "completed", "revoked")), "intent": "order", "code": code}
    return _base("ServiceRequest", patient_id, number, **made, authoredOn=_after(dice, as_of))


def _report(dice: random.Random, patient_id: str, as_of: datetime, number: int) -> Resource:
    dates = _dated(dice, as_of, ("effectiveDateTime", "issued"))
    return _base("DiagnosticReport", patient_id, number, status="final", code={"text": "MRI"}, **dates)


_MAKERS = (_observation, _observation, _condition, _condition, _procedure, _medicine, _visit, _request, _report)


def ended_later(dice: random.Random, resource: Resource, as_of: datetime) -> Resource:
    """The same resource with an end that came later, as a chart of later tells it."""
    when = _after(dice, as_of)
    match resource["resourceType"]:
        case "Patient" if "deceasedDateTime" not in resource:
            return resource | {"deceasedDateTime": when}
        case "Condition" if _is_active(resource):
            status = {"coding": [{"system": CLINICAL, "code": dice.choice(("resolved", "inactive", "remission"))}]}
            return resource | {"clinicalStatus": status, "abatementDateTime": when}
        case "MedicationRequest" if resource.get("status") == "active" and "dispenseRequest" not in resource:
            return resource | {"status": "completed", "dispenseRequest": {"validityPeriod": {"end": when}}}
    return resource


def _is_active(resource: Resource) -> bool:
    status = resource.get("clinicalStatus")
    plain = {"coding": [{"system": CLINICAL, "code": "active"}]}
    return status == plain and not any(name.startswith("abatement") for name in resource)

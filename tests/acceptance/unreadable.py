"""Entries that are read, and many ways in which such an entry, or its whole list, cannot be."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.acceptance.requests import CPT, ICD, SNOMED, days_ago

Resource = dict[str, Any]
Way = Callable[[Resource], Any]
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UNKNOWN_SYSTEM, HL7 = "https://hospital.example/codes", "http://terminology.hl7.org/CodeSystem"
VERIFICATION = f"{HL7}/condition-ver-status"

# One diagnosis by which each input is true.
DIAGNOSES = {
    "diabetes": "E11.9",
    "heart_failure": "I50.9",
    "ischaemic_heart_disease": "I25.2",
    "cerebrovascular_disease": "I63.9",
    "copd": "J44.9",
    "dialysis": "Z99.2",
    "chronic_kidney_disease": "N18.4",
    "cancer": "C34.90",
    "metastatic_cancer": "C79.51",
    "dementia": "F03.90",
    "insulin": "Z79.4",
    "anticoagulant": "Z79.01",
    "antiplatelet": "Z79.02",
    "steroid": "Z79.52",
    "opioid": "Z79.891",
    "previous_spine_surgery": "Z98.1",
    "sepsis": "A41.9",
    "respiratory_infection": "J18.9",
    "spondylolisthesis": "M43.16",
    "charlson_heart_failure": "I50.9",
    "charlson_dementia": "F03.90",
    "charlson_pulmonary_disease": "J44.9",
    "charlson_rheumatic_disease": "M05.9",
    "charlson_complicated_diabetes": "E11.22",
    "charlson_paralysis": "G82.20",
    "charlson_kidney_disease": "N18.4",
    "charlson_hiv": "B20",
    "charlson_liver_disease": "K74.60",
    "charlson_malignancy": "C34.90",
    "hfrs_points": "F03.90",
    "hypertension_on_medication": "I10",
}
MEDICINES = {
    "insulin": "274783",
    "anticoagulant": "1364430",
    "antiplatelet": "32968",
    "steroid": "8640",
    "opioid": "7804",
    "hypertension_on_medication": "29046",
}
PROCEDURES = {"previous_spine_surgery": "22612", "dialysis": "90935"}


def a_medicine(code: str) -> Resource:
    return {
        "resourceType": "MedicationRequest",
        "id": f"m-{code}",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code}]},
        "subject": {"reference": "Patient/pt-b"},
        "authoredOn": days_ago(30),
    }


def a_procedure(code: str) -> Resource:
    return {
        "resourceType": "Procedure",
        "id": f"p-{code}",
        "status": "completed",
        "code": {"coding": [{"system": CPT, "code": code}]},
        "subject": {"reference": "Patient/pt-b"},
        "performedDateTime": days_ago(3),
    }


def entry(resource: Any, **members: Any) -> Resource:
    return {"resource": resource, "search": {"mode": "match"}} | members


def searchset(*entries: Any, **members: Any) -> Resource:
    return {"resourceType": "Bundle", "type": "searchset", "entry": list(entries)} | members


def coded(*codings: Resource, **members: Any) -> Callable[[Resource], Resource]:
    """Another code in the place of the one that is read."""

    def changed(resource: Resource) -> Resource:
        name = "medicationCodeableConcept" if resource["resourceType"] == "MedicationRequest" else "code"
        return resource | {name: {"coding": list(codings)} | members if codings else members}

    return changed


def spelt(**members: Any) -> Callable[[Resource], Resource]:
    """The same code with other members in its coding."""

    def changed(resource: Resource) -> Resource:
        name = "medicationCodeableConcept" if resource["resourceType"] == "MedicationRequest" else "code"
        (coding,) = resource[name]["coding"]
        return resource | {name: {"coding": [{k: v for k, v in (coding | members).items() if v is not None}]}}

    return changed


def with_(**members: Any) -> Callable[[Resource], Resource]:
    return lambda resource: {k: v for k, v in (resource | members).items() if v is not ...}


# Ways in which an entry of any list cannot be understood, and, below, ways in which only one kind of entry cannot.
ENTRIES: dict[str, Way] = {
    "system unknown": spelt(system=UNKNOWN_SYSTEM),
    "system absent": spelt(system=None),
    "system an unknown OID": spelt(system="urn:oid:1.2.3.4.5.6.7"),
    "system almost right": spelt(system="http://hl7.org/fhir/sid/icd-10-cmx"),
    "code in no list": spelt(system=SNOMED, code="2003000000"),
    "code of no form": spelt(code="?!"),
    "code a number": spelt(code=7),
    "code absent": spelt(code=None),
    "words only": coded(text="as the clinic writes it"),
    "no code at all": coded(),
    "masked": coded({"system": f"{HL7}/data-absent-reason", "code": "masked"}),
    "unknown by its own word": coded({"system": f"{HL7}/data-absent-reason", "code": "unknown"}),
    "coding no list": coded(coding={"system": ICD, "code": "I50.9"}),
    "concept a list": with_(code=[], medicationCodeableConcept=[]),
    "modifier": with_(modifierExtension=[{"url": "https://hospital.example/absent", "valueBoolean": True}]),
    "implicit rules": with_(implicitRules="https://hospital.example/rules"),
    "nobody's": with_(subject=...),
    "a subject by identifier": with_(subject={"identifier": {"system": UNKNOWN_SYSTEM, "value": "7"}}),
    "a subject in words": with_(subject={"display": "this patient"}),
    "a contained subject": with_(subject={"reference": "#who"}),
    "a type misspelt": lambda resource: resource | {"resourceType": resource["resourceType"].lower()},
    "a type absent": lambda resource: {k: v for k, v in resource.items() if k != "resourceType"},
    "status no text": with_(status=7, clinicalStatus=7),
}
CONDITIONS: dict[str, Way] = {
    "no information": coded(
        {"system": "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips", "code": "no-problem-info"}
    ),
    "confirmed elsewhere": with_(verificationStatus={"coding": [{"system": UNKNOWN_SYSTEM, "code": "yes"}]}),
    "confirmed in words": with_(verificationStatus={"text": "confirmed by letter"}),
    "confirmed without a system": with_(verificationStatus={"coding": [{"code": "confirmed"}]}),
    "confirmed by an unknown code": with_(verificationStatus={"coding": [{"system": VERIFICATION, "code": "maybe"}]}),
    "STU3 status": with_(clinicalStatus="active"),
    "STU3 member": with_(assertedDate="2026-01-01"),
    "onset no text": with_(onsetDateTime=2026),
}
MEDICATIONS: dict[str, Way] = {
    "R5 medication": with_(
        medicationCodeableConcept=..., medication={"concept": {"coding": [{"system": RXNORM, "code": "5856"}]}}
    ),
    "a reference that leads nowhere": with_(
        medicationCodeableConcept=..., medicationReference={"reference": "Medication/elsewhere"}
    ),
    "a contained medicine in words": with_(
        medicationCodeableConcept=...,
        medicationReference={"reference": "#m"},
        contained=[{"resourceType": "Medication", "id": "m", "code": {"text": "the usual"}}],
    ),
    "status of no list": with_(status="running"),
    "status absent": with_(status=...),
    "intent of no list": with_(intent="perhaps"),
}
PROCEDURE: dict[str, Way] = {
    "status of no list": with_(status="finished"),
    "status absent": with_(status=...),
    "STU3 member": with_(notDone=False),
    "date no text": with_(performedDateTime=2026),
}
# Ways in which the whole list does not say what is in it.
LISTS: dict[str, Way] = {
    "one more on the server": lambda _: searchset(total=1),
    "a next page that was not read": lambda _: searchset(link=[{"relation": "next", "url": "https://ehr.example/2"}]),
    "an error": lambda _: {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]},
    "an error among the entries": lambda _: searchset(
        entry({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]})
    ),
    "another resource": lambda _: {"resourceType": "List", "status": "current", "mode": "working"},
    "an entry without its resource": lambda _: searchset({"fullUrl": "https://ehr.example/Condition/1"}),
    "an entry that is no object": lambda _: searchset("Condition/1"),
    "an entry of null": lambda _: searchset(entry(None, fullUrl="https://ehr.example/Condition/1")),
    "a text": lambda _: "see chart",
    "not sent": lambda _: ...,
}


def ways(of: dict[str, Way]) -> dict[str, Callable[[Resource], Any]]:
    """Each way as what then stands under the key."""
    entries = {
        name: lambda one, change=change: searchset(entry(change(copy.deepcopy(one)))) for name, change in of.items()
    }
    return entries | LISTS


WAYS = {
    "conditions": ways(ENTRIES | CONDITIONS),
    "medications": ways(ENTRIES | MEDICATIONS),
    "procedures": ways({name: way for name, way in ENTRIES.items() if name != "status no text"} | PROCEDURE),
}

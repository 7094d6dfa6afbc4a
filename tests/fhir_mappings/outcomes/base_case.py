"""The person of every agreed case, and the short forms in which the case files write FHIR."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from msgspec import Raw

from fhir_mappings.outcomes import deriving, followed_person, outcome_definitions
from fhir_mappings.outcomes.derived import DerivedOutcome
from fhir_mappings.outcomes.followed_person import FollowedPerson
from fhir_mappings.outcomes.operated import Operated, operated
from fhir_mappings.terminology.concept_maps import EMPTY, vocabulary

CASES = Path(__file__).with_name("cases")
ZONE = ZoneInfo("Europe/Vienna")
AS_OF = date(2026, 6, 30)
ORDERED = date(2026, 3, 1)
WORDS = vocabulary(outcome_definitions.value_sets(outcome_definitions.DEFINITIONS), EMPTY)
BASE: dict[str, dict[str, Any]] = {
    "p": {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1950-01-01"},
    "op": {"resourceType": "Procedure", "id": "op", "status": "completed", "pcs": "0SG00A0",
           "performedDateTime": "2026-03-10"},
    "stay": {"resourceType": "Encounter", "id": "stay", "status": "finished", "class": "IMP", "disposition": "home",
             "period": {"start": "2026-03-10", "end": "2026-03-14"}},
    "coded": {"resourceType": "Condition", "id": "coded", "icd": "M48.062", "recordedDate": "2026-03-01",
              "encounter": "stay"},
    "seen": {"resourceType": "Encounter", "id": "seen", "status": "finished", "class": "AMB",
             "period": {"start": "2026-04-20", "end": "2026-04-20"}},
}  # fmt: skip
_SYSTEMS = {
    "icd": "http://hl7.org/fhir/sid/icd-10-cm",
    "gm": "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
    "who": "http://hl7.org/fhir/sid/icd-10",
    "sct": "http://snomed.info/sct",
    "pcs": "http://www.cms.gov/Medicare/Coding/ICD10",
    "cpt": "http://www.ama-assn.org/go/cpt",
    "local": "https://hospital.example/codes",
}
_HL7 = "http://terminology.hl7.org/CodeSystem/"


def cases() -> Iterator[dict[str, Any]]:
    """Every agreed case, with the file that it stands in."""
    for path in sorted(CASES.glob("*.yaml")):
        yield from ({**one, "file": path.stem} for one in yaml.safe_load(path.read_text(encoding="utf-8")))


def resources(without: Iterable[str] = (), add: Iterable[dict[str, Any]] = ()) -> list[dict[str, Any]]:
    """The base as FHIR, without some of it, with what is added; what has the same id takes its place."""
    found = {name: one for name, one in BASE.items() if name not in set(without)}
    found |= {one["id"]: one for one in add}
    return [fhir(one) for one in found.values()]


def fhir(short: dict[str, Any]) -> dict[str, Any]:
    """A resource from its short form."""
    one: dict[str, Any] = json.loads(json.dumps(short, default=datetime.date.isoformat))
    for name in _SYSTEMS.keys() & one.keys():
        one["code"] = {"coding": [{"system": _SYSTEMS[name], "code": one.pop(name)}]}
    if "text" in one:
        one["code"] = {"text": one.pop("text")}
    if "class" in one:
        one["class"] = {"system": f"{_HL7}v3-ActCode", "code": one["class"]}
    if "disposition" in one:
        one["hospitalization"] = _discharged(f"{_HL7}discharge-disposition", one.pop("disposition"))
    if "nubc" in one:
        one["hospitalization"] = _discharged("https://www.nubc.org/CodeSystem/PatDischargeStatus", one.pop("nubc"))
    if "roles" in one:
        one["diagnosis"] = [
            {"condition": {"reference": f"Condition/{of}"}, "use": _coded(f"{_HL7}diagnosis-role", role)}
            for of, role in one.pop("roles").items()
        ]
    if "verification" in one:
        one["verificationStatus"] = _coded(f"{_HL7}condition-ver-status", one.pop("verification"))
    if "encounter" in one:
        one["encounter"] = {"reference": f"Encounter/{one['encounter']}"}
    if one["resourceType"] != "Patient":
        one["subject"] = {"reference": "Patient/p"}
    return one


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def _discharged(system: str, code: str) -> dict[str, Any]:
    return {"dischargeDisposition": _coded(system, code)}


def followed(entries: Iterable[dict[str, Any]], as_of: date = AS_OF) -> FollowedPerson:
    """The person of these resources."""
    raws = [Raw(json.dumps(one).encode()) for one in entries]
    return followed_person.person(raws, patient_id="p", as_of=as_of, zone=ZONE, words=WORDS)


def derived(
    entries: Iterable[dict[str, Any]], as_of: date = AS_OF, complete: Iterable[str] = ()
) -> dict[str, DerivedOutcome]:
    """Every outcome of the fusion of these resources."""
    person = followed(entries, as_of)
    operation = operated(person, "spine-fusion", ordered_on=ORDERED)
    assert isinstance(operation, Operated), operation
    return deriving.derive(person, operation, complete=frozenset(complete))

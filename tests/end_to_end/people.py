"""Whom the end-to-end tests load: the demo patients, and ten of Synthea's with what those lack added."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import requests

from cds_service.demo import patients

SYNTHEA = Path(__file__).resolve().parents[3] / "shared" / "fhir" / "synthea"
FUSION = ("http://www.ama-assn.org/go/cpt", "22612")
LOCAL = "https://demo.surgical-risk.example/codes"
# SNOMED CT, LOINC 97816-3 and the demonstration tenant's own codes; see the value sets of fhir_mappings.
ASA_CLASSES = ("413495001", "413496000", "413497009")
FUNCTIONAL = ("FUNC-INDEPENDENT", "FUNC-PARTIAL", "FUNC-TOTAL")
CHUNK = 100


class Person(msgspec.Struct, frozen=True):
    """One patient, the operation to order, and everything the FHIR server is to hold of them."""

    id: str
    order: tuple[str, str]
    resources: tuple[dict[str, Any], ...]


def demo_people() -> tuple[Person, ...]:
    return tuple(Person(person.id, person.order, person.resources) for person in patients.load(datetime.now(UTC)))


def synthea_people(count: int = 10) -> tuple[Person, ...]:
    """The first of the set, each with an ASA class and a functional status, in turn."""
    chosen = list(itertools.islice(_lines("Patient"), count))
    owned: dict[str, list[dict[str, Any]]] = {patient["id"]: [patient] for patient in chosen}
    medications: dict[str, dict[str, Any]] = {}
    for kind in ("Encounter", "Condition", "Observation", "MedicationRequest", "Procedure"):
        for resource in _lines(kind):
            owner = _reference(resource.get("subject", {}))
            if owner in owned:
                owned[owner].append(resource)
                if medication := _reference(resource.get("medicationReference", {})):
                    medications[medication] = {}
    medications |= {m["id"]: m for m in _lines("Medication") if m["id"] in medications}
    people = []
    for number, (patient_id, resources) in enumerate(owned.items()):
        shared = list(medications.values()) if number == 0 else []
        people.append(Person(patient_id, FUSION, (*shared, *resources, *_added(patient_id, number))))
    return tuple(people)


def _added(patient_id: str, number: int) -> Iterator[dict[str, Any]]:
    last_week = (datetime.now(UTC) - timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
    answers = (
        ("asa", "http://loinc.org", "97816-3", "http://snomed.info/sct", ASA_CLASSES),
        ("function", LOCAL, "FUNC", LOCAL, FUNCTIONAL),
    )
    for name, system, code, answer_system, choices in answers:
        answer = {"system": answer_system, "code": choices[number % len(choices)]}
        yield {
            "resourceType": "Observation",
            "id": f"{name}-{number}",
            "status": "final",
            "code": {"coding": [{"system": system, "code": code}]},
            "subject": {"reference": f"Patient/{patient_id}"},
            "effectiveDateTime": last_week,
            "valueCodeableConcept": {"coding": [answer]},
        }


def load(base: str, resources: Iterable[Mapping[str, Any]], *, token: str | None = None) -> None:
    """PUT everything, in batches; raises AssertionError if the server refuses one."""
    headers = {"Content-Type": "application/fhir+json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    everything = iter(resources)
    while chunk := list(itertools.islice(everything, CHUNK)):
        entries = [
            {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}} for r in chunk
        ]
        batch = json.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries})
        answer = requests.post(base, data=batch, headers=headers, timeout=300)
        assert answer.status_code == 200, answer.text[:500]
        refused = [entry for entry in answer.json()["entry"] if not entry["response"]["status"].startswith("20")]
        assert not refused, json.dumps(refused[0])[:500]


def everything(people: Sequence[Person]) -> tuple[dict[str, Any], ...]:
    return tuple(resource for person in people for resource in person.resources)


def _lines(kind: str) -> Iterator[dict[str, Any]]:
    with gzip.open(SYNTHEA / f"{kind}.ndjson.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _reference(element: Mapping[str, Any]) -> str:
    return str(element.get("reference", "")).rpartition("/")[2]

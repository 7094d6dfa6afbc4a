"""Whole order-select requests to be mutated: of test, demo and reference patients, and of people of many diseases."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from cds_service.demo import patients
from fhir_mappings.report import bulk
from tests.acceptance import requests as asked
from tests.acceptance.messy_cases import AS_OF, CASES, PATIENTS
from tests.acceptance.unreadable import DIAGNOSES, MEDICINES, PROCEDURES, a_medicine, a_procedure

Json = dict[str, Any]
# Every list that is asked for in demo mode; a request that lacks one gets it empty, so that to fetch it is the same.
LISTS = {
    "conditions": "Condition",
    "labs": "Observation",
    "observations": "Observation",
    "medications": "MedicationRequest",
    "procedures": "Procedure",
    "orders": "ServiceRequest",
    "reports": "DiagnosticReport",
}
# What stands in the place of the patient's own data, or changes the order: no case of a list's content.
_LEFT_OUT = frozenset({"slow-server", "token-too-small", "two-operations"})
_FIELD_MADE = datetime(2026, 11, 29, tzinfo=UTC)
_DATE = re.compile(r"\b20\d\d-[01]\d-[0-3]\d")
SHARED = Path(__file__).resolve().parents[3] / "shared"
_LARGEST = 60  # resources of one person
_RESULTS = {
    "2160-0": (1.4, "mg/dL"),
    "718-7": (11.2, "g/dL"),
    "1751-7": (3.1, "g/dL"),
    "777-3": (180, "10*3/uL"),
    "6301-6": (1.1, "{INR}"),
    "2951-2": (139, "mmol/L"),
    "2345-7": (118, "mg/dL"),
    "4548-4": (7.9, "%"),
    "8302-2": (172, "cm"),
    "29463-7": (88, "kg"),
    "59408-5": (94, "%"),
}


def everybody(*, shared: bool) -> dict[str, Json]:
    """Requests by name; `shared`: also those made from the reference material."""
    found = dict((*_test_patients(), *_demo_patients(), *_of_many_diseases()))
    return found | dict((*_from_the_field(), *_synthea())) if shared else found


def _test_patients() -> Iterator[tuple[str, Json]]:
    for name, case in CASES.items():
        told, path = case["http"], PATIENTS / name / "request.json"
        if told.get("cards") == "some" and path.exists() and name not in _LEFT_OUT:
            body = json.loads(path.read_text())
            if body["hook"] == "order-select":
                yield f"patients/{name}", _whole(body)


def _demo_patients() -> Iterator[tuple[str, Json]]:
    for one in patients.load(AS_OF):
        order = asked.an_order(one.order, patient=one.id)
        yield f"demo/{one.id}", _request(one.id, [json.loads(json.dumps(each)) for each in one.resources], order)


def _of_many_diseases() -> Iterator[tuple[str, Json]]:
    """Twelve people, each of whom has some of what makes an input true, and every result."""
    for number in range(12):
        chance = Random(number)
        found = [asked.a_patient(50 + 3 * number), asked.an_asa_class(), asked.a_functional_status()]
        found += [asked.a_result(code, *value) for code, value in _RESULTS.items()]
        found += [asked.a_condition(code) for code in _some(DIAGNOSES.values(), 6, chance)]
        found += [a_medicine(code) for code in _some(MEDICINES.values(), 3, chance)]
        found += [a_procedure(code) for code in _some(PROCEDURES.values(), 1, chance)]
        request = _request("pt-b", found, asked.an_order())
        yield f"composed/{number}", _moved(request, from_=datetime.now(UTC))


def _some(codes: Any, most: int, chance: Random) -> Sequence[str]:
    return chance.sample(list(dict.fromkeys(codes)), k=chance.randrange(1, most + 1))


def _from_the_field() -> Iterator[tuple[str, Json]]:
    for path in sorted((SHARED / "field").glob("*.json")):
        body = json.loads(path.read_text())
        if "hook" in body:
            yield f"field/{path.stem}", _moved(_whole(body), from_=_FIELD_MADE)


@cache
def _synthea() -> tuple[tuple[str, Json], ...]:
    found = []
    for patient_id, raws in list(bulk.by_patient(SHARED / "fhir" / "synthea").items())[::4]:
        resources = [msgspec.json.decode(raw) for raw in raws]
        resources.sort(key=lambda one: (one["resourceType"] != "Patient", _when(one)), reverse=False)
        kept = [one for one in resources if one["resourceType"] in ("Patient", *LISTS.values())]
        kept = kept[:1] + kept[1:][-_LARGEST:]
        found.append((f"synthea/{patient_id}", _request(patient_id, kept, asked.an_order(patient=patient_id))))
    return tuple(found)


def _when(resource: Json) -> str:
    return str(resource.get("effectiveDateTime") or resource.get("authoredOn") or resource.get("recordedDate") or "")


def _request(patient_id: str, resources: Sequence[Json], order: Json) -> Json:
    """One person's resources under the keys by which they are asked for."""
    prefetch: Json = {"patient": next(one for one in resources if one["resourceType"] == "Patient")}
    for key, kind in LISTS.items():
        mine = [one for one in resources if one["resourceType"] == kind]
        if kind == "Observation":
            mine = [one for one in mine if _is_laboratory(one) == (key == "labs")]
        prefetch[key] = asked.bundle(*mine)
    body = asked.a_request(order)
    body["context"]["patientId"] = patient_id
    return body | {"prefetch": prefetch}


def _is_laboratory(resource: Json) -> bool:
    return "valueQuantity" in resource and "8302-2" not in json.dumps(resource)


def _whole(body: Json) -> Json:
    """The request with every list that it lacks, empty."""
    empty: Callable[[], Json] = asked.bundle
    return body | {"prefetch": {key: empty() for key in LISTS if key not in body["prefetch"]} | body["prefetch"]}


def _moved(body: Json, *, from_: datetime) -> Json:
    """The request with every date as far before the instant of the run as it was before `from_`."""
    days = AS_OF.date() - from_.date()
    found: Json = json.loads(_DATE.sub(lambda one: _later(one[0], days), json.dumps(body)))
    return found


def _later(text: str, days: timedelta) -> str:
    try:
        return (datetime.fromisoformat(text) + days).date().isoformat()
    except ValueError:
        return text

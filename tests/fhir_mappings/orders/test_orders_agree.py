"""The readers of orders and fhir.resources agree on every order in the repository, in R4B and in STU3."""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from fhir_mappings.fhir.resources import Procedure
from fhir_mappings.orders import order_resources
from tests.builders import a_procedure, an_order, coded
from tests.fhir_mappings.fhir.test_resources_agree import differences, documents, plain

KINDS = {
    "ServiceRequest": (order_resources.OperationRequest, "R4B"),
    "Appointment": (order_resources.Appointment, "R4B"),
    "Procedure": (Procedure, "R4B"),
    "ProcedureRequest": (order_resources.OperationRequest, "STU3"),
    "ReferralRequest": (order_resources.ReferralRequest, "STU3"),
}
PERSON = {"reference": "Patient/pt-1"}
# What STU3 writes otherwise than R4 and the adapter of messy case 39 reads.
STU3 = (
    {
        "resourceType": "ProcedureRequest",
        "id": "a",
        "status": "draft",
        "intent": "order",
        "doNotPerform": False,
        "priority": "urgent",
        "code": coded(("http://www.cms.gov/Medicare/Coding/ICD10", "0SG00AJ")),
        "subject": PERSON,
        "context": {"reference": "Encounter/e"},
        "occurrenceDateTime": "2026-12-01T08:00:00Z",
        "reasonCode": [coded(("http://hl7.org/fhir/sid/icd-10-cm", "M48.062"))],
    },
    {
        "resourceType": "ReferralRequest",
        "id": "b",
        "status": "draft",
        "intent": "order",
        "serviceRequested": [coded(("http://snomed.info/sct", "55705006"))],
        "subject": PERSON,
        "occurrencePeriod": {"start": "2026-12-01T08:00:00Z", "end": "2026-12-01T12:00:00Z"},
    },
)


def orders(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("resourceType") in KINDS:
            yield value
        for inner in value.values():
            yield from orders(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from orders(inner)


def by_library(sample: dict[str, Any], version: str) -> dict[str, Any] | None:
    kind = sample["resourceType"]
    model = getattr(importlib.import_module(f"fhir.resources.{version}.{kind.lower()}"), kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found: dict[str, Any] = json.loads(model.model_validate(sample).model_dump_json())
        except ValueError:
            return None  # hospitals send what the library refuses: a sample of it is read by us alone
    return found


def by_us(sample: dict[str, Any], reader: type) -> Any:
    try:
        return plain(msgspec.json.decode(json.dumps(sample).encode(), type=reader))
    except msgspec.ValidationError:
        return None


def test_readers_and_library_agree_on_every_order_in_the_repository() -> None:
    compared: dict[str, int] = dict.fromkeys(KINDS, 0)
    wrong: list[str] = []
    for sample in orders([*documents(), *STU3, an_order(), a_procedure("http://x", "1")]):
        reader, version = KINDS[sample["resourceType"]]
        ours, theirs = by_us(sample, reader), by_library(sample, version)
        if ours is not None and theirs is not None:
            compared[sample["resourceType"]] += 1
            wrong += [f"{sample.get('id')}{one}" for one in differences(ours, theirs)]
    assert wrong == []
    assert compared["ServiceRequest"] > 40
    assert all(compared.values()), compared


@pytest.mark.parametrize("kind", KINDS)
def test_every_member_that_is_read_is_a_member_in_that_version(kind: str) -> None:
    reader, version = KINDS[kind]
    model = getattr(importlib.import_module(f"fhir.resources.{version}.{kind.lower()}"), kind)
    known = {field.alias or name for name, field in model.model_fields.items()}
    ours = {field.encode_name for field in msgspec.structs.fields(reader) if field.type is not type(None)}
    elsewhere = {"context"} if kind == "ServiceRequest" else {"encounter"} if kind == "ProcedureRequest" else set()
    assert ours - known - elsewhere == set()

"""What came under a key that asks for another type is read as what it is, and is no answer of that key."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from cds_service.patient_data.fhir_client import Access, FhirClient
from cds_service.patient_data.gather import Budget, gather
from cds_service.trust import egress
from cds_service.trust.secret import Secret
from fhir_mappings.fhir.search_result import SearchResult, SearchResults
from tests.cds_service.patient_data.fhir_server import FhirServer, serving
from tests.cds_service.patient_data.test_gather import PATIENT
from tests.cds_service.patient_data.test_readers import bundle

TEMPLATES = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}",
    "procedures": "Procedure?patient={{context.patientId}}",
    "labs": "Observation?patient={{context.patientId}}&code=2160-0",
}
OBSERVATION = {"resourceType": "Observation", "id": "o", "status": "final", "subject": {"reference": "Patient/pt-1"}}
CONDITION = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/pt-1"}}
PROCEDURE = {"resourceType": "Procedure", "id": "p", "status": "completed", "subject": {"reference": "Patient/pt-1"}}


@pytest.fixture
def client() -> Iterator[FhirClient]:
    made = FhirClient(threads=8)
    yield made
    made.close()


def run(client: FhirClient, sent: dict[str, Any], server: FhirServer | None = None) -> SearchResults:
    door = egress.export_door(server.base, connections=8) if server else None
    return gather(
        {key: msgspec.Raw(json.dumps(value).encode()) for key, value in sent.items()},
        templates=TEMPLATES,
        tokens={"context.patientId": "pt-1"},
        client=client,
        access=Access(server.base, Secret("lent-token"), door) if server and door else None,
        budget=Budget(call_s=5.0, until=time.monotonic() + 5.0),
    )


def ids(result: SearchResult) -> list[str]:
    return [json.loads(bytes(one))["id"] for one in result.resources]


@pytest.mark.parametrize("value", [bundle({"resource": OBSERVATION}), OBSERVATION], ids=["bundle", "alone"])
def test_nobody_tried_to_fetch_what_another_type_was_sent_for(client: FhirClient, value: Any) -> None:
    found = run(client, {"patient": PATIENT, "conditions": value, "labs": None})
    assert found["conditions"].failure == "not-provided"
    assert ids(found["conditions"]) == ["o"]


def test_it_is_kept_beside_what_is_fetched_for_its_key(client: FhirClient) -> None:
    def respond(path: str) -> tuple[int, Any]:
        return 200, PATIENT if "/Patient/" in path else bundle({"resource": PROCEDURE})

    with serving(respond) as server:
        sent = {"patient": PATIENT, "conditions": None, "labs": None, "procedures": bundle({"resource": OBSERVATION})}
        found = run(client, sent, server)
    assert (found["procedures"].failure, ids(found["procedures"])) == (None, ["p", "o"])


def test_it_is_kept_where_the_search_fails(client: FhirClient) -> None:
    with serving(lambda path: (200, PATIENT) if "/Patient/" in path else (500, {})) as server:
        sent = {"patient": PATIENT, "conditions": None, "labs": None, "procedures": bundle({"resource": OBSERVATION})}
        found = run(client, sent, server)
    assert (found["procedures"].failure, ids(found["procedures"])) == ("fetch-failed", ["o"])


def test_what_no_key_asks_for_is_left_out(client: FhirClient) -> None:
    coverage = {"resourceType": "Coverage", "id": "x"}
    found = run(client, {"patient": PATIENT, "conditions": bundle({"resource": coverage}), "labs": None})
    assert (found["conditions"].failure, found["conditions"].resources) == ("not-provided", ())


@pytest.mark.parametrize("value", [bundle({"resource": CONDITION}), CONDITION], ids=["bundle", "alone"])
def test_a_patient_of_another_type_is_no_patient(client: FhirClient, value: Any) -> None:
    with serving(lambda path: (200, PATIENT if "/Patient/" in path else bundle())) as server:
        found = run(client, {"patient": value, "conditions": None, "labs": None, "procedures": None}, server)
    assert (found["patient"].failure, ids(found["patient"])) == (None, ["pt-1", "c"])

"""Medicines that prescriptions only name are read side by side, with the token, on the same server, in the budget."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from cds_service.patient_data.fhir_client import Access, FhirClient
from cds_service.patient_data.gather import MAX_MEDICATIONS, Budget, gather
from cds_service.trust import egress
from cds_service.trust.secret import Secret
from fhir_mappings.fhir.search_result import SearchResults
from tests.cds_service.patient_data.fhir_server import FhirServer, serving
from tests.patience import tried_again

TEMPLATES = {"patient": "Patient/{{context.patientId}}", "medications": "MedicationRequest?patient=x"}
PATIENT = {"resourceType": "Patient", "id": "pt-1"}


@pytest.fixture
def client() -> Iterator[FhirClient]:
    made = FhirClient(threads=8)
    yield made
    made.close()


def prescriptions(*references: str) -> dict[str, Any]:
    requests_ = [
        {"resourceType": "MedicationRequest", "status": "active", "medicationReference": {"reference": one}}
        for one in references
    ]
    return {"resourceType": "Bundle", "entry": [{"resource": one} for one in requests_]}


def answering(path: str) -> tuple[int, Any]:
    kind, _, identifier = path.removeprefix("/fhir/").partition("/")
    if kind == "Medication":
        return (403, {}) if identifier == "secret" else (200, {"resourceType": "Medication", "id": identifier})
    return 200, PATIENT if kind == "Patient" else prescriptions("Medication/a")


def run(client: FhirClient, server: FhirServer | None, sent: dict[str, Any], **options: Any) -> SearchResults:
    return gather(
        {key: msgspec.Raw(msgspec.json.encode(value)) for key, value in sent.items()},
        templates=TEMPLATES,
        tokens={"context.patientId": "pt-1"},
        client=client,
        access=Access(server.base, Secret("lent"), egress.export_door(server.base, connections=8)) if server else None,
        budget=Budget(call_s=options.pop("call_s", 15.0), until=time.monotonic() + options.pop("budget_s", 20.0)),
        **options,
    )


def ids(results: SearchResults) -> list[Any]:
    found = [msgspec.json.decode(one) for one in results["medications"].resources]
    return [one.get("id") for one in found if one["resourceType"] == "Medication"]


def test_a_medicine_that_did_not_come_is_read_whether_its_prescription_was_sent_or_fetched(client: FhirClient) -> None:
    for sent in ({"patient": PATIENT}, {"patient": PATIENT, "medications": prescriptions("Medication/a")}):
        with serving(answering) as server:
            assert ids(run(client, server, sent)) == ["a"]
        assert server.seen[-1] == ("/fhir/Medication/a", "Bearer lent")


def test_one_that_came_is_not_read_again(client: FhirClient) -> None:
    sent = prescriptions("Medication/a")
    sent["entry"].append({"resource": {"resourceType": "Medication", "id": "a"}})
    with serving(answering) as server:
        assert ids(run(client, server, {"patient": PATIENT, "medications": sent})) == ["a"]
    assert server.seen == []


def test_one_that_may_not_be_read_costs_the_others_nothing(client: FhirClient) -> None:
    sent = {"patient": PATIENT, "medications": prescriptions("Medication/secret", "Medication/b")}
    with serving(answering) as server:
        results = run(client, server, sent)
    assert ids(results) == ["b"]
    assert results["medications"].succeeded


@tried_again
def test_they_are_read_side_by_side_and_inside_the_budget(client: FhirClient) -> None:
    sent = {"patient": PATIENT, "medications": prescriptions(*(f"Medication/{n}" for n in range(6)))}
    with serving(answering, delay_s=1.0) as server:
        began = time.monotonic()
        assert len(ids(run(client, server, sent))) == 6
        assert time.monotonic() - began < 4.0, "one after the other"
        began = time.monotonic()
        assert ids(run(client, server, sent, budget_s=0.1)) == []
        assert time.monotonic() - began < 1.0, "waited for the server"


def test_no_more_are_read_than_a_list_can_hold(client: FhirClient) -> None:
    many = {"patient": PATIENT, "medications": prescriptions(*(f"Medication/{n}" for n in range(99)))}
    with serving(answering) as server:
        assert len(ids(run(client, server, many))) == MAX_MEDICATIONS


@pytest.mark.parametrize("options", [{"fetch_medications": False}, {}])
def test_nothing_is_read_where_the_tenant_says_no_or_no_server_was_lent(
    client: FhirClient, options: dict[str, Any]
) -> None:
    sent = {"patient": PATIENT, "medications": prescriptions("Medication/a")}
    with serving(answering) as server:
        assert ids(run(client, server if options else None, sent, **options)) == []
    assert server.seen == []

"""Every resource that we write passes the full validation of a real HAPI FHIR server."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from cds_service.cards import chart
from cds_service.ehr import caller
from tests.end_to_end import people

pytestmark = pytest.mark.end_to_end
# HAPI 8.8 holds R4's own copy of this code system; the code stands in the later one that HL7's AI guide pins.
NEWER = "Unknown code 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue#AIAST'"


def complaints(hapi: str, resource: dict[str, Any]) -> list[str]:
    """What HAPI holds to be an error in the resource, but for the one code that is newer than its R4."""
    answer = requests.post(
        f"{hapi}/{resource['resourceType']}/$validate",
        data=json.dumps(resource),
        headers={"Content-Type": "application/fhir+json"},
        timeout=60,
    )
    assert answer.json()["resourceType"] == "OperationOutcome", answer.text[:300]
    issues = answer.json()["issue"]
    errors = [issue.get("diagnostics", "") for issue in issues if issue["severity"] in ("error", "fatal")]
    return [error for error in errors if error != NEWER]


@pytest.fixture(scope="module")
def cards(service: str, store: str) -> list[dict[str, Any]]:
    """The card of every demo patient who gets one."""
    ehr = caller.Ehr(service_url=service, fhir_url=store)
    answers = [caller.call(ehr, person.id, person.order) for person in people.demo_people()]
    return [card for answer in answers for card in answer["cards"]]


def test_every_draft_that_a_card_suggests_is_valid(hapi: str, cards: list[dict[str, Any]]) -> None:
    drafts = [
        action["resource"]
        for card in cards
        for suggestion in card.get("suggestions", [])
        for action in suggestion["actions"]
    ]
    assert drafts
    assert {json.dumps(draft): complaints(hapi, draft) for draft in drafts if complaints(hapi, draft)} == {}


def test_every_result_is_a_valid_risk_assessment_with_its_provenance(hapi: str, cards: list[dict[str, Any]]) -> None:
    owner = chart.Owner("demo-fusion", None)
    for card in cards:
        result = card["extension"]["io.surgical-risk.assessment"]
        written = chart.resource(result, owner, public_url="https://risk.example.org")
        assert "Provenance" in {contained["resourceType"] for contained in written["contained"]}
        assert complaints(hapi, written) == []


def test_every_refusal_is_a_valid_operation_outcome(hapi: str, service: str) -> None:
    url = f"{service}/cds-services/surgical-risk"
    refusals = [
        requests.post(url, data="{", headers={"Content-Type": "application/json"}, timeout=10),
        requests.post(url, data="<x/>", headers={"Content-Type": "text/xml"}, timeout=10),
        requests.get(url, timeout=10),
        requests.post(f"{service}/cds-services/nope", json={}, timeout=10),
    ]
    assert [refusal.status_code for refusal in refusals] == [400, 415, 405, 404]
    for refusal in refusals:
        assert complaints(hapi, refusal.json()) == []

"""What the drafts of a session ask for is read by code, whatever shape they have."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.orders import pending_orders
from tests.builders import PATIENT_ID, Resource, a_record, an_order, as_json, days_ago

LOINC = "http://loinc.org"


def a_draft(**members: Any) -> msgspec.Raw:
    draft = {
        "resourceType": "ServiceRequest",
        "id": "a1c",
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": LOINC, "code": "4548-4"}]},
        "subject": {"reference": "Patient/pt-b"},
    }
    return msgspec.Raw(json.dumps(draft | members).encode())


def test_the_code_and_the_clinical_idea_of_a_draft_are_found() -> None:
    found = pending_orders.pending_in_drafts([a_draft()])
    assert found.has(LOINC, "4548-4")
    assert "hba1c" in found.ideas


def test_a_code_system_under_another_name_is_the_same() -> None:
    coding = {"system": "urn:oid:2.16.840.1.113883.6.1", "code": "4548-4"}
    assert pending_orders.pending_in_drafts([a_draft(code={"coding": [coding]})]).has(LOINC, "4548-4")


@pytest.mark.parametrize("members", [{"doNotPerform": True}, {"status": "revoked"}, {"status": "entered-in-error"}])
def test_an_order_that_is_not_to_be_done_asks_for_nothing(members: dict[str, Any]) -> None:
    assert pending_orders.pending_in_drafts([a_draft(**members)]) == pending_orders.NOTHING


def test_text_alone_asks_for_nothing() -> None:
    assert pending_orders.pending_in_drafts([a_draft(code={"text": "HbA1c"})]) == pending_orders.NOTHING


@pytest.mark.parametrize("raw", [b"null", b"[]", b'{"resourceType": "ServiceRequest", "code": 3}', b"{"])
def test_what_cannot_be_read_asks_for_nothing(raw: bytes) -> None:
    assert pending_orders.pending_in_drafts([msgspec.Raw(raw)]) == pending_orders.NOTHING


def test_a_drug_order_is_no_test() -> None:
    drug = {"resourceType": "MedicationRequest", "medicationCodeableConcept": {"coding": [{"code": "4548-4"}]}}
    assert pending_orders.pending_in_drafts([msgspec.Raw(json.dumps(drug).encode())]) == pending_orders.NOTHING


def an_open_order(**members: Any) -> Resource:
    return an_order((LOINC, "4548-4"), **({"status": "active", "authoredOn": days_ago(20)} | members))


def test_an_open_order_of_the_chart_is_requested_by_code_and_by_idea() -> None:
    found = pending_orders.open_orders(a_record(an_open_order()))
    assert found is not None
    assert found.has(LOINC, "4548-4")
    assert "hba1c" in found.ideas


@pytest.mark.parametrize(
    ("members", "pending"),
    [
        ({"status": "on-hold"}, True),
        ({"status": "completed"}, False),
        ({"status": "revoked"}, False),
        ({"doNotPerform": True}, False),
        ({"authoredOn": days_ago(365)}, True),
        ({"authoredOn": days_ago(366)}, False),
        ({"authoredOn": None}, True),
    ],
)
def test_which_orders_are_pending(members: dict[str, Any], pending: bool) -> None:
    found = pending_orders.open_orders(a_record(an_open_order(**members)))
    assert (found != pending_orders.NOTHING) == pending


@pytest.mark.parametrize("failure", ["fetch-failed", "not-authorised", "not-provided"])
def test_orders_that_could_not_be_searched_are_unknown_not_absent(failure: Any) -> None:
    assert pending_orders.open_orders(a_record(orders=SearchResult(failure=failure))) is None
    assert pending_orders.open_orders(a_record()) == pending_orders.NOTHING


def test_a_page_of_many_is_unknown_too() -> None:
    page = SearchResult(resources=as_json([an_open_order()]), truncated=True)
    assert pending_orders.open_orders(a_record(orders=page)) is None


def test_an_order_for_somebody_else_stops_everything() -> None:
    from fhir_mappings.patient.patient_record import WrongPatientError

    with pytest.raises(WrongPatientError):
        a_record(an_open_order(subject={"reference": "Patient/another"}))
    assert PATIENT_ID != "another"

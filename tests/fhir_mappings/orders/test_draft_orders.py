"""A draft order is one ServiceRequest of this patient that the EHR can create."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest

from fhir_mappings.orders.draft_orders import REASON, DraftOrder, OrderCode, is_ours, service_request
from fhir_mappings.orders.order_catalogue import ORDERABLES

HBA1C = OrderCode("http://loinc.org", "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood")


def a_draft(**members: Any) -> DraftOrder:
    given: dict[str, Any] = {"code": HBA1C, "text": "HbA1c", "patient_id": "pt-b", "reason": "Diabetes"}
    return DraftOrder(**given | members)


def test_it_is_a_draft_proposal_for_the_patient_of_the_context() -> None:
    resource = service_request(a_draft())
    assert (resource["status"], resource["intent"]) == ("draft", "proposal")
    assert resource["subject"] == {"reference": "Patient/pt-b"}


def test_it_has_no_id_that_could_clash_with_another_draft() -> None:
    assert "id" not in service_request(a_draft())


def test_it_is_a_valid_r4_service_request() -> None:
    ServiceRequest.model_validate(service_request(a_draft(encounter_id="e1", about="ServiceRequest/fusion")))


@pytest.mark.parametrize(
    ("user", "requester"),
    [
        ("Practitioner/1", {"reference": "Practitioner/1"}),
        ("PractitionerRole/1", {"reference": "PractitionerRole/1"}),
        ("Patient/1", None),
        ("RelatedPerson/1", None),
    ],
)
def test_only_a_practitioner_is_named_as_requester(user: str, requester: dict[str, str] | None) -> None:
    assert service_request(a_draft(requester=user)).get("requester") == requester


def test_the_intent_is_the_one_that_the_site_expects() -> None:
    assert service_request(a_draft(intent="order"))["intent"] == "order"


def test_a_code_without_a_display_has_none() -> None:
    resource = service_request(a_draft(code=OrderCode("http://snomed.info/sct", "306118006")))
    assert resource["code"]["coding"] == [{"system": "http://snomed.info/sct", "code": "306118006"}]


def spoil(value: Any) -> None:
    """Change everything that can be changed in place."""
    if isinstance(value, dict):
        for member in value.values():
            spoil(member)
        value["spoilt"] = "by another patient"
    elif isinstance(value, list):
        for member in value:
            spoil(member)
        value.append("spoilt")


@pytest.mark.parametrize("name", ORDERABLES)
def test_what_becomes_of_one_patients_draft_never_reaches_the_next(name: str) -> None:
    one = ORDERABLES[name]
    ordered = OrderCode(one.system, one.code, one.display)
    whole = {"encounter_id": "e1", "requester": "Practitioner/1", "about": "ServiceRequest/fusion"}
    members: dict[str, Any]
    for members in ({}, whole):
        expected = service_request(a_draft(code=ordered, patient_id="next", **members))
        spoil(service_request(a_draft(code=ordered, **members)))
        assert service_request(a_draft(code=ordered, patient_id="next", **members)) == expected
        assert "spoilt" not in str(expected)


@pytest.mark.parametrize("unreadable", ["subject", "status", "reasonCode"])
def test_what_cannot_be_read_is_not_a_draft_of_ours(unreadable: str) -> None:
    ours = service_request(a_draft(reason=f"{REASON} spine-fusion"))
    assert is_ours(msgspec.Raw(msgspec.json.encode(ours)), "pt-b")
    assert not is_ours(msgspec.Raw(msgspec.json.encode({**ours, unreadable: 7})), "pt-b")
    assert not is_ours(msgspec.Raw(b'{"resourceType":"ServiceRequest","status":"draft","note":"\xff"}'), "pt-b")
    assert not is_ours(msgspec.Raw(msgspec.json.encode(ours)), "pt-c")


@pytest.mark.parametrize("members", [{"reason": " "}, {"encounter_id": "a b"}, {"about": "ServiceRequest/é"}])
def test_a_draft_without_a_reason_or_with_what_is_no_reference_is_never_built(members: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs a reason, and references"):
        service_request(a_draft(**members))

"""A request is read member by member; what is wrong is named, and its value is never repeated."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.hooks import request as requests
from cds_service.trust.errors import BadRequest, InvalidContext, ServiceError

OFFERED = ("order-select", "order-sign")


def order(order_id: str | None = "fusion", kind: str = "ServiceRequest") -> dict[str, Any]:
    return {"resource": {"resourceType": kind, **({"id": order_id} if order_id else {})}}


def body(**changed: Any) -> dict[str, Any]:
    context = {
        "userId": "Practitioner/surgeon",
        "patientId": "pt-1",
        "selections": ["ServiceRequest/fusion"],
        "draftOrders": {"resourceType": "Bundle", "entry": [order(), order("brace", "DeviceRequest")]},
    }
    given: dict[str, Any] = {"hook": "order-select", "hookInstance": "1", "context": context} | changed
    return {name: value for name, value in given.items() if value is not None}


def read(given: Any) -> requests.HookRequest:
    return requests.read_request(json.dumps(given).encode(), offered=OFFERED)


def context(**changed: Any) -> dict[str, Any]:
    return {name: value for name, value in (body()["context"] | changed).items() if value is not None}


def test_order_select_is_about_the_selected_drafts_only() -> None:
    read_request = read(body())
    assert [o.reference for o in read_request.context.considered] == ["ServiceRequest/fusion"]
    assert len(read_request.context.drafts) == 2


def test_order_sign_is_about_every_draft_and_needs_no_selections() -> None:
    signed = read(body(hook="order-sign", context=context(selections=None)))
    assert len(signed.context.considered) == 2


@pytest.mark.parametrize("member", ["hook", "hookInstance", "context"])
def test_a_missing_envelope_member_is_named(member: str) -> None:
    with pytest.raises(BadRequest) as error:
        read(body(**{member: None}))
    assert f"`{member}`" in str(error.value.diagnostics)


@pytest.mark.parametrize("member", ["userId", "patientId", "draftOrders", "selections"])
def test_a_missing_context_member_is_an_invalid_context(member: str) -> None:
    with pytest.raises(InvalidContext) as error:
        read(body(context=context(**{member: None})))
    assert member in str(error.value.diagnostics)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (b"", BadRequest),
        (b"[]", BadRequest),
        (b'"text"', BadRequest),
        (b"{", BadRequest),
        (b'{"hook": NaN}', BadRequest),
        (b"[" * 100_000, BadRequest),
        (b"\xff\xfe", BadRequest),
    ],
)
def test_what_is_not_a_json_object_is_a_bad_request(given: bytes, expected: type[ServiceError]) -> None:
    with pytest.raises(expected):
        requests.read_request(given, offered=OFFERED)


def test_a_hook_that_is_not_offered_is_a_bad_request() -> None:
    with pytest.raises(BadRequest):
        read(body(hook="patient-view"))


def test_an_array_is_no_context() -> None:
    with pytest.raises(BadRequest):
        read(body(context=[1]))


@pytest.mark.parametrize("instance", ["F399C67C-C703-11EA-AF16-460231621F93", "not-hex-123b2va", "x" * 128])
def test_any_hook_instance_up_to_128_characters_is_accepted(instance: str) -> None:
    assert read(body(hookInstance=instance)).hook_instance == instance


@pytest.mark.parametrize("instance", ["", "x" * 129])
def test_an_empty_or_longer_hook_instance_is_refused(instance: str) -> None:
    with pytest.raises(BadRequest):
        read(body(hookInstance=instance))


def test_a_patient_prefix_is_accepted_and_an_absolute_url_is_not() -> None:
    assert read(body(context=context(patientId="Patient/pt-1"))).context.patient_id == "pt-1"
    with pytest.raises(InvalidContext):
        read(body(context=context(patientId="https://ehr.example.org/Patient/pt-1")))


@pytest.mark.parametrize(
    ("selections", "found"),
    [
        (["fusion"], ["ServiceRequest/fusion"]),
        (["ServiceRequest/fusion/_history/2"], ["ServiceRequest/fusion"]),
        (["ServiceRequest/elsewhere"], []),
        ([], []),
    ],
)
def test_a_selection_is_matched_by_reference_or_by_a_unique_bare_id(selections: list[str], found: list[str]) -> None:
    assert [o.reference for o in read(body(context=context(selections=selections))).context.considered] == found


def test_a_bare_id_that_two_drafts_share_selects_neither() -> None:
    drafts = {"resourceType": "Bundle", "entry": [order("a"), order("a", "DeviceRequest")]}
    assert read(body(context=context(selections=["a"], draftOrders=drafts))).context.considered == ()


def test_entries_without_a_resource_are_passed_over() -> None:
    drafts = {"resourceType": "Bundle", "entry": [{}, {"resource": {"id": "x"}}, {"resource": 3}, order()]}
    assert len(read(body(context=context(draftOrders=drafts))).context.drafts) == 1


def test_an_authorization_needs_a_server() -> None:
    with pytest.raises(BadRequest):
        read(body(fhirAuthorization={"access_token": "t", "token_type": "Bearer"}))


@pytest.mark.parametrize(
    "given",
    [
        {"token_type": "Bearer"},
        {"access_token": "t", "token_type": "mac"},
        {"access_token": "t", "token_type": "Bearer", "expires_in": 0},
    ],
)
def test_an_unusable_token_is_as_no_access(given: dict[str, Any]) -> None:
    assert read(body(fhirServer="https://f", fhirAuthorization=given)).authorization is None


def test_a_token_of_another_patient_is_refused() -> None:
    lent = {"access_token": "t", "token_type": "bearer", "patient": "pt-2"}
    with pytest.raises(InvalidContext):
        read(body(fhirServer="https://f", fhirAuthorization=lent))


def test_the_token_does_not_print() -> None:
    lent = {"access_token": "canary-token", "token_type": "bearer"}
    assert "canary" not in repr(read(body(fhirServer="https://f", fhirAuthorization=lent)))


def test_an_error_never_repeats_the_value_that_was_wrong() -> None:
    with pytest.raises(InvalidContext) as error:
        read(body(context=context(patientId={"name": "canary"})))
    assert "canary" not in f"{error.value} {error.value.diagnostics}"


def test_unknown_members_and_extensions_of_any_kind_are_ignored() -> None:
    assert read(body(extension={"com.example": "23"}, zzUnknown={"a": 1})) == read(body())


def test_prefetch_null_is_as_absent() -> None:
    assert read(body(prefetch={})).prefetch == {}
    assert requests.read_request(json.dumps(body() | {"prefetch": None}).encode(), offered=OFFERED).prefetch == {}

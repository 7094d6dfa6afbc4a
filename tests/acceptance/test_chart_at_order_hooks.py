"""A tester whose EHR can order no operation gets the card of the chart's, at every order hook, and it says so (DEC-47).

The official sandbox's screens write medicines and imaging studies; its order-select was silent whatever was done.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.chart_orders import TEMPLATE
from cds_service.tenants import tenant_rules
from cds_service.tenants.tenant import Tenant
from tests.acceptance.requests import CPT, FUSION, SNOMED, a_request, an_order, bundle
from tests.cds_service.trust.listener import listening
from tests.conformance.conftest import SERVICE, a_tenant_file, a_token, an_app

Post = Callable[..., Any]
Request = dict[str, Any]
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ABOUT_THE_CHART = "**About the operation in the chart**"
NOT_JUDGED = "was not judged"

A_MEDICINE = {
    "resourceType": "MedicationRequest",
    "id": "request-123",
    "status": "draft",
    "subject": {"reference": "Patient/pt-b"},
    "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "243670"}], "text": "Aspirin 81 MG"},
}
AN_EMPTY_MEDICINE = {name: A_MEDICINE[name] for name in ("resourceType", "id", "status", "subject")}
A_STUDY = an_order((CPT, "72148"), order_id="example-request-id", intent="plan")
# As the sandbox's imaging screen sends its order before a study was chosen.
AN_EMPTY_STUDY = an_order(order_id="example-request-id", intent="plan", code={"coding": [{}]}, reasonCode=[])
IN_NO_GROUP = an_order((SNOMED, "1"), order_id="another-operation")
NO_OPERATION = {"a medicine": A_MEDICINE, "an empty medicine": AN_EMPTY_MEDICINE, "a study": A_STUDY}
NOT_KNOWN = {"an empty study": AN_EMPTY_STUDY, "a code in no group": IN_NO_GROUP}

IN_THE_CHART = an_order(FUSION, order_id="planned", status="active")


def drafted(*drafts: Request, hook: str = "order-select", chart: Any = ..., **context: Any) -> Request:
    """An order hook for these drafts; `chart`: what the client sent for the key `orders`."""
    request = a_request(*drafts, orders=bundle(IN_THE_CHART) if chart is ... else chart)
    if chart is None:
        del request["prefetch"]["orders"]
    context = request["context"] | context
    if hook == "order-sign":
        del context["selections"]
    return request | {"hook": hook, "hookInstance": str(uuid.uuid4()), "context": context}


def card(response: Any) -> Any:
    assert response.status_code == 200, response.text
    (only,) = response.json["cards"]
    return only


def why(response: Any) -> str:
    assert response.status_code == 200, response.text
    assert response.json["cards"] == []
    reason: str = response.json["extension"]["io.surgical-risk.silence"]["reason"]
    return reason


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
@pytest.mark.parametrize("draft", {**NO_OPERATION, **NOT_KNOWN})
def test_a_draft_that_is_no_operation_gets_the_card_of_the_operation_in_the_chart(
    post: Post, draft: str, hook: str
) -> None:
    shown = card(post(drafted((NO_OPERATION | NOT_KNOWN)[draft], hook=hook)))
    assert "after spinal fusion" in shown["summary"]
    first, *_ = shown["detail"].split("\n\n")
    assert first.startswith(ABOUT_THE_CHART), "a card that does not say so would be read as about the draft"
    assert (NOT_JUDGED in first) is (draft in NOT_KNOWN)
    assert shown["extension"]["io.surgical-risk.assessment"]["procedure"]["order"] == "ServiceRequest/planned"


def test_an_operation_among_the_drafts_is_spoken_of_whatever_stands_in_the_chart(post: Post) -> None:
    shown = card(post(drafted(an_order(order_id="drafted"), A_MEDICINE)))
    assert ABOUT_THE_CHART not in shown["detail"]
    assert shown["extension"]["io.surgical-risk.assessment"]["procedure"]["order"] == "ServiceRequest/drafted"


@pytest.mark.parametrize(
    ("chart", "reason"),
    [
        (bundle(), "not-surgical"),
        (bundle(IN_THE_CHART | {"status": "completed"}), "not-surgical"),
        (bundle(IN_NO_GROUP | {"status": "active"}), "unmapped-procedure"),
        (None, "not-surgical"),
    ],
)
def test_a_chart_without_an_operation_or_that_nobody_can_ask_leaves_the_hook_silent_with_its_reason(
    post: Post, chart: Any, reason: str
) -> None:
    assert why(post(drafted(A_MEDICINE, chart=chart))) == reason


def test_a_chart_that_was_asked_and_did_not_answer_is_no_silence(post: Post) -> None:
    failed = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    answer = post(drafted(A_MEDICINE, chart=failed))
    assert answer.status_code == 412
    assert answer.json["issue"][0]["diagnostics"].startswith("prefetch key 'orders'")


def test_what_was_not_sent_is_fetched_once_and_only_where_no_operation_is_drafted(post: Post) -> None:
    found = json.dumps(bundle(IN_THE_CHART)).encode()
    with listening(lambda _: (200, {"Content-Type": "application/fhir+json"}, found)) as fhir:
        of_server = {"fhirServer": fhir.url("/fhir")}
        assert ABOUT_THE_CHART in card(post(drafted(A_MEDICINE, chart=None) | of_server))["detail"]
        assert [path for path, _ in fhir.requests] == [f"/fhir/{TEMPLATE.replace('{{context.patientId}}', 'pt-b')}"]


def test_another_patients_order_in_the_chart_stops_the_answer(post: Post) -> None:
    foreign = bundle(an_order(order_id="foreign", patient="somebody-else", status="active"))
    assert post(drafted(A_MEDICINE, chart=foreign)).status_code == 422


@pytest.mark.parametrize("user", ["Patient/pt-b", "RelatedPerson/wife"])
def test_a_patient_is_told_nothing_of_the_chart_either(post: Post, user: str) -> None:
    assert why(post(drafted(A_MEDICINE, userId=user))) == "non-clinician"


def test_the_card_that_names_a_gap_says_of_which_operation(post: Post) -> None:
    request = drafted(A_MEDICINE)
    del request["prefetch"]["patient"]["birthDate"]
    assert card(post(request))["detail"].startswith(ABOUT_THE_CHART)


def test_the_card_of_the_chart_stays_while_a_draft_changes_and_is_another_than_that_of_the_draft(
    tmp_path: Path,
) -> None:
    app = a_sandbox(tmp_path)
    edits = [AN_EMPTY_MEDICINE, A_MEDICINE, A_MEDICINE | {"note": [{"text": "in the evening"}]}]
    requests = [drafted(edit) for edit in edits]
    for request in requests:
        request["prefetch"] = requests[0]["prefetch"]
    uuids = [card(fire(app, request))["uuid"] for request in requests]
    assert len(set(uuids)) == 1
    of_the_draft = drafted(an_order(FUSION, order_id="planned")) | {"prefetch": requests[0]["prefetch"]}
    assert card(fire(app, of_the_draft))["uuid"] != uuids[0]


@pytest.mark.parametrize(
    ("members", "speaks"),
    [
        ({"environment": "dev", "vendor_profile": "sandbox"}, True),
        ({"environment": "dev", "vendor_profile": "sandbox", "chart_at_order_hooks": False}, False),
        ({"environment": "dev", "vendor_profile": "generic"}, False),
        ({"environment": "dev", "vendor_profile": "inferno"}, False),
        ({"environment": "dev", "vendor_profile": "epic", "chart_at_order_hooks": True}, True),
        ({}, False),
    ],
)
def test_only_tenants_of_testers_speak_of_the_chart_at_an_order_hook(
    tmp_path: Path, members: dict[str, Any], speaks: bool
) -> None:
    app = an_app(tmp_path, tenants=a_tenant_file(tmp_path / "tenants", **members)).test_client()
    assert bool(fire(app, drafted(A_MEDICINE)).json["cards"]) is speaks
    listed = app.get("/cds-services", headers=a_token("/cds-services")).json["services"]
    asked = {service["prefetch"].get("orders") for service in listed if service["hook"] != "patient-view"}
    told_in_discovery = any(one is not None and "status=draft,active,on-hold" in one for one in asked)
    assert told_in_discovery is speaks, "what is asked of the chart stands in discovery"
    assert all(len(service["prefetch"]) <= 8 for service in listed)


def test_a_production_tenant_may_not_speak_of_the_chart_at_every_medicine() -> None:
    tenant = Tenant(id="a", environment="production", public_url="https://risk.example.org", chart_at_order_hooks=True)
    assert "chart_at_order_hooks" in {member for member, _ in tenant_rules.complaints(tenant)}


def a_sandbox(folder: Path) -> FlaskClient:
    members = {"environment": "dev", "vendor_profile": "sandbox", "dedupe_window_s": 600.0}
    return an_app(folder, tenants=a_tenant_file(folder / "tenants", **members)).test_client()


def fire(app: FlaskClient, request: Request) -> Any:
    return app.post(SERVICE, json=request, headers=a_token())

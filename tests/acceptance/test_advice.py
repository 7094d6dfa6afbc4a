"""Over HTTP: options come with the card, are not repeated within a session, and the result is readable as FHIR."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient

from cds_service.answer import Knowledge, answer
from cds_service.hooks import request as hook_request
from cds_service.hooks.services import HOOKS
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.tenant_runtime import open_tenant
from cds_service.tenants.tenant_files import demo_tenant
from tests.acceptance import requests
from tests.acceptance.own_models import Apps
from tests.acceptance.requests import a_condition, a_request, a_result, an_asa_class, an_order, bundle
from tests.cds_service.advice import people
from tests.cds_service.trust import unhelpful
from tests.conformance.conftest import SERVICE
from tests.patience import tried_again

Post = Callable[..., Any]
EXTENSION = "io.surgical-risk.assessment"
HBA1C = ("http://loinc.org", "4548-4")


def card_of(response: Any) -> dict[str, Any]:
    assert response.status_code == 200
    (card,) = response.json["cards"]
    return dict(card)


def options_of(card: dict[str, Any]) -> str:
    return " ".join([card["detail"], *(one["label"] for one in card.get("suggestions", ()))])


def test_diabetes_without_an_hba1c_gets_one_as_a_draft_for_this_patient(post: Post) -> None:
    card = card_of(post(a_request(conditions=bundle(a_condition("E11.9")))))
    (suggestion,) = [one for one in card["suggestions"] if "HbA1c" in one["label"]]
    (action,) = [one for one in suggestion["actions"] if "HbA1c test" in one["description"]]
    assert action["type"] == "create"
    assert action["resource"]["status"] == "draft"
    assert action["resource"]["subject"] == {"reference": "Patient/pt-b"}
    assert action["resource"]["code"]["coding"][0]["code"] == HBA1C[1]
    assert card["selectionBehavior"] == "any"


def test_what_the_same_session_orders_is_not_suggested(post: Post) -> None:
    session = a_request(
        an_order(),
        an_order(HBA1C, order_id="a1c"),
        selections=["ServiceRequest/fusion"],
        conditions=bundle(a_condition("E11.9")),
    )
    assert "HbA1c test" not in options_of(card_of(post(session)))


def test_a_result_in_the_record_is_not_suggested_again(post: Post) -> None:
    labs = bundle(a_result("2160-0", 1.1, "mg/dL"), a_result("4548-4", 7.0, "%"))
    card = card_of(post(a_request(conditions=bundle(a_condition("E11.9")), labs=labs)))
    assert "HbA1c test" not in options_of(card)


def test_a_missing_asa_class_is_asked_for_first(post: Post) -> None:
    card = card_of(post(a_request(observations=bundle())))
    assert "Consider recording the ASA class" in card["detail"]


def test_with_the_asa_class_nobody_is_asked_for_it(post: Post) -> None:
    assert "recording the ASA class" not in options_of(card_of(post(a_request(observations=bundle(an_asa_class())))))


@pytest.mark.parametrize("members", [{"id": None}, {"id": "a b"}])
def test_an_order_with_an_odd_id_still_gets_its_card(post: Post, members: dict[str, Any]) -> None:
    """A draft can then not name the operation's order; that is no reason to fail (HS-7)."""
    order = {name: value for name, value in (an_order() | members).items() if value is not None}
    request = a_request(order, selections=["ServiceRequest/a b"]) if "id" in order else a_request(order | {"id": "x"})
    if "id" not in order:
        request["hook"] = "order-sign"
        del request["context"]["selections"]
        request["context"]["draftOrders"]["entry"][0]["resource"].pop("id")
    card = card_of(post(request))
    assert all("supportingInfo" not in one["actions"][0]["resource"] for one in card.get("suggestions", ()))


def test_the_result_is_a_risk_assessment_under_its_own_id(http: FlaskClient, post: Post) -> None:
    told = card_of(post(a_request()))["extension"][EXTENSION]
    response = http.get(f"/risk-assessments/{told['assessmentId']}")
    assert (response.status_code, response.mimetype) == (200, "application/fhir+json")
    resource = response.json or {}
    assert resource["subject"] == {"reference": "Patient/pt-b"}
    shown = [one for one in told["predictions"] if one.get("shown") and one["status"] == "computed"]
    assert [one["probabilityDecimal"] for one in resource["prediction"]] == pytest.approx(
        [100 * one["probability"] for one in shown], abs=1e-4
    )


def test_the_default_response_has_no_system_actions(post: Post) -> None:
    assert "systemActions" not in post(a_request()).json


def test_the_words_of_the_request_reach_no_card(post: Post) -> None:
    canary = "CANARY [x](javascript:alert(1)) <script>"
    order = an_order() | {"code": {"coding": [{"system": requests.CPT, "code": "22633", "display": canary}],
                                   "text": canary}}  # fmt: skip
    patient = requests.a_patient(name=[{"text": canary}])
    condition = a_condition("E11.9") | {"note": [{"text": canary}]}
    response = post(a_request(order, patient=patient, conditions=bundle(condition)))
    assert b"CANARY" not in response.data


@pytest.mark.parametrize(("wanted", "told"), [(True, "the patient's age is not known"), (False, None)])
def test_a_missing_age_is_silence_or_a_card_that_names_it(wanted: bool, told: str | None) -> None:
    tenant = msgspec.structs.replace(demo_tenant("http://127.0.0.1:8000"), card_for_missing_required=wanted)
    knowledge = Knowledge(people.models(), FhirClient(threads=1))
    body = json.dumps(a_request(patient=None)).encode()
    given = answer(
        hook_request.read_request(body, offered=HOOKS),
        site=open_tenant(tenant),
        knowledge=knowledge,
        received=datetime.now(UTC),
    )
    assert given.silence == (None if wanted else "required-input-missing")
    assert given.card.summary.endswith(told) if told and given.card else given.card is None


# Open orders of the chart (never-suggest 8): the prefetch key `orders`.
UNCHECKED = "Open orders could not be checked."
DIABETES = {"conditions": bundle(a_condition("E11.9"))}


def a_pending_test(**members: Any) -> dict[str, Any]:
    return an_order(HBA1C, order_id="pending") | {"status": "active", "authoredOn": requests.days_ago(12)} | members


def test_what_is_pending_in_the_chart_is_not_suggested(post: Post) -> None:
    told = options_of(card_of(post(a_request(**DIABETES, orders=bundle(a_pending_test())))))
    assert "HbA1c test" not in told
    assert UNCHECKED not in told


def test_an_order_forgotten_for_a_year_is_not_pending(post: Post) -> None:
    old = bundle(a_pending_test(authoredOn=requests.days_ago(380)))
    assert "HbA1c test" in options_of(card_of(post(a_request(**DIABETES, orders=old))))


FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}


@pytest.mark.parametrize("orders", [FAILED, ...], ids=["failed", "neither sent nor to be had"])
def test_orders_that_cannot_be_searched_cost_no_card_and_the_option_says_so(post: Post, orders: Any) -> None:
    card = card_of(post(a_request(**DIABETES, orders=orders)))
    (suggestion,) = [one for one in card["suggestions"] if "HbA1c" in one["label"]]
    assert UNCHECKED in suggestion["label"]
    assert UNCHECKED in suggestion["actions"][0]["description"]


@pytest.mark.parametrize("orders", [None, bundle()])
def test_a_search_that_found_no_open_order_is_not_mentioned(post: Post, orders: Any) -> None:
    assert UNCHECKED not in options_of(card_of(post(a_request(**DIABETES, orders=orders))))


def test_an_open_order_of_another_patient_stops_everything(post: Post) -> None:
    foreign = bundle(a_pending_test(subject={"reference": "Patient/somebody-else"}))
    response = post(a_request(**DIABETES, orders=foreign))
    assert response.status_code == 422
    assert "cards" not in response.json


@pytest.mark.parametrize("server", ["broken", "slow"])
@pytest.mark.usefixtures("in_time")
@tried_again
def test_a_server_that_fails_on_orders_costs_neither_the_card_nor_its_time(apps: Apps, server: str) -> None:
    http = apps(None).test_client()
    with unhelpful.serving(unhelpful.hang if server == "slow" else unhelpful.no_http) as base:
        lent = {
            "access_token": "lent",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "user/*.read",
            "subject": "x",
        }
        access = {"fhirServer": f"{base}/fhir", "fhirAuthorization": lent}
        began = time.monotonic()
        card = card_of(http.post(SERVICE, json=a_request(**DIABETES, orders=...) | access))
        assert time.monotonic() - began < 1.8
    assert UNCHECKED in options_of(card)

"""Every way to fail has its status and an OperationOutcome; none looks like low risk."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from flask.testing import FlaskClient

from tests.acceptance.conftest import Post
from tests.acceptance.requests import a_patient, a_request, an_asa_class, an_order, bundle


def refused(response: Any, status: int) -> dict[str, Any]:
    """The one shape of every refusal: an OperationOutcome that fhir.resources accepts, and no cards."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.mimetype == "application/json"
    OperationOutcome.model_validate(response.json)
    assert "cards" not in response.json
    return dict(response.json["issue"][0])


def test_without_the_patient_the_answer_is_412_and_names_the_key(post: Post) -> None:
    issue = refused(post(a_request(patient=...)), 412)
    assert "'patient'" in issue["diagnostics"]


def test_a_fhir_server_that_does_not_answer_is_412(post: Post) -> None:
    refused(post(a_request(patient=...) | {"fhirServer": "http://127.0.0.1:9/fhir"}), 412)


def test_a_failed_patient_key_is_412_and_an_empty_one_is_not(post: Post) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    refused(post(a_request(patient=outcome)), 412)
    assert post(a_request(patient=None)).status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"patient": a_patient(id="pt-other")},
        {"observations": bundle(an_asa_class() | {"subject": {"reference": "Patient/pt-other"}})},
    ],
)
def test_data_of_another_patient_stop_everything(post: Post, changed: dict[str, Any]) -> None:
    refused(post(a_request(**changed)), 422)


def test_an_order_for_another_patient_is_422(post: Post) -> None:
    refused(post(a_request(an_order(patient="pt-other"))), 422)


def test_an_unknown_service_is_404_and_a_wrong_method_405(post: Post, http: FlaskClient) -> None:
    refused(post(a_request(), service="nope"), 404)
    refused(http.get("/cds-services/surgical-risk"), 405)
    assert "POST" in http.get("/cds-services/surgical-risk").headers["Allow"]


def test_a_body_that_is_not_json_is_415_or_400(http: FlaskClient) -> None:
    url = "/cds-services/surgical-risk"
    refused(http.post(url, data="<x/>", content_type="text/xml"), 415)
    refused(http.post(url, data="{", content_type="application/json"), 400)
    assert http.post(url, data="{", content_type="application/fhir+json").status_code == 400


def test_an_unexpected_fault_is_500_with_an_id_and_nothing_of_the_fault(
    http: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("canary-secret")

    monkeypatch.setattr("cds_service.answer.derive", broken)
    # Its own hookInstance: an exact retry of another test's request would be answered from memory (DEC-17).
    fresh = a_request() | {"hookInstance": str(uuid.uuid4())}
    response = http.post("/cds-services/surgical-risk", json=fresh)
    issue = refused(response, 500)
    assert len(issue["diagnostics"]) == 36
    assert "canary" not in response.get_data(as_text=True)


def test_discovery_offers_both_order_hooks(http: FlaskClient) -> None:
    services = http.get("/cds-services").json["services"]
    assert {(s["hook"], s["id"]) for s in services} >= {
        ("order-select", "surgical-risk-order-select"),
        ("order-sign", "surgical-risk-order-sign"),
    }
    assert next(iter(services[0]["prefetch"])) == "patient"
    assert len(services[0]["prefetch"]) <= 8

"""A result is read back as FHIR by the tenant whose it is, from the record and not from memory."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.riskassessment import RiskAssessment
from flask import Flask, Response
from flask.testing import FlaskClient

from cds_service.cards import discrete
from cds_service.pages import open_pages, risk_assessments
from cds_service.records import migrate
from cds_service.records.records import Records
from cds_service.records.rows import EvaluationRow
from cds_service.tenant_runtime import open_tenant
from cds_service.tenants.tenant import Tenant
from cds_service.trust.errors import Unauthorized
from cds_service.trust.seal import Seal
from cds_service.web import error_responses
from tests import builders
from tests.cds_service.advice import people

URL = f"/risk-assessments/{people.ASSESSMENT_ID}"
SEAL = Seal(b"key")
TENANTS = {
    name: Tenant(id=name, environment="dev", public_url="https://risk.example.org", mode="on")
    for name in ("general", "county")
}
SITES = {name: open_tenant(tenant) for name, tenant in TENANTS.items()}


def proven(authorization: str | None) -> Tenant:
    if authorization not in TENANTS:
        raise Unauthorized("Authentication required.")
    return TENANTS[authorization]


def an_evaluation(**members: Any) -> EvaluationRow:
    assessment = people.an_assessment(people.asa(3))
    given: dict[str, Any] = {
        "id": assessment.assessment_id,
        "tenant_id": "general",
        "received_at": builders.AS_OF,
        "hook": "order-select",
        "hook_instance": "h",
        "status": 200,
        "decision": "card",
        "patient_id": builders.PATIENT_ID,
        "encounter_id": "e1",
        "result": discrete.result(assessment),
    }
    return EvaluationRow(**given | members)


@pytest.fixture
def http(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[FlaskClient]:
    url = f"sqlite:///{tmp_path}/record.sqlite3"
    migrate.upgrade(url)
    records = Records(url, folder=tmp_path, connections=1, counted=lambda *_: None)
    records.write_evaluation(getattr(request, "param", None) or an_evaluation())
    app = Flask(__name__)
    error_responses.register(app, lambda *_: None, lambda _: None)
    app.register_blueprint(risk_assessments.blueprint(records, risk_assessments.Doors(proven, SEAL, SITES)))

    @app.get("/open/<name>/<assessment_id>")
    def opened(name: str, assessment_id: str) -> Response:
        response = Response()
        open_pages.remember(response, TENANTS[name], assessment_id, SEAL)
        return response

    yield app.test_client()
    records.close()


def test_the_result_comes_as_a_risk_assessment_about_the_patient(http: FlaskClient) -> None:
    response = http.get(URL, headers={"Authorization": "general"})
    assert (response.status_code, response.mimetype) == (200, "application/fhir+json")
    RiskAssessment.model_validate(response.json)
    assert response.json["subject"] == {"reference": f"Patient/{builders.PATIENT_ID}"}
    assert response.json["encounter"] == {"reference": "Encounter/e1"}
    assert response.json["identifier"][0]["value"] == f"urn:uuid:{people.ASSESSMENT_ID}"


def test_it_is_stored_by_nobody_on_the_way(http: FlaskClient) -> None:
    assert http.get(URL, headers={"Authorization": "general"}).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("url", [f"/risk-assessments/{uuid.UUID(int=7)}", "/risk-assessments/not-an-id"])
def test_what_was_never_assessed_is_not_found(http: FlaskClient, url: str) -> None:
    response = http.get(url, headers={"Authorization": "general"})
    assert response.status_code == 404
    assert response.json["resourceType"] == "OperationOutcome"


def test_another_tenants_result_is_not_found(http: FlaskClient) -> None:
    assert http.get(URL, headers={"Authorization": "county"}).status_code == 404


def test_without_proof_there_is_no_answer(http: FlaskClient) -> None:
    assert http.get(URL).status_code == 401


def test_the_browser_that_has_the_profile_open_may_read_it(http: FlaskClient) -> None:
    http.get(f"/open/general/{people.ASSESSMENT_ID}")
    assert http.get(URL).json["resourceType"] == "RiskAssessment"


def test_a_browser_with_another_profile_open_may_not(http: FlaskClient) -> None:
    http.get(f"/open/general/{uuid.UUID(int=7)}")
    assert http.get(URL).status_code == 401


def test_a_profile_of_another_tenant_opens_nothing(http: FlaskClient) -> None:
    http.get(f"/open/county/{people.ASSESSMENT_ID}")
    assert http.get(URL).status_code == 404


def test_a_header_that_fails_is_not_saved_by_an_open_page(http: FlaskClient) -> None:
    http.get(f"/open/general/{people.ASSESSMENT_ID}")
    assert http.get(URL, headers={"Authorization": "nobody"}).status_code == 401


def test_a_cookie_made_elsewhere_opens_nothing(http: FlaskClient) -> None:
    forged = Seal(b"another key").close(people.ASSESSMENT_ID, "general")
    http.set_cookie("open-assessment", forged, path=URL)
    assert http.get(URL).status_code == 401


@pytest.mark.parametrize(
    "http",
    [
        an_evaluation(decision="silence", reason=why)
        for why in ("mode-silent", "mode-canary", "mode-off", "kill-switch")
    ],
    indirect=True,
)
def test_what_a_mode_withheld_is_not_told_here_either(http: FlaskClient) -> None:
    assert http.get(URL, headers={"Authorization": "general"}).status_code == 404


@pytest.mark.parametrize("http", [an_evaluation(result=None, decision="silence")], indirect=True)
def test_a_silence_without_a_number_is_not_found(http: FlaskClient) -> None:
    assert http.get(URL, headers={"Authorization": "general"}).status_code == 404

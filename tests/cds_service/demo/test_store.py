"""The store answers reads and searches as a FHIR server does, unknown parameters included."""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from flask import Flask
from flask.testing import FlaskClient

from cds_service.demo import patients, store


@pytest.fixture
def http() -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(store.blueprint(patients.everything), url_prefix="/demo/fhir")
    return app.test_client()


def found(http: FlaskClient, query: str) -> list[dict[str, Any]]:
    response = http.get(f"/demo/fhir/{query}")
    assert response.status_code == 200, response.json
    Bundle.model_validate(response.json)
    return [entry["resource"] for entry in response.json.get("entry", [])]


def test_a_patient_is_read_by_id(http: FlaskClient) -> None:
    assert http.get("/demo/fhir/Patient/demo-fusion").json["id"] == "demo-fusion"
    assert http.get("/demo/fhir/Patient/nobody").status_code == 404


@pytest.mark.parametrize("code", ["2160-0", "http://loinc.org|2160-0", "2160-0,718-7"])
def test_observations_are_found_by_code(http: FlaskClient, code: str) -> None:
    results = found(http, f"Observation?patient=demo-fusion&code={code}")
    assert "2160-0" in {result["code"]["coding"][0]["code"] for result in results}


def test_a_code_of_another_system_is_not_found(http: FlaskClient) -> None:
    assert found(http, "Observation?patient=demo-fusion&code=http://snomed.info/sct|2160-0") == []


def test_newest_first(http: FlaskClient) -> None:
    times = [r["effectiveDateTime"] for r in found(http, "Observation?patient=demo-fusion&_sort=-date&_count=100")]
    assert times == sorted(times, reverse=True)


def test_pages_follow_each_other_until_all_is_read(http: FlaskClient) -> None:
    url, seen = "/demo/fhir/Observation?patient=demo-fusion&_count=4", []
    while url:
        page = http.get(url).json
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "").removeprefix(
            "http://localhost"
        )
    assert len(seen) == len(set(seen)) == page["total"]


def test_search_by_post_is_the_same(http: FlaskClient) -> None:
    posted = http.post("/demo/fhir/Condition/_search", data={"patient": "demo-fusion"}).json
    assert posted["total"] == len(found(http, "Condition?patient=demo-fusion"))


@pytest.mark.parametrize("query", ["Observation?unknown=1", "Observation?_count=x", "Observation?_sort=code"])
def test_what_the_store_does_not_know_is_refused(http: FlaskClient, query: str) -> None:
    response = http.get(f"/demo/fhir/{query}")
    assert (response.status_code, response.json["resourceType"]) == (400, "OperationOutcome")


def test_the_capability_statement_is_valid(http: FlaskClient) -> None:
    CapabilityStatement.model_validate(http.get("/demo/fhir/metadata").json)

"""A sandbox asks the FHIR server for the launch of a card's SMART link; ours gives one that opens the profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.conformance.conftest import an_app

BASE = "http://127.0.0.1:8000"
LAUNCH = "/demo/fhir/_services/smart/Launch"
SANDBOX = {"Origin": "http://127.0.0.1:8080"}


@pytest.fixture
def http(tmp_path: Path) -> FlaskClient:
    return an_app(tmp_path, demo=True, bind="127.0.0.1:8000").test_client()


def asked(**changed: Any) -> dict[str, Any]:
    """As the official sandbox asks (cds-hooks/sandbox 3b7e255, launch-context-retrieval.js)."""
    parameters = {"patient": "demo-hip", "smart_messaging_origin": SANDBOX["Origin"], "appContext": "an-assessment"}
    return {"launchUrl": f"{BASE}/smart/launch", "parameters": parameters} | changed


def test_a_launch_that_was_asked_for_opens_the_sign_in_for_its_patient(http: FlaskClient) -> None:
    answer = http.post(LAUNCH, json=asked(), headers=SANDBOX)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == SANDBOX["Origin"]
    query = {"launch": answer.json["launch_id"], "aud": f"{BASE}/demo/fhir"}
    page = http.get("/demo/sign-in", query_string=query)
    assert page.status_code == 200
    assert "demo-hip" in page.text


def test_its_preflight_is_answered_for_the_sandboxs_origin_alone(http: FlaskClient) -> None:
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    answer = http.options(LAUNCH, headers=SANDBOX | preflight)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Methods"]) == (200, "OPTIONS, POST")
    other = http.options(LAUNCH, headers={"Origin": "https://evil.example"} | preflight)
    assert "Access-Control-Allow-Origin" not in other.headers


@pytest.mark.parametrize(
    "body",
    [
        asked(launchUrl="https://evil.example/smart/launch"),
        asked(parameters={}),
        asked(parameters={"patient": 7}),
        asked(parameters={"patient": "no id"}),
        asked(parameters=None),
        [],
        "x",
    ],
)
def test_no_launch_is_given_for_another_app_or_without_a_patient(http: FlaskClient, body: Any) -> None:
    answer = http.post(LAUNCH, json=body, headers=SANDBOX)
    assert answer.status_code == 400
    assert answer.json["resourceType"] == "OperationOutcome"


def test_a_launch_without_context_is_one_too(http: FlaskClient) -> None:
    answer = http.post(LAUNCH, json=asked(parameters={"patient": "demo-hip"}), headers=SANDBOX)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("store", "status"),
    [
        ("http://127.0.0.1:8000/demo/fhir", 200),
        ("http://localhost:8000/demo/fhir", 200),
        ("http://LOCALHOST:8000/demo/fhir/", 200),
        ("http://localhost:8001/demo/fhir", 400),
        ("https://localhost:8000/demo/fhir", 400),
        ("http://localhost:8000/fhir", 400),
        ("http://evil.example:8000/demo/fhir", 400),
        ("http://localhost:port/demo/fhir", 400),
        ("http://[::1/demo/fhir", 400),
        ("", 400),
    ],
)
def test_the_store_is_known_by_the_other_name_of_this_machine_and_by_no_other(
    http: FlaskClient, store: str, status: int
) -> None:
    """A tester may type either; "this launch is over" said nothing about it."""
    launch = http.post(LAUNCH, json=asked()).json["launch_id"]
    assert http.get("/demo/sign-in", query_string={"launch": launch, "aud": store}).status_code == status

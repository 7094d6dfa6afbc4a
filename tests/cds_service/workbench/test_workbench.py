"""The workbench stands at `/` outside production only, and asks no server that its tenant does not list."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cds_service.web.app import create_app
from cds_service.web.settings import Settings

PRODUCTION = """
id: general-hospital
environment: production
public_url: https://risk.example.org
clients:
  - issuer: https://ehr.example.org
    jwks_url: https://ehr.example.org/jwks.json
fhir_base_urls: [https://fhir.example.org/r4]
mode: silent
"""

DEV = """
id: {name}
environment: dev
public_url: http://127.0.0.1:8000
fhir_base_urls: ["https://{name}.example.org/r4"]
mode: "on"
"""


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder: Path = tmp_path_factory.mktemp("record")
    return create_app(Settings(demo=True, database_url=f"sqlite:///{folder}/record.sqlite3")).test_client()


def test_the_first_page_shows_a_card_and_the_milliseconds_of_each_step(http: FlaskClient) -> None:
    page = http.get("/").text
    assert "0.82\u00a0%" in page
    assert 'class="steps"' in page


def test_a_fhir_server_that_the_tenant_does_not_list_is_not_asked(http: FlaskClient) -> None:
    page = http.post("/", data={"fhir": "https://elsewhere.example.org/fhir", "patient": "1", "prefetch": "yes"}).text
    assert "does not allow that FHIR server" in page


def test_what_a_request_holds_is_shown_as_text(http: FlaskClient) -> None:
    page = http.post("/", data={"again": "yes", "body": "<script>alert(1)</script>"}).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


HOOKS = ("order-select", "order-sign", "appointment-book", "patient-view")


@pytest.mark.parametrize("hook", HOOKS)
def test_the_operation_gets_its_card_at_every_hook(http: FlaskClient, hook: str) -> None:
    code = "http://www.ama-assn.org/go/cpt|22633"
    page = http.post("/", data={"patient": "demo-fusion", "hook": hook, "code": code, "prefetch": "yes"}).text
    assert f'value="{hook}" checked' in page
    assert "0.82\u00a0%" in page


def test_patient_view_is_about_the_operation_that_was_chosen(http: FlaskClient) -> None:
    hip = "https://demo.surgical-risk.example/codes|OR-HIP"
    chosen = {"patient": "demo-fusion", "hook": "patient-view", "code": hip, "prefetch": "yes"}
    page = http.post("/", data=chosen).text
    assert "hip replacement" in page.split('id="card-title"')[1].split("</h3>")[0]


def test_a_tenant_shows_the_hooks_that_it_offers(tmp_path: Path) -> None:
    (tmp_path / "general.yaml").write_text(DEV.format(name="general"))
    app = create_app(Settings(tenants=tmp_path, database_url=f"sqlite:///{tmp_path}/record.sqlite3"))
    page = app.test_client().get("/").text
    assert [hook for hook in HOOKS if f'value="{hook}"' in page] == ["order-select", "order-sign"]


def test_production_has_no_workbench(tmp_path: Path) -> None:
    (tmp_path / "hospital.yaml").write_text(PRODUCTION)
    app = create_app(Settings(tenants=tmp_path, database_url=f"sqlite:///{tmp_path}/record.sqlite3"))
    assert app.test_client().get("/").status_code == 404
    assert app.test_client().get("/models").status_code == 200
    for path in ("/demo/sign-in", "/demo/jwks.json", "/demo/fhir/Patient", "/workbench/feedback"):
        assert app.test_client().get(path).status_code == 404


def test_every_dev_tenant_has_its_workbench_and_waits_for_a_patient(tmp_path: Path) -> None:
    for name in ("general", "county"):
        (tmp_path / f"{name}.yaml").write_text(DEV.format(name=name))
    app = create_app(Settings(tenants=tmp_path, database_url=f"sqlite:///{tmp_path}/record.sqlite3"))
    page = app.test_client().get("/?tenant=general").text
    assert 'value="https://general.example.org/r4"' in page
    assert "<option>county</option>" in page
    assert 'id="card-title"' not in page
    assert 'value="https://county.example.org/r4"' in app.test_client().get("/").text


def test_the_profile_opens_only_from_a_launch(http: FlaskClient) -> None:
    assert http.get("/smart/launch").status_code == 400
    assert http.get("/smart/callback?code=stolen&state=guessed").status_code == 400
    assert http.get("/smart/launch?iss=https://elsewhere.example.org/fhir&launch=x").status_code == 403


def test_a_dismissed_card_is_silent_in_its_visit_and_there_again_on_a_new_page(http: FlaskClient) -> None:
    first = http.get("/").text
    visit, card = (_field(first, name) for name in ("encounter", "card"))
    http.post("/workbench/feedback", data={"card": card, "outcome": "overridden"})
    assert "<code>answered</code>" in http.post("/", data={"encounter": visit, "prefetch": "yes"}).text
    assert "No card." not in http.get("/").text


def _field(page: str, name: str) -> str:
    found = re.search(f'name="{name}" value="([^"]+)"', page)
    assert found is not None
    return found[1]

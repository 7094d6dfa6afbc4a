"""L. Authenticating the client, and M. CORS, over HTTP."""

import uuid

import pytest

from tests.acceptance.requests import a_request
from tests.cds_service.trust.test_client_jwt import ATTACKS
from tests.conformance.conftest import PUBLIC, SERVICE, a_tenant_file, a_token, an_app

EHR = {"Origin": "https://ehr.example.org"}


def call(app, headers):
    return app.post(SERVICE, json=a_request() | {"hookInstance": str(uuid.uuid4())}, headers=headers)


def test_J_01_J_05_a_token_is_required_and_a_good_one_suffices(guarded):
    assert call(guarded, {}).status_code == 401
    assert call(guarded, a_token()).status_code == 200


@pytest.mark.parametrize("prefix", ["bearer ", "Bearer  "])
def test_J_02_the_scheme_is_read_in_any_case_and_with_two_spaces(guarded, prefix):
    signed = a_token()["Authorization"].removeprefix("Bearer ")
    assert call(guarded, {"Authorization": prefix + signed}).status_code == 200


@pytest.mark.parametrize("attack", ATTACKS)
def test_J_03_J_04_J_06_J_08_J_09_every_attack_is_401_over_http(guarded, attack):
    assert call(guarded, {"Authorization": f"Bearer {ATTACKS[attack]()}"}).status_code == 401


def test_J_07_no_jku_is_needed(guarded):
    assert call(guarded, a_token()).status_code == 200


def test_J_10_the_audience_is_this_endpoint(guarded):
    assert call(guarded, a_token(aud=[PUBLIC + SERVICE, "https://other.example"])).status_code == 200
    assert call(guarded, a_token(aud=f"{PUBLIC}/cds-services")).status_code == 401


def test_J_13_a_second_use_is_401_in_another_worker_too(tmp_path):
    folder = a_tenant_file(tmp_path / "tenants")
    workers = [an_app(tmp_path, tenants=folder).test_client() for _ in range(2)]
    header = a_token()
    assert [call(worker, header).status_code for worker in (workers[0], workers[1], workers[0])] == [200, 401, 401]


def test_J_18_no_token_is_logged(guarded, capfd):
    call(guarded, a_token())
    call(guarded, a_token(aud="x"))
    assert "eyJ" not in "".join(capfd.readouterr())


def test_J_20_an_access_token_is_no_client_jwt(guarded):
    assert call(guarded, {"Authorization": "Bearer lent-access-token"}).status_code == 401


def test_J_21_without_a_token_nothing_is_read(guarded, monkeypatch):
    def touched(*_args, **_options):
        raise AssertionError("the body was looked at")

    monkeypatch.setattr("cds_service.web.hook_routes.body.read_body", touched)
    assert call(guarded, {}).status_code == 401
    assert guarded.post(SERVICE, data=b"x" * (5 * 1024 * 1024 + 1)).status_code == 413


@pytest.mark.parametrize("path", ["/cds-services", SERVICE, f"{SERVICE}/feedback"])
def test_O_01_O_04_a_preflight_of_a_listed_origin_needs_no_token(guarded, path):
    asked = EHR | {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    response = guarded.options(path, headers=asked)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == EHR["Origin"]
    assert {"authorization", "content-type"} <= set(response.headers["Access-Control-Allow-Headers"].split(", "))


def test_O_02_another_origin_gets_nothing(guarded):
    for origin in ("https://evil.example", "null", "https://ehr.example.org.evil.example"):
        response = guarded.get("/cds-services", headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Origin" in response.headers["Vary"]
    allowed = guarded.get("/cds-services", headers=EHR)
    assert allowed.headers["Access-Control-Allow-Origin"] != "*"
    assert "Access-Control-Allow-Credentials" not in allowed.headers


def test_O_03_errors_carry_the_headers_too(guarded):
    refused = [call(guarded, EHR), call(guarded, EHR | a_token(tenant="west"))]
    refused.append(guarded.post(SERVICE, json={}, headers=EHR | a_token()))
    assert [response.status_code for response in refused] == [401, 403, 400]
    assert {response.headers["Access-Control-Allow-Origin"] for response in refused} == {EHR["Origin"]}

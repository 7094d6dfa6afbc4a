"""B. Discovery, and the prefetch templates in it (P-20..P-27, P-30..P-37)."""

import re

import pytest

from tests.acceptance.requests import a_request
from tests.conformance.conftest import SERVICE, a_tenant_file, a_token, an_app

TOKENS = {"context.userId", "context.patientId", "context.encounterId", "userPractitionerId"}
PARAMETERS = {
    "patient",
    "code",
    "category",
    "status",
    "clinical-status",
    "date",
    "_sort",
    "_count",
    "_id",
    "class",
    "type",
}


@pytest.fixture
def services(http):
    return http.get("/cds-services").json["services"]


@pytest.fixture
def templates(services):
    return {key: template for service in services for key, template in service["prefetch"].items()}


def searches(templates):
    return [template for template in templates.values() if "?" in template]


def test_D_01_D_02_discovery_is_an_object_with_services(http):
    response = http.get("/cds-services")
    assert response.status_code == 200
    assert isinstance(response.json["services"], list)


@pytest.mark.parametrize(("retired_on", "ended"), [("2026-01-01", True), ("2999-01-01", False)])
def test_D_03_a_service_that_has_ended_lists_nothing_and_says_nothing(tmp_path, retired_on, ended):
    app = an_app(tmp_path, tenants=a_tenant_file(tmp_path / "tenants", retired_on=retired_on)).test_client()
    for headers in ({}, a_token("/cds-services")):
        response = app.get("/cds-services", headers=headers)
        assert response.status_code == 200
        assert (response.json == {"services": []}) is ended
    cards = app.post(SERVICE, json=a_request(), headers=a_token()).json["cards"]
    assert (cards == []) is ended


def test_D_04_D_06_D_07_D_09_each_entry_says_hook_description_title_and_what_it_needs(services):
    for service in services:
        for member in ("hook", "description", "title", "usageRequirements"):
            assert isinstance(service[member], str)
            assert service[member]


def test_D_05_each_id_is_the_last_segment_of_its_url(services, post):
    assert {service["id"] for service in services} == {f"surgical-risk-{service['hook']}" for service in services}
    assert post(a_request(), f"/cds-services/{services[0]['id']}").status_code == 200


def test_D_08_prefetch_is_an_object_of_strings(services):
    for service in services:
        assert service["prefetch"]
        assert all(isinstance(template, str) and template for template in service["prefetch"].values())


def test_D_10_D_11_P_25_P_26_P_27_the_list_holds_nothing_of_the_ballot(http, services):
    assert not {"version", "hookVersion"} & {member for service in services for member in service}
    assert not any(word in http.get("/cds-services").text for word in ("today(", "resolve(", "ofType("))
    assert not re.search("%(?![0-9A-F]{2})", http.get("/cds-services").text), "a percent sign is an escape, no FHIRPath"


def test_D_12_D_13_V_08_one_id_stands_for_both_order_hooks(guarded, post):
    services = guarded.get("/cds-services").json["services"]
    pairs = [(service["hook"], service["id"]) for service in services]
    assert len(set(pairs)) == len(pairs)
    assert {"order-select", "order-sign"} <= {hook for hook, _ in pairs}
    assert len({service["id"] for service in services}) == 1
    signed = a_request() | {"hook": "order-sign"}
    del signed["context"]["selections"]
    assert len(post(signed).json["cards"]) == 1


def test_D_15_V_07_an_extension_is_an_object(services, post):
    card = post(a_request()).json["cards"][0]
    for holder in (*services, card, *card.get("suggestions", [])):
        assert isinstance(holder.get("extension", {}), dict)


def test_D_16_discovery_does_not_change_with_calls(http, post):
    before = http.get("/cds-services").data
    for _ in range(3):
        post(a_request())
    assert http.get("/cds-services").data == before
    assert b"pt-b" not in before


def test_D_17_J_01_discovery_is_open_and_a_bad_token_gets_the_open_list(guarded):
    open_list = guarded.get("/cds-services")
    assert open_list.status_code == 200
    assert guarded.get("/cds-services", headers={"Authorization": "Bearer x.y.z"}).data == open_list.data
    assert guarded.get("/cds-services", headers=a_token("/cds-services")).status_code == 200


def test_D_17_discovery_requires_a_token_where_the_deployment_says_so(tmp_path):
    app = an_app(tmp_path, tenants=a_tenant_file(tmp_path / "tenants"), discovery_auth="required").test_client()
    assert app.get("/cds-services").status_code == 401
    assert app.get("/cds-services", headers=a_token()).status_code == 401
    assert app.get("/cds-services", headers=a_token("/cds-services")).status_code == 200


def test_D_18_another_method_on_discovery_is_405(http):
    response = http.post("/cds-services", json={})
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


def test_D_19_a_trailing_slash_is_the_same_list(http):
    assert http.get("/cds-services/").status_code in (200, 308)


def test_D_20_discovery_may_be_cached_and_answers_may_not(http, post):
    assert "max-age" in http.get("/cds-services").headers["Cache-Control"]
    assert post(a_request()).headers["Cache-Control"] == "no-store"
    assert post({}).headers["Cache-Control"] == "no-store"


def test_P_20_P_21_P_22_P_23_P_36_tokens_are_root_fields_of_the_context(templates):
    for template in templates.values():
        found = re.findall(r"\{\{(.*?)\}\}", template)
        assert found
        assert set(found) <= TOKENS
        assert "Practitioner/{{context.userId}}" not in template


def test_P_24_an_encounter_is_never_needed(post):
    request = a_request()
    assert "encounterId" not in request["context"]
    assert post(request).status_code == 200


def test_D_14_P_30_P_31_P_32_P_33_P_34_P_35_templates_stay_in_the_restricted_subset(templates):
    for template in templates.values():
        assert re.fullmatch(r"[A-Z][A-Za-z]+(/\{\{context\.\w+\}\}|\?.+)", template)
    for search in searches(templates):
        parameters = [part.partition("=")[0] for part in search.split("?", 1)[1].split("&")]
        assert set(parameters) <= PARAMETERS
        assert "_include" not in search
        assert "sort:" not in search


def test_P_37_every_search_is_bounded(templates, services):
    assert all("_count=" in search or "code=" in search for search in searches(templates))
    assert all(len(service["prefetch"]) <= 8 for service in services)

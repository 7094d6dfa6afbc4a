"""DEC-43: reference clients key services by URL and id, so that of several entries with one id only the last exists."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.acceptance.requests import a_request
from tests.conformance.conftest import SERVICE, a_tenant_file, a_token, an_app

HOOKS = ("order-select", "order-sign", "appointment-book", "patient-view")
FEEDBACK = {"feedback": [{"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:00:00Z"}]}


def listed(app: Flask, **headers: Any) -> dict[str, str]:
    """By `URL/id`, as the sandbox keys them, the hook."""
    client: Any = app.test_client()
    services = client.get("/cds-services", **headers).json["services"]
    return {f"/cds-services/{one['id']}": one["hook"] for one in services}


def call(hook: str) -> dict[str, Any]:
    request = a_request() | {"hook": hook}
    if hook != "order-select":
        request["context"].pop("selections")
    if hook == "appointment-book":
        request["context"]["appointments"] = request["context"].pop("draftOrders")
    if hook == "patient-view":
        drafts = request["context"].pop("draftOrders")
        orders = [{"resource": one["resource"] | {"status": "active"}} for one in drafts["entry"]]
        request["prefetch"]["orders"] = {"resourceType": "Bundle", "type": "searchset", "entry": orders}
    return request


def test_a_client_that_keys_services_by_url_and_id_keeps_every_hook_of_the_demo_tenant(demo: Flask) -> None:
    assert sorted(listed(demo).values()) == sorted(HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_each_id_answers_its_hook_and_the_common_one_all_of_them(demo: Flask, hook: str) -> None:
    client: Any = demo.test_client()
    for path in (SERVICE, f"{SERVICE}-{hook}"):
        answer = client.post(path, json=call(hook))
        assert answer.status_code == 200, answer.text
        if hook != "appointment-book":
            assert answer.json["cards"], path
        assert client.post(f"{path}/feedback", json=FEEDBACK).json["received"] == 1


def test_an_id_of_one_hook_answers_no_other(demo: Flask) -> None:
    assert demo.test_client().post(f"{SERVICE}-order-sign", json=call("order-select")).status_code == 400
    assert demo.test_client().post(f"{SERVICE}-patient", json=call("order-select")).status_code == 404


@pytest.mark.parametrize(
    ("members", "per_hook"),
    [
        ({}, False),
        ({"service_ids": "per-hook"}, True),
        ({"environment": "dev", "vendor_profile": "sandbox"}, True),
        ({"environment": "dev", "vendor_profile": "sandbox", "service_ids": "one"}, False),
    ],
)
def test_other_tenants_have_one_id_unless_they_choose(tmp_path: Any, members: dict[str, Any], per_hook: bool) -> None:
    app = an_app(tmp_path, tenants=a_tenant_file(tmp_path / "tenants", **members))
    own = f"{SERVICE}-order-select"
    for headers in ({}, a_token("/cds-services")):
        assert (own in listed(app, headers=headers)) is per_hook
    answer = app.test_client().post(own, json=a_request(), headers=a_token(own))
    assert answer.status_code == (200 if per_hook else 404)
    told = app.test_client().post(f"{own}/feedback", json=FEEDBACK, headers=a_token(f"{own}/feedback"))
    assert told.status_code == (200 if per_hook else 404)
    assert app.test_client().post(SERVICE, json=a_request(), headers=a_token()).status_code == 200


def test_a_token_for_one_endpoint_is_none_for_another(tmp_path: Any) -> None:
    app = an_app(tmp_path, tenants=a_tenant_file(tmp_path / "tenants", service_ids="per-hook")).test_client()
    own = f"{SERVICE}-order-select"
    assert app.post(own, json=a_request(), headers=a_token()).status_code == 401
    assert app.post(SERVICE, json=a_request(), headers=a_token(own)).status_code == 401


@pytest.mark.parametrize("origin", ["http://localhost:8080", "http://127.0.0.1:8080", "https://sandbox.cds-hooks.org"])
def test_a_sandbox_on_this_machine_may_call_by_either_name_of_it(demo: Flask, origin: str) -> None:
    answer = demo.test_client().options(f"{SERVICE}-order-select", headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] == origin

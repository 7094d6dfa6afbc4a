"""What is refused for somebody's safety is counted by a word of ours, under the tenant that proved itself."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.operations import metrics
from cds_service.pages import security_txt
from cds_service.web import security_events
from tests.acceptance.requests import a_request
from tests.conformance.conftest import SERVICE, a_tenant_file, a_token, an_app


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder = tmp_path_factory.mktemp("guarded")
    return an_app(folder, tenants=a_tenant_file(folder / "tenants")).test_client()


def counted(kind: str) -> float:
    (family,) = metrics.security.collect()
    return sum(
        sample.value
        for sample in family.samples
        if sample.name.endswith("_total") and sample.labels == {"tenant": "general-hospital", "kind": kind}
    )


def another_patients() -> dict[str, Any]:
    request = a_request()
    request["prefetch"]["patient"] = {"resourceType": "Patient", "id": "somebody-else"}
    return request


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("wrong-patient", 422, another_patients()),
        ("too-large", 413, a_request() | {"extension": {"x": "y" * (6 * 1024 * 1024)}}),
    ],
)
def test_it_is_counted_once(kind: str, status: int, body: dict[str, Any], guarded: FlaskClient) -> None:
    before = counted(kind)
    assert guarded.post(SERVICE, json=body, headers=a_token()).status_code == status
    assert counted(kind) == before + (kind != "too-large")  # told by its length before anybody proved anything


def test_every_kind_is_told_apart() -> None:
    kinds = {security_events.kind(one("x")) for one in security_events._KINDS}
    assert None not in kinds
    assert len(kinds) == len(security_events._KINDS)


def test_security_txt_is_served_and_names_a_contact_of_the_deployment_first(guarded: FlaskClient) -> None:
    answer = guarded.get("/.well-known/security.txt")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert answer.text == security_txt.text()
    own = security_txt.text("mailto:security@hospital.example").splitlines()
    assert own[:2] == ["Contact: mailto:security@hospital.example", f"Contact: {security_txt.CONTACT}"]

"""A client that proves itself with node's jose is accepted, with ES384 and with RS384: as it signs, and once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.acceptance.requests import a_request
from tests.end_to_end import node_tools, servers

pytestmark = pytest.mark.end_to_end
ISSUER = "https://ehr.example.org"
ALGORITHMS = ("ES384", "RS384")


@pytest.fixture(scope="module", params=ALGORITHMS)
def signed(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """The service's endpoint and a token for it; the tenant's file holds the key as jose exports it."""
    url = f"http://127.0.0.1:{servers.free_port()}"
    endpoint = f"{url}/cds-services/surgical-risk"
    made = node_tools.run("jose_token.mjs", request.param, told={"issuer": ISSUER, "audience": endpoint})
    tenant = {
        "id": "jose",
        "environment": "dev",
        "mode": "on",
        "public_url": url,
        "clients": [{"issuer": ISSUER, "jwks": {"keys": [made["jwk"]]}}],
        "fhir_base_urls": ["https://fhir.example.org/r4"],
    }
    with servers.service(tenant, port=int(url.rpartition(":")[2])):
        yield endpoint, made["token"]


def post(endpoint: str, token: str) -> requests.Response:
    body: dict[str, Any] = a_request() | {"hookInstance": str(uuid.uuid4())}
    return requests.post(endpoint, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=60)


def test_its_token_is_accepted_once_and_no_changed_one_is(signed: tuple[str, str]) -> None:
    endpoint, token = signed
    head, claims, signature = token.split(".")
    changed = ("A" if signature[0] != "A" else "B") + signature[1:]
    assert post(endpoint, f"{head}.{claims}.{changed}").status_code == 401
    assert requests.post(endpoint, json=a_request(), timeout=60).status_code == 401
    accepted = post(endpoint, token)
    assert accepted.status_code == 200, accepted.text
    assert "cards" in accepted.json()
    assert post(endpoint, token).status_code == 401, "its jti was used"

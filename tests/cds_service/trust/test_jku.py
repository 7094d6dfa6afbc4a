"""A `jku` in a token: beside inline keys it says nothing, against a JWKS URL it is that URL (DEC-44)."""

import pytest

from cds_service.trust.outbound import Door
from tests.cds_service.trust.signing import ISSUER, a_client, a_tenant, token
from tests.cds_service.trust.test_client_jwt import refused, verify

JKUS = ["https://sandbox.cds-hooks.org/.well-known/jwks.json", "http://169.254.169.254/", "", 7, ["https://x.example"]]


def nothing_is_fetched(*_, **__):
    raise AssertionError("a key was fetched")


@pytest.mark.parametrize("jku", JKUS)
def test_J_08_a_jku_beside_inline_keys_is_ignored_and_never_fetched(jku, monkeypatch):
    """The public sandbox sends one whatever keys its tenant file holds: those are pinned and prove the token."""
    monkeypatch.setattr(Door, "get", nothing_is_fetched)
    assert verify(f"Bearer {token(header={'jku': jku})}").issuer == ISSUER
    assert refused(f"Bearer {token(number=1, header={'jku': jku})}") == "signature"
    assert refused(f"Bearer {token(header={'jku': jku, 'kid': 'another'})}") == "key"


@pytest.mark.parametrize("jku", JKUS)
def test_J_08_against_a_jwks_url_the_jku_is_that_url_or_nothing_is_fetched(jku, monkeypatch):
    monkeypatch.setattr(Door, "get", nothing_is_fetched)
    tenant = a_tenant(a_client(jwks=None, jwks_url="https://ehr.example.org/jwks.json"))
    assert refused(f"Bearer {token(header={'jku': jku})}", tenant) == "jku"

"""Only an id_token that the EHR signed for this sign-in names who opened the profile."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwk, jwt

from cds_service.smart import identity
from cds_service.smart.identity import ExpectedIdentity, IdentityError

NOW = 1_790_000_000
KEY = jwk.ECKey.generate_key("P-256", {"kid": "k1"})
OTHER = jwk.ECKey.generate_key("P-256", {"kid": "k1"})
KEYS = {"keys": [KEY.as_dict(private=False)]}
EXPECTED = ExpectedIdentity("https://ehr.example.org", "surgical-risk", "n-1")


def token(key: Any = KEY, **claims: Any) -> str:
    told = {
        "iss": EXPECTED.issuer, "aud": EXPECTED.client_id, "nonce": EXPECTED.nonce, "iat": NOW, "exp": NOW + 300,
        "sub": "u1", "fhirUser": "Practitioner/p1",
    }  # fmt: skip
    kept = {name: value for name, value in {**told, **claims}.items() if value is not None}
    return jwt.encode({"alg": "ES256", "kid": "k1"}, kept, key)


def test_a_right_token_names_the_user() -> None:
    assert identity.user(token(), KEYS, EXPECTED, now=NOW) == "Practitioner/p1"


@pytest.mark.parametrize(
    ("wrong", "claims"),
    [
        ("another issuer", {"iss": "https://elsewhere.example.org"}),
        ("another app", {"aud": "another-app"}),
        ("another sign-in", {"nonce": "n-2"}),
        ("no nonce", {"nonce": None}),
        ("over", {"exp": NOW - 3600}),
        ("without an end", {"exp": None}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(wrong: str, claims: dict[str, Any]) -> None:
    with pytest.raises(IdentityError):
        identity.user(token(**claims), KEYS, EXPECTED, now=NOW)


def test_a_token_signed_by_somebody_else_is_refused() -> None:
    with pytest.raises(IdentityError):
        identity.user(token(OTHER), KEYS, EXPECTED, now=NOW)


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_signed_token_is_refused(text: str) -> None:
    with pytest.raises(IdentityError):
        identity.user(text, KEYS, EXPECTED, now=NOW)


@pytest.mark.parametrize("keys", [{}, {"keys": []}, {"keys": "none"}, {"keys": [{"kty": "?"}]}])
def test_keys_that_cannot_be_read_prove_nothing(keys: dict[str, Any]) -> None:
    with pytest.raises(IdentityError):
        identity.user(token(), keys, EXPECTED, now=NOW)


@pytest.mark.parametrize(
    ("claim", "reference"),
    [
        ("Practitioner/p1", "Practitioner/p1"),
        ("https://ehr.example.org/fhir/PractitionerRole/r-2", "PractitionerRole/r-2"),
        ("https://ehr.example.org/fhir/Patient/7", "Patient/7"),
        ("Device/d1", None),
        ("Practitioner/<script>", None),
        (7, None),
        (None, None),
    ],
)
def test_the_claim_may_be_an_absolute_url(claim: object, reference: str | None) -> None:
    assert identity.reference(claim) == reference

"""Who opened the profile: the id_token of OpenID Connect, verified, and the FHIR resource that it names (fhirUser)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from joserfc import jwk, jwt
from joserfc.errors import JoseError

ALGORITHMS = ("RS256", "RS384", "ES256", "ES384")
_LEEWAY_S = 60
# SMART App Launch 2.2, "Scopes for requesting identity data": Patient, Practitioner, PractitionerRole, RelatedPerson,
# Person; the claim may be an absolute URL.
_USER = re.compile(
    r"(?:.*/)?((?:Practitioner|PractitionerRole|Patient|RelatedPerson|Person)/[A-Za-z0-9.-]{1,64})", re.A
)


class IdentityError(Exception):
    """The id_token is not one that this server signed for this sign-in."""


class ExpectedIdentity(msgspec.Struct, frozen=True):
    """What an id_token has to say: who signed it, for which client, in answer to which question."""

    issuer: str
    client_id: str
    nonce: str


def user(id_token: str, keys: Mapping[str, Any], expected: ExpectedIdentity, *, now: float) -> str | None:
    """`Practitioner/id` and the like; None where the token names nobody. Raises IdentityError.

    OpenID Connect Core 1.0, 3.1.3.7; `keys` is the server's JWKS, `now` in seconds of the epoch.
    """
    try:
        signed = jwt.decode(id_token, jwk.KeySet.import_key_set(dict(keys)), algorithms=list(ALGORITHMS))  # type: ignore[arg-type]
        rules = jwt.JWTClaimsRegistry(
            now=int(now),
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": expected.issuer},
            aud={"essential": True, "value": expected.client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": expected.nonce},
        )
        rules.validate(signed.claims)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise IdentityError(type(error).__name__) from error
    return reference(signed.claims.get("fhirUser") or signed.claims.get("profile"))


def reference(claim: object) -> str | None:
    """`Type/id` of a claim that may be an absolute URL; None where it is no FHIR user."""
    found = _USER.fullmatch(claim) if isinstance(claim, str) else None
    return found[1] if found else None

"""A CDS Client's keys and the tokens it signs, right unless a test says otherwise."""

from __future__ import annotations

import functools
import json
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from cds_service.tenants.tenant import Client, Jwks, Tenant

NOW = 1_800_000_000.0
ISSUER = "https://ehr.example.org"
PUBLIC_URL = "https://risk.example.org"
SERVICE = f"{PUBLIC_URL}/cds-services/surgical-risk"
PrivateKey = Any


def key(kind: str = "ES384", number: int = 0) -> PrivateKey:
    """A private key of this kind; the same number is the same key."""
    return _generated(kind, number)


@functools.cache
def _generated(kind: str, _number: int) -> PrivateKey:
    if kind.startswith("ES"):
        return ec.generate_private_key(ec.SECP384R1() if kind == "ES384" else ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=1024 if kind == "weak" else 2048)


def public(kind: str = "ES384", number: int = 0, **members: object) -> dict[str, Any]:
    """The key's public half as a JWK, with `kid` "key-<kind>"."""
    algorithm = ECAlgorithm if kind.startswith("ES") else RSAAlgorithm
    jwk = json.loads(algorithm.to_jwk(key(kind, number).public_key()))
    return {**jwk, "kid": f"key-{kind}", "use": "sig", **members}


def claims(**changes: object) -> dict[str, Any]:
    """The claims of a good token; a change to None leaves the claim out."""
    good = {"iss": ISSUER, "aud": SERVICE, "iat": NOW, "exp": NOW + 300, "jti": str(uuid.uuid4())}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def token(kind: str = "ES384", *, header: dict[str, Any] | None = None, number: int = 0, **changes: object) -> str:
    """A good token, signed by the client's key of this kind."""
    head = {"typ": "JWT", "kid": f"key-{kind}", **(header or {})}
    return jwt.encode(claims(**changes), key(kind, number), algorithm=kind, headers=head)


def a_client(*kinds: str, **members: Any) -> Client:
    """A client with its public keys in the file."""
    keys = tuple(public(kind) for kind in kinds or ("ES384", "RS384"))
    given = {"jwks": Jwks(keys=keys)} if "jwks_url" not in members and "jwks" not in members else {}
    return Client(**{"issuer": ISSUER, **given, **members})


def a_tenant(*clients: Client, **members: Any) -> Tenant:
    """A production tenant of this client."""
    return Tenant(
        **{
            "id": "general-hospital",
            "environment": "production",
            "public_url": PUBLIC_URL,
            "clients": clients or (a_client(),),
            **members,
        }
    )


class UsedInMemory:
    """The token ids of one process: what a single worker without a database would remember."""

    def __init__(self) -> None:
        self._used: set[tuple[str, str, str]] = set()

    def first_use(self, tenant_id: str, issuer: str, jti: str, *, expires_at: float, now: float) -> bool:
        first = (tenant_id, issuer, jti) not in self._used
        self._used.add((tenant_id, issuer, jti))
        return first

"""A client's key and its JWTs (CDS Hooks 2.0.1), as an EHR makes them, for tests of a tenant outside production."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from joserfc import jwk, jwt
from joserfc.errors import JoseError

# CDS Hooks 2.0.1, "Trusting CDS Clients": ES384 and RS384 are the algorithms that everybody should know.
Signing = Literal["ES384", "RS384"]
LIFETIME_S = 300
MIN_RSA_BITS = 2048
_MOST_BYTES = 64 * 1024


class ClientTokenError(Exception):
    """No key or no token can be had; the message says why, and holds nothing of a key."""


class Signer(msgspec.Struct, frozen=True):
    """A private key, its id and the one algorithm that it is for."""

    key: jwk.Key
    kid: str
    algorithm: Signing

    @property
    def public(self) -> dict[str, Any]:
        """What the tenant's file says of it."""
        shown = {**self.key.as_dict(private=False), "kid": self.kid, "alg": self.algorithm, "use": "sig"}
        return {name: shown[name] for name in sorted(shown)}


def new_key(path: Path, algorithm: Signing) -> Signer:
    """A key in a new file that only its owner may read; a file that is there already stays as it is."""
    made: jwk.Key = jwk.ECKey.generate_key("P-384") if algorithm == "ES384" else jwk.RSAKey.generate_key(MIN_RSA_BITS)
    signer = Signer(made, made.thumbprint(), algorithm)
    written = {**made.as_dict(private=True), "kid": signer.kid, "alg": algorithm, "use": "sig"}
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ClientTokenError(f"{path}: is there already; a key is never written over") from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(written, file)
    return signer


def read_key(path: Path) -> Signer:
    """The private JWK of a file. Raises ClientTokenError for whatever can sign neither ES384 nor RS384."""
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    try:
        written = json.loads(content) if len(content) <= _MOST_BYTES else None
        if not isinstance(written, dict) or written.get("kty") not in ("EC", "RSA"):
            raise ClientTokenError(f"{path}: is no JWK of an EC or RSA key")
        key = jwk.import_key(written)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ClientTokenError(f"{path}: is no JWK that can be read") from error
    if not key.is_private:
        raise ClientTokenError(f"{path}: is a public key; the private one signs")
    algorithm = _algorithm(key)
    if algorithm is None or written.get("alg", algorithm) != algorithm:
        raise ClientTokenError(f"{path}: is for neither ES384 (EC, P-384) nor RS384 (RSA, {MIN_RSA_BITS} bits or more)")
    kid = written.get("kid")
    return Signer(key, kid if isinstance(kid, str) and kid else key.thumbprint(), algorithm)


def _algorithm(key: jwk.Key) -> Signing | None:
    if isinstance(key, jwk.ECKey):
        return "ES384" if key.curve_name == "P-384" else None
    raw = key.raw_value
    return "RS384" if isinstance(raw, RSAPrivateKey) and raw.key_size >= MIN_RSA_BITS else None


def signed(signer: Signer, claims: dict[str, str], *, now: float, lifetime_s: int = LIFETIME_S) -> str:
    """A token with these claims (`iss`, `aud`, and `tenant` or `sub` where the client has them), good once."""
    issued = int(now)
    times = {"iat": issued, "exp": issued + min(lifetime_s, LIFETIME_S), "jti": str(uuid.uuid4())}
    header = {"alg": signer.algorithm, "kid": signer.kid, "typ": "JWT"}
    return jwt.encode(header, {**claims, **times}, signer.key, algorithms=list(get_args(Signing)))

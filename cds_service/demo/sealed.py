"""What the demo EHR writes into its launches, codes and tokens, all of it sealed, and how its store reads a token."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Response, request
from joserfc import jwk

from cds_service.hooks.context import decode, is_fhir_id
from cds_service.trust.errors import BadRequest
from cds_service.trust.seal import Seal

LAUNCH_S, CODE_S, TOKEN_S = 600, 60, 600


class Launch(msgspec.Struct, frozen=True):
    """Which patient is open, and what the card's link had to say."""

    patient: str
    app_context: str | None = None


class _Context(msgspec.Struct):
    patient: str
    appContext: str | None = None


class _LaunchAsked(msgspec.Struct):
    launchUrl: str
    parameters: _Context


_asked = msgspec.json.Decoder(_LaunchAsked)


def asked_for(body: bytes, *, launch_url: str) -> Launch:
    """The launch that an EHR's client asks its FHIR server for before it opens a card's SMART link.

    No standard has it: the CDS Hooks sandbox asks so. Raises BadRequest for another app than ours and for no patient.
    """
    asked = decode(_asked, body, BadRequest, "No launch was asked for")
    if asked.launchUrl != launch_url:
        raise BadRequest("No launch for this app.", diagnostics=f"launchUrl: {launch_url}")
    if not is_fhir_id(asked.parameters.patient):
        raise BadRequest("No launch without a patient.", diagnostics="parameters.patient")
    return Launch(asked.parameters.patient, asked.parameters.appContext or None)


class SealedCode(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for and by whom it was allowed, in the form that Authlib asks."""

    redirect_uri: str = ""
    scope: str = ""
    code_challenge: str = ""
    code_challenge_method: str = ""
    nonce: str = ""
    person: str = ""
    launch: Launch = Launch("")

    def get_redirect_uri(self) -> str:
        """As it was asked for."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """As it was asked for."""
        return self.scope


class Token(msgspec.Struct, frozen=True):
    """For whose data it holds."""

    patient: str


def guard(seal: Seal) -> Callable[[], Response | None]:
    """What the store does with a token: none is needed, but one that is shown has to hold, and for this patient."""

    def refused() -> Response | None:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        token = seal.open("demo-token", value, Token, seconds=TOKEN_S)
        named = request.args.get("patient") or (request.path.rpartition("/")[2] if "/Patient/" in request.path else "")
        if token is None or scheme.lower() != "bearer":
            return Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        return None if named.rpartition("/")[2] in ("", token.patient) else Response(status=403)

    return refused


def signing_key(secret: bytes) -> Any:
    """The key that signs who somebody is: the same in every worker that has the secret."""
    number = int.from_bytes(hashlib.sha256(b"demo sign-in" + secret).digest()) >> 1
    private = ec.derive_private_key(number, ec.SECP256R1()).private_numbers()
    size = {name: getattr(private.public_numbers, name).to_bytes(32) for name in ("x", "y")}
    encoded = {name: _base64url(value) for name, value in (*size.items(), ("d", private.private_value.to_bytes(32)))}
    return jwk.ECKey.import_key({"kty": "EC", "crv": "P-256", "kid": "demo", "use": "sig", **encoded})


def _base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()

"""SMART App Launch 2: discovery, authorization request with PKCE, and the code for a token; through Authlib."""

from __future__ import annotations

from typing import Any

import msgspec
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from cds_service.tenant import Tenant
from cds_service.trust import egress
from cds_service.trust.secret import Secret

# Read only, and only what the estimate reads (R-D15).
READ = ("Patient", "Condition", "Observation", "MedicationRequest", "Procedure", "Encounter", "ServiceRequest")
SCOPE = " ".join(["launch", *(f"patient/{name}.rs" for name in READ)])
_TIMEOUT_S = 10.0


class LaunchError(Exception):
    """The launch cannot go on; the message tells the person what to do, and holds nothing of a patient."""


class Endpoints(msgspec.Struct, frozen=True):
    """Where the EHR authorizes, as its own discovery document says."""

    authorize: str
    token: str


class Pending(msgspec.Struct, frozen=True):
    """What the browser keeps between the two steps: which server was asked, and the secrets of the question."""

    issuer: str
    state: str
    verifier: str


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """What the EHR granted: a token for one patient, and what the card's link had to say."""

    issuer: str
    token: Secret
    patient_id: str
    encounter_id: str | None = None
    app_context: str | None = None
    expires_in_s: int | None = None


def discover(issuer: str, tenant: Tenant) -> Endpoints:
    """The endpoints of a FHIR server that this tenant lists. Raises LaunchError."""
    if egress.allowed(issuer, tenant) is None:
        raise LaunchError("This hospital has not listed the FHIR server that asked for the launch.")
    url = f"{issuer.rstrip('/')}/.well-known/smart-configuration"
    try:
        with egress.smart_session(tenant) as session:
            answer = session.get(url, headers={"Accept": "application/json"}, timeout=_TIMEOUT_S)
            document = answer.json() if answer.status_code == 200 else {}
    except (OSError, ValueError) as error:
        raise LaunchError("The EHR's sign-in service did not answer. Please try again.") from error
    return _endpoints(document)


def _endpoints(document: Any) -> Endpoints:
    found = document if isinstance(document, dict) else {}
    authorize, token = found.get("authorization_endpoint"), found.get("token_endpoint")
    if not isinstance(authorize, str) or not isinstance(token, str):
        raise LaunchError("The EHR does not tell where to sign in (SMART configuration).")
    if "S256" not in found.get("code_challenge_methods_supported", ()):
        raise LaunchError("The EHR does not offer PKCE with S256, which SMART App Launch 2 requires.")
    return Endpoints(authorize, token)


def begin(issuer: str, launch: str, tenant: Tenant) -> tuple[str, Pending]:
    """The URL at which the EHR asks its user, and what to keep until it answers. Raises LaunchError."""
    endpoints = discover(issuer, tenant)
    verifier = generate_token(64)
    with _client(tenant) as client:
        url, state = client.create_authorization_url(
            endpoints.authorize, code_verifier=verifier, aud=issuer, launch=launch
        )
    return url, Pending(issuer, state, verifier)


def finish(pending: Pending, code: str, tenant: Tenant) -> Granted:
    """The token for the code; the code works once. Raises LaunchError."""
    endpoints = discover(pending.issuer, tenant)
    try:
        with _client(tenant) as client:
            token = client.fetch_token(endpoints.token, code=code, code_verifier=pending.verifier, timeout=_TIMEOUT_S)
    except (OAuthError, OSError, ValueError) as error:
        raise LaunchError(
            "The EHR did not confirm the sign-in. Please open the profile from the card again."
        ) from error
    patient = token.get("patient")
    if not isinstance(patient, str) or not patient:
        raise LaunchError("The EHR did not say which patient is open.")
    return Granted(
        issuer=pending.issuer,
        token=Secret(token["access_token"]),
        patient_id=patient,
        encounter_id=token.get("encounter"),
        app_context=token.get("appContext"),
        expires_in_s=token.get("expires_in"),
    )


def redirect_uri(tenant: Tenant) -> str:
    """Where the EHR sends its user back to, as registered."""
    return f"{tenant.public_url.rstrip('/')}/smart/callback"


def _client(tenant: Tenant) -> OAuth2Session:
    """Authlib's client, with no way out but the tenant's own doors."""
    client = OAuth2Session(
        client_id=tenant.smart.client_id,
        token_endpoint_auth_method="none",  # noqa: S106 — a public client has no secret
        redirect_uri=redirect_uri(tenant),
        scope=SCOPE,
        code_challenge_method="S256",
    )
    doors = egress.smart_session(tenant)
    client.trust_env, client.verify, client.max_redirects = False, doors.verify, 0
    for scheme in ("https://", "http://"):
        client.mount(scheme, doors.get_adapter(scheme))
    return client

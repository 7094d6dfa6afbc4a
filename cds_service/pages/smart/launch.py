"""SMART App Launch 2: discovery, authorization request with PKCE, and the code for a token; through Authlib."""

from __future__ import annotations

from typing import Any

import msgspec
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from cds_service.pages.smart import identity
from cds_service.tenant import Tenant
from cds_service.trust import egress
from cds_service.trust.secret import Secret

# Read only, and only what the estimate reads (R-D15); who reads it where the EHR offers to tell.
READ = (
    "Patient", "Condition", "Observation", "MedicationRequest", "Procedure", "Encounter", "DiagnosticReport",
    "ServiceRequest",
)  # fmt: skip
SCOPES = ("launch", *(f"patient/{name}.rs" for name in READ))
IDENTITY_SCOPES = ("openid", "fhirUser")
_TIMEOUT_S = 10.0
_UNCONFIRMED = "The EHR did not confirm the sign-in. Please open the profile from the card again."


class LaunchError(Exception):
    """The launch cannot go on; the message tells the person what to do, and holds nothing of a patient.

    `why`: one word for the log.
    """

    def __init__(self, text: str, why: str = "unconfirmed") -> None:
        super().__init__(text)
        self.why = why


class Endpoints(msgspec.Struct, frozen=True):
    """Where the EHR authorizes and how it names itself, as its own discovery document says.

    `keys`: where its public keys are; empty where it does not say who signed in. `answers_name_issuer`: it promises to
    name itself in every answer (RFC 9207).
    """

    authorize: str
    token: str
    issuer: str = ""
    keys: str = ""
    answers_name_issuer: bool = False

    @property
    def scopes(self) -> str:
        """What is asked of it: who signed in only where it has keys to prove it."""
        return " ".join((*SCOPES, *IDENTITY_SCOPES) if self.keys else SCOPES)


class Pending(msgspec.Struct, frozen=True):
    """What the browser keeps between the two steps: for which tenant which server was asked, and the secrets of it.

    `issuer` is the FHIR server; `signs_in`: how its authorization server names itself, `names_itself`: in every answer.
    """

    tenant_id: str
    issuer: str
    state: str
    verifier: str
    nonce: str
    signs_in: str = ""
    names_itself: bool = False


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """What the EHR granted: a token for one patient, who opened it, and what the card's link had to say.

    `user`: `Practitioner/id` and the like; None where the EHR does not tell.
    """

    issuer: str
    token: Secret
    patient_id: str
    user: str | None = None
    encounter_id: str | None = None
    app_context: str | None = None
    expires_in_s: int | None = None


def discover(issuer: str, tenant: Tenant) -> Endpoints:
    """The endpoints of a FHIR server that this tenant lists. Raises LaunchError."""
    if egress.allowed(issuer, tenant) is None:
        raise LaunchError("This hospital has not listed the FHIR server that asked for the launch.", "not-listed")
    return endpoints(_document(f"{issuer.rstrip('/')}/.well-known/smart-configuration", tenant))


def _document(url: str, tenant: Tenant) -> dict[str, Any]:
    """A JSON object of the EHR's; empty where it answers with something else. Raises LaunchError."""
    try:
        with egress.smart_session(tenant) as session:
            answer = session.get(url, headers={"Accept": "application/json"}, timeout=_TIMEOUT_S)
            document = answer.json() if answer.status_code == 200 else {}
    except (OSError, ValueError) as error:
        raise LaunchError("The EHR's sign-in service did not answer. Please try again.", "no-answer") from error
    return document if isinstance(document, dict) else {}


def endpoints(found: dict[str, Any]) -> Endpoints:
    """The endpoints of a discovery document. Raises LaunchError where it lacks what SMART App Launch 2 requires."""
    authorize, token = found.get("authorization_endpoint"), found.get("token_endpoint")
    if not isinstance(authorize, str) or not isinstance(token, str):
        raise LaunchError("The EHR does not tell where to sign in (SMART configuration).", "configuration")
    if "S256" not in found.get("code_challenge_methods_supported", ()):
        raise LaunchError("The EHR does not offer PKCE with S256, which SMART App Launch 2 requires.", "configuration")
    tells_user = "sso-openid-connect" in found.get("capabilities", ())
    issuer, keys = found.get("issuer"), found.get("jwks_uri")
    known = issuer if isinstance(issuer, str) else ""
    proves = keys if tells_user and known and isinstance(keys, str) else ""
    named = found.get("authorization_response_iss_parameter_supported") is True
    return Endpoints(authorize, token, known, proves, named)


def begin(issuer: str, launch: str, tenant: Tenant) -> tuple[str, Pending]:
    """The URL at which the EHR asks its user, and what to keep until it answers. Raises LaunchError."""
    endpoints = discover(issuer, tenant)
    verifier, nonce = generate_token(64), generate_token(32)
    asked = {"nonce": nonce} if endpoints.keys else {}
    with _client(tenant, endpoints) as client:
        url, state = client.create_authorization_url(
            endpoints.authorize, code_verifier=verifier, aud=issuer, launch=launch, **asked
        )
    named = endpoints.answers_name_issuer
    return url, Pending(tenant.id, issuer, state, verifier, nonce, endpoints.issuer, named)


def check_sender(pending: Pending, iss: str | None) -> None:
    """Whether the answer came from the server that was asked (RFC 9207, 2.4: mix-up attack). Raises LaunchError.

    A server that does not promise `iss` may leave it out; one that sends it, and says who it is, has to be that one.
    """
    if iss is None and not pending.names_itself:
        return
    if iss != pending.signs_in and (pending.names_itself or pending.signs_in):
        raise LaunchError(_UNCONFIRMED, "another-issuer")


def finish(pending: Pending, code: str, tenant: Tenant, *, now: float) -> Granted:
    """The token for the code; the code works once. `now`: seconds of the epoch. Raises LaunchError."""
    endpoints = discover(pending.issuer, tenant)
    try:
        with _client(tenant, endpoints) as client:
            token = client.fetch_token(endpoints.token, code=code, code_verifier=pending.verifier, timeout=_TIMEOUT_S)
    except (OAuthError, OSError, ValueError) as error:
        raise LaunchError(_UNCONFIRMED) from error
    patient, value = token.get("patient"), token.get("access_token")
    if not isinstance(value, str) or not value:
        raise LaunchError(_UNCONFIRMED)
    if not isinstance(patient, str) or not patient:
        raise LaunchError("The EHR did not say which patient is open.", "no-patient")
    return Granted(
        issuer=pending.issuer,
        token=Secret(value),
        patient_id=patient,
        user=_user(token.get("id_token"), endpoints, pending, tenant, now),
        encounter_id=token.get("encounter"),
        app_context=token.get("appContext"),
        expires_in_s=token.get("expires_in"),
    )


def _user(id_token: object, endpoints: Endpoints, pending: Pending, tenant: Tenant, now: float) -> str | None:
    """Who signed in, where the EHR tells; what it tells and cannot prove ends the launch."""
    if not isinstance(id_token, str) or not endpoints.keys:
        return None
    expected = identity.Expected(endpoints.issuer, tenant.smart.client_id, pending.nonce)
    try:
        return identity.user(id_token, _document(endpoints.keys, tenant), expected, now=now)
    except identity.IdentityError as error:
        raise LaunchError(_UNCONFIRMED) from error


def redirect_uri(tenant: Tenant) -> str:
    """Where the EHR sends its user back to, as registered."""
    return f"{tenant.public_url.rstrip('/')}/smart/callback"


def _client(tenant: Tenant, endpoints: Endpoints) -> OAuth2Session:
    """Authlib's client, with no way out but the tenant's own doors."""
    client = OAuth2Session(
        client_id=tenant.smart.client_id,
        token_endpoint_auth_method="none",  # noqa: S106 — a public client has no secret
        redirect_uri=redirect_uri(tenant),
        scope=endpoints.scopes,
        code_challenge_method="S256",
    )
    doors = egress.smart_session(tenant)
    client.trust_env, client.verify, client.max_redirects = False, doors.verify, 0
    for scheme in ("https://", "http://"):
        client.mount(scheme, doors.get_adapter(scheme))
    return client

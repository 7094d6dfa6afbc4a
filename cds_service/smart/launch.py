"""SMART App Launch 2: discovery, authorization request with PKCE (worded by Authlib), and the code for a token."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Literal

import msgspec
from authlib.common.security import generate_token
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from cds_service.smart import identity
from cds_service.smart.faults import EhrError, LaunchError
from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants.tenant import Tenant
from cds_service.trust import egress
from cds_service.trust.outbound import OutboundError
from cds_service.trust.secret import Secret

# Read only, and only what the estimate reads (R-D15); who reads it where the EHR offers to tell.
READ = (
    "Patient", "Condition", "Observation", "MedicationRequest", "Procedure", "Encounter", "DiagnosticReport",
    "ServiceRequest",
)  # fmt: skip
SCOPES = ("launch", *(f"patient/{name}.rs" for name in READ))
IDENTITY_SCOPES = ("openid", "fhirUser")
# All that is asked of the EHR at each of the two steps, whatever it sends and however slowly.
BEGIN_S = 2.0
FINISH_S = 2.0
MOST_DOCUMENT_BYTES = 256 * 1024
Step = Literal["discovery", "token", "keys"]
_JSON = {"Accept": "application/json"}


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

    `user`: `Practitioner/id` and the like; None where the EHR does not tell. `needs_banner`: unless it says that it
    shows whose page it is (`need_patient_banner: false`), the page has to.
    """

    issuer: str
    token: Secret
    patient_id: str
    user: str | None = None
    encounter_id: str | None = None
    app_context: str | None = None
    expires_in_s: int | None = None
    needs_banner: bool = True


def discover(issuer: str, site: TenantRuntime, until: float) -> Endpoints:
    """The endpoints of a FHIR server that this tenant lists, before `until` (monotonic). Raises LaunchError."""
    if egress.allowed(issuer, site.tenant) is None:
        raise LaunchError("not-listed")
    return endpoints(_document(f"{issuer.rstrip('/')}/.well-known/smart-configuration", "discovery", site, until))


def _document(url: str, step: Step, site: TenantRuntime, until: float) -> dict[str, Any]:
    """A JSON object of the EHR's. Raises LaunchError, EhrError with its own word for each way to fail."""
    with _faults(step):
        reply = site.sign_in.get(url, until=until, at_most_bytes=MOST_DOCUMENT_BYTES, headers=_JSON)
    if reply.status != HTTPStatus.OK:
        raise EhrError(f"{step}-status")
    return _object(reply.body, step)


@contextlib.contextmanager
def _faults(step: Step) -> Iterator[None]:
    """What keeps a call from being answered: our own egress rule, or the server."""
    try:
        yield
    except OutboundError as error:
        if error.why == "refused":
            raise LaunchError("egress-rule") from error
        raise EhrError(f"{step}-unreachable") from error


def _object(body: bytes, step: Step) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise EhrError(f"{step}-unreadable") from error
    if not isinstance(document, dict):
        raise EhrError(f"{step}-unreadable")
    return document


def endpoints(found: dict[str, Any]) -> Endpoints:
    """The endpoints of a discovery document. Raises LaunchError where it lacks what SMART App Launch 2 requires."""
    authorize, token = found.get("authorization_endpoint"), found.get("token_endpoint")
    if not isinstance(authorize, str) or not isinstance(token, str):
        raise LaunchError("not-smart")
    if "S256" not in found.get("code_challenge_methods_supported", ()):
        raise LaunchError("no-pkce")
    tells_user = "sso-openid-connect" in found.get("capabilities", ())
    issuer, keys = found.get("issuer"), found.get("jwks_uri")
    known = issuer if isinstance(issuer, str) else ""
    proves = keys if tells_user and known and isinstance(keys, str) else ""
    named = found.get("authorization_response_iss_parameter_supported") is True
    return Endpoints(authorize, token, known, proves, named)


def begin(issuer: str, launch: str, site: TenantRuntime) -> tuple[str, Pending]:
    """The URL at which the EHR asks its user, and what to keep until it answers. Raises LaunchError."""
    endpoints = discover(issuer, site, time.monotonic() + BEGIN_S)
    tenant = site.tenant
    verifier, nonce, state = generate_token(64), generate_token(32), generate_token(30)
    asked = {"nonce": nonce} if endpoints.keys else {}
    try:
        url = prepare_grant_uri(
            endpoints.authorize,
            tenant.smart.client_id,
            "code",
            redirect_uri(tenant),
            scope=endpoints.scopes,
            state=state,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            aud=issuer,
            launch=launch,
            **asked,
        )
    except ValueError as error:
        raise EhrError("not-smart") from error
    named = endpoints.answers_name_issuer
    return url, Pending(tenant.id, issuer, state, verifier, nonce, endpoints.issuer, named)


def check_sender(pending: Pending, iss: str | None) -> None:
    """Whether the answer came from the server that was asked (RFC 9207, 2.4: mix-up attack). Raises LaunchError.

    A server that does not promise `iss` may leave it out; one that sends it, and says who it is, has to be that one.
    """
    if iss is None and not pending.names_itself:
        return
    if iss != pending.signs_in and (pending.names_itself or pending.signs_in):
        raise LaunchError("another-issuer")


def finish(pending: Pending, code: str, site: TenantRuntime, *, now: float) -> Granted:
    """The token for the code; the code works once. `now`: seconds of the epoch. Raises LaunchError."""
    until = time.monotonic() + FINISH_S
    endpoints = discover(pending.issuer, site, until)
    token = _token(endpoints, pending, code, site, until)
    patient, value = token.get("patient"), token.get("access_token")
    if not isinstance(value, str) or not value:
        raise LaunchError("no-token")
    if not isinstance(patient, str) or not patient:
        raise LaunchError("token-without-patient")
    told = {name: token.get(name) for name in ("encounter", "appContext", "expires_in")}
    return Granted(
        issuer=pending.issuer,
        token=Secret(value),
        patient_id=patient,
        user=_user(token.get("id_token"), endpoints, pending, site, now=now, until=until),
        encounter_id=told["encounter"] if isinstance(told["encounter"], str) else None,
        app_context=told["appContext"] if isinstance(told["appContext"], str) else None,
        expires_in_s=told["expires_in"] if isinstance(told["expires_in"], int) else None,
        needs_banner=token.get("need_patient_banner") is not False,
    )


def _token(endpoints: Endpoints, pending: Pending, code: str, site: TenantRuntime, until: float) -> dict[str, Any]:
    """What the token endpoint grants for the code (RFC 6749, 4.1.3, with PKCE). Raises LaunchError."""
    form = prepare_token_request(
        "authorization_code",
        redirect_uri=redirect_uri(site.tenant),
        code=code,
        code_verifier=pending.verifier,
        client_id=site.tenant.smart.client_id,
    )
    headers = {**_JSON, "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"}
    with _faults("token"):
        reply = site.sign_in.post(
            endpoints.token, form.encode(), until=until, at_most_bytes=MOST_DOCUMENT_BYTES, headers=headers
        )
    granted = _object(reply.body, "token") if reply.status == HTTPStatus.OK else {"error": reply.status}
    if "error" in granted:
        raise LaunchError("code-refused")
    return granted


def _user(
    id_token: object, endpoints: Endpoints, pending: Pending, site: TenantRuntime, *, now: float, until: float
) -> str | None:
    """Who signed in, where the EHR tells; what it tells and cannot prove ends the launch."""
    if not isinstance(id_token, str) or not endpoints.keys:
        return None
    expected = identity.ExpectedIdentity(endpoints.issuer, site.tenant.smart.client_id, pending.nonce)
    try:
        return identity.user(id_token, _document(endpoints.keys, "keys", site, until), expected, now=now)
    except identity.IdentityError as error:
        raise LaunchError("identity-unproven") from error


def redirect_uri(tenant: Tenant) -> str:
    """Where the EHR sends its user back to, as registered."""
    return f"{tenant.public_url.rstrip('/')}/smart/callback"

"""The demo EHR's own sign-in: SMART App Launch 2 with PKCE and OpenID Connect, by Authlib, in front of the demo store.

Nothing is remembered between two steps: launch, code and token are sealed notes, so that any worker can go on.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter
from flask import Blueprint, Response, jsonify, redirect, request
from flask.blueprints import BlueprintSetupState
from joserfc import jwt

from cds_service.demo import sealed
from cds_service.demo.sealed import CODE_S, LAUNCH_S, TOKEN_S, Launch, SealedCode, Token
from cds_service.pages import layout
from cds_service.trust.seal import Seal

CLIENT_ID = "surgical-risk"
_THIS_MACHINE = {"127.0.0.1", "localhost"}
PEOPLE = {
    "surgeon": ("Practitioner/demo-surgeon", "Dr Ada Winter", "Surgeon"),
    "anaesthetist": ("Practitioner/demo-anaesthetist", "Dr Ben Osei", "Anaesthetist"),
    "nurse": ("Practitioner/demo-nurse", "Cleo Marsh", "Pre-operative nurse"),
    "patient": ("", "The patient", "Through a portal: is shown no estimate"),
}
# Whether a code is used for the first time, over all workers: its text, and until when it would hold.
FirstUse = Callable[[str, float], bool]


class SignInClient(ClientMixin):  # type: ignore[misc]
    """The one registered app: public, with PKCE and one redirect URI."""

    client_id = CLIENT_ID

    def __init__(self, redirect_uri: str) -> None:
        self._redirect_uri = redirect_uri

    def get_client_id(self) -> str:
        """As registered."""
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        """As registered."""
        return self._redirect_uri

    def get_allowed_scope(self, scope: str) -> str:
        """Whatever is asked for: everybody here is invented."""
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Only the registered one."""
        return redirect_uri == self._redirect_uri

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002
        """A public client proves itself by PKCE."""
        return method == "none"

    def check_response_type(self, response_type: str) -> bool:
        """Codes only."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Codes only."""
        return grant_type == "authorization_code"


def blueprint(public_url: str, seal: Seal, secret: bytes, first_use: FirstUse) -> Blueprint:
    """The launch that the workbench asks for, the sign-in page, and the endpoints that the risk profile calls."""
    base = public_url.rstrip("/")
    issuer, key = f"{base}/demo/fhir", sealed.signing_key(secret)
    pages = Blueprint("demo-sign-in", __name__, url_prefix="/demo")
    server = AuthorizationServer(query_client=_registered(base), save_token=lambda *_: None)
    server.register_grant(_grant(seal, first_use), [CodeChallenge(required=True)])
    server.register_extension(_names_itself(issuer))
    pages.record_once(lambda state: _start(server, state))
    _add_launches(pages, base, issuer, seal)

    @pages.get("/fhir/.well-known/smart-configuration")
    def configuration() -> Response:
        return jsonify(_configuration(base))

    @pages.get("/jwks.json")
    def keys() -> Response:
        return jsonify({"keys": [key.as_dict(private=False)]})

    @pages.get("/sign-in")
    def ask() -> Response:
        note = seal.open("demo-launch", request.args.get("launch", ""), Launch, seconds=LAUNCH_S)
        if note is None or not _is_the_store(request.args.get("aud", ""), issuer):
            return layout.html(
                "demo/sign_in.html", status=400, people={}, problem="This launch is over. Open it again from the card."
            )
        return layout.html("demo/sign_in.html", people=PEOPLE, problem="", patient=note.patient)

    @pages.post("/sign-in")
    def allow() -> Any:
        try:
            return server.create_authorization_response(
                grant_user=request.form.get("person", ""), grant=server.get_consent_grant(end_user="demo")
            )
        except OAuth2Error as error:
            return layout.html("demo/sign_in.html", status=400, people={}, problem=f"Refused: {error.error}.")

    @pages.post("/token")
    def token() -> Any:
        response = server.create_token_response()
        if response.status_code != 200:
            return response
        return jsonify(_granted(response.get_json(), request.form.get("code", ""), (issuer, key, seal)))

    return pages


def _add_launches(pages: Blueprint, base: str, issuer: str, seal: Seal) -> None:
    """The launch of the workbench's link, and the one that another EHR asks for before it opens a card's link."""

    @pages.post("/launch")
    def launch() -> Response:
        note = Launch(request.form.get("patient", ""), request.form.get("app_context") or None)
        asked = urlencode({"iss": issuer, "launch": seal.close("demo-launch", note)})
        return _to(f"{base}/smart/launch?{asked}")

    @pages.post("/fhir/_services/smart/Launch")
    def launch_of_a_link() -> Response:
        note = sealed.asked_for(request.get_data(), launch_url=f"{base}/smart/launch")
        return jsonify({"launch_id": seal.close("demo-launch", note)})


def _is_the_store(named: str, issuer: str) -> bool:
    """Whether an address is that of the demo store: its own, or with the other name of this machine."""
    try:
        ours, theirs = urlsplit(issuer), urlsplit(named.rstrip("/"))
        same = (ours.scheme, ours.port, ours.path) == (theirs.scheme, theirs.port, theirs.path)
    except ValueError:
        return False
    return same and (ours.hostname == theirs.hostname or {ours.hostname, theirs.hostname} <= _THIS_MACHINE)


def _grant(seal: Seal, first_use: FirstUse) -> type:
    """Authlib's grant with codes that carry what they stand for, each good once."""

    class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

        def generate_authorization_code(self) -> str:
            return seal.close("demo-code", _code(self.request.payload.data, self.request.user, seal))

        def save_authorization_code(self, code: str, request: Any) -> None:
            """The code carries it."""

        def query_authorization_code(self, code: str, client: SignInClient) -> SealedCode | None:  # noqa: ARG002
            unused = first_use(hashlib.sha256(code.encode()).hexdigest(), time.time() + CODE_S)
            return seal.open("demo-code", code, SealedCode, seconds=CODE_S) if unused else None

        def delete_authorization_code(self, authorization_code: SealedCode) -> None:
            """It was used when it was asked for."""

        def authenticate_user(self, authorization_code: SealedCode) -> str:
            return authorization_code.person

    return CodeGrant


def _names_itself(issuer: str) -> IssuerParameter:
    """RFC 9207: every answer to the app, refusals too, says who sent it."""

    class Named(IssuerParameter):  # type: ignore[misc]
        def get_issuer(self) -> str:
            return issuer

    return Named()


def _code(asked: Any, person: str, seal: Seal) -> SealedCode:
    launch = seal.open("demo-launch", asked.get("launch", ""), Launch, seconds=LAUNCH_S) or Launch("")
    return SealedCode(
        redirect_uri=asked.get("redirect_uri", ""),
        scope=asked.get("scope", ""),
        code_challenge=asked.get("code_challenge", ""),
        code_challenge_method=asked.get("code_challenge_method", ""),
        nonce=asked.get("nonce", ""),
        person=person,
        launch=launch,
    )


def _granted(body: dict[str, Any], code: str, by: tuple[str, Any, Seal]) -> dict[str, Any]:
    """The token response: the patient who is open, what the card's link said, and who signed in."""
    issuer, key, seal = by
    note = seal.open("demo-code", code, SealedCode, seconds=CODE_S + LAUNCH_S) or SealedCode()
    now, launched = int(time.time()), note.launch
    user = PEOPLE.get(note.person, PEOPLE["surgeon"])[0] or f"Patient/{launched.patient}"
    claims = {
        "iss": issuer, "aud": CLIENT_ID, "sub": note.person, "iat": now, "exp": now + TOKEN_S, "nonce": note.nonce,
        "fhirUser": f"{issuer}/{user}",
    }  # fmt: skip
    told = {
        "access_token": seal.close("demo-token", Token(launched.patient)),
        "expires_in": TOKEN_S,
        "patient": launched.patient,
        "id_token": jwt.encode({"alg": "ES256", "kid": "demo"}, claims, key),
    }
    return body | told | ({"appContext": launched.app_context} if launched.app_context else {})


def _configuration(base: str) -> dict[str, Any]:
    return {
        "issuer": f"{base}/demo/fhir",
        "jwks_uri": f"{base}/demo/jwks.json",
        "authorization_endpoint": f"{base}/demo/sign-in",
        "token_endpoint": f"{base}/demo/token",
        "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "capabilities": ["launch-ehr", "client-public", "context-ehr-patient", "sso-openid-connect", "permission-v2"],
    }


def _registered(base: str) -> Callable[[str], SignInClient | None]:
    client = SignInClient(f"{base}/smart/callback")
    return lambda asked: client if asked == CLIENT_ID else None


def _start(server: Any, state: BlueprintSetupState) -> None:
    server.init_app(state.app)


def _to(url: str) -> Response:
    response: Any = redirect(url, 303)
    return response  # type: ignore[no-any-return]

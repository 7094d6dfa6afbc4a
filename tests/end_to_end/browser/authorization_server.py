"""A SMART App Launch 2 authorization server (Authlib) in front of a FHIR server, which then wants its token.

A token opens one patient's record and the resource types of its scopes, until it is over; the app may only read.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests
from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask, Response, jsonify, request
from joserfc import jwk, jwt
from werkzeug.serving import make_server

from tests.end_to_end.servers import free_port


@dataclass
class Client(ClientMixin):
    """The one registered app: public, PKCE, one redirect URI."""

    client_id: str
    redirect: str

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return self.redirect

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "none"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code:
    """A code that was given out, once."""

    code: str
    redirect_uri: str
    scope: str
    launch: str
    code_challenge: str
    code_challenge_method: str
    nonce: str = ""
    user: str = "Practitioner/surgeon-7"

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


@dataclass
class Token:
    """A token and until when it holds."""

    scope: str
    until: float
    patient: str

    def get_scope(self) -> str:
        return self.scope

    def is_expired(self) -> bool:
        return time.time() > self.until

    def is_revoked(self) -> bool:
        return False

    def opens(self, path: str, patient: str) -> bool:
        """Whether a read of this path, about this patient, is within the scopes."""
        kind, _, resource_id = path.partition("/")
        about = resource_id if kind == "Patient" else patient.rpartition("/")[2]
        return f"patient/{kind}.rs" in self.scope.split() and about == self.patient


@dataclass
class Ehr:
    """What the EHR remembers: launches (which patient, which app context), codes, tokens, and who asked for what."""

    launches: dict[str, dict[str, Any]] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    tells_user: bool = True


def application(fhir: str, base: str, client: Client, ehr: Ehr) -> Flask:  # noqa: C901 — one route beside the other
    app = Flask("ehr")
    server = AuthorizationServer(
        app, query_client=lambda asked: client if asked == client.client_id else None, save_token=lambda *_: None
    )

    class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

        def save_authorization_code(self, code: str, asked: Any) -> None:
            form = asked.payload.data
            ehr.codes[code] = Code(
                code, form["redirect_uri"], form["scope"], form["launch"],
                form["code_challenge"], form["code_challenge_method"], form.get("nonce", ""),
            )  # fmt: skip

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            return ehr.codes.get(code)

        def delete_authorization_code(self, code: Code) -> None:
            ehr.codes.pop(code.code)

        def authenticate_user(self, code: Code) -> str:
            launched = ehr.launches[code.launch]
            self.server.launched, self.server.code = launched, code
            return code.user

    server.register_grant(CodeGrant, [CodeChallenge(required=True)])

    class Tokens(BearerTokenValidator):  # type: ignore[misc]
        def authenticate_token(self, token_string: str) -> Token | None:
            return ehr.tokens.get(token_string)

    protect = ResourceProtector()
    protect.register_token_validator(Tokens())

    key = jwk.ECKey.generate_key("P-384", {"kid": "ehr", "use": "sig"})

    @app.get("/jwks")
    def keys() -> Any:
        return {"keys": [key.as_dict(private=False)]}

    @app.get("/fhir/.well-known/smart-configuration")
    def configuration() -> Any:
        return {
            "issuer": f"{base}/fhir",
            "jwks_uri": f"{base}/jwks",
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "code_challenge_methods_supported": ["S256"],
            "capabilities": [
                "launch-ehr", "client-public", "context-ehr-patient", "permission-v2",
                *(["sso-openid-connect"] if ehr.tells_user else []),
            ],
        }  # fmt: skip

    @app.get("/authorize")
    def ask() -> str:
        if request.args.get("aud") != f"{base}/fhir" or request.args.get("launch") not in ehr.launches:
            ehr.refused.append("authorize")
            return "<h1>Unknown launch</h1>"
        return (
            '<html lang="en"><title>EHR</title><link rel="icon" href="data:,">'
            '<form method="post"><button>Allow</button></form></html>'
        )

    @app.post("/authorize")
    def allow() -> Any:
        grant = server.get_consent_grant(end_user="surgeon")
        return server.create_authorization_response(grant_user="surgeon", grant=grant)

    @app.post("/token")
    def token() -> Any:
        response = server.create_token_response()
        if response.status_code != 200:
            ehr.refused.append("token")
            return response
        body = response.get_json()
        launched = server.launched
        ehr.tokens[body["access_token"]] = Token(body["scope"], time.time() + body["expires_in"], launched["patient"])
        return jsonify({**body, **launched, **_identity(body["scope"], server.code, key, f"{base}/fhir", client)})

    @app.get("/fhir/<path:query>")
    @protect()
    def data(query: str) -> Response:
        if not current_token.opens(query, request.args.get("patient", "")):
            ehr.refused.append(query)
            return Response(status=403)
        ehr.read.append(query.partition("/")[0])
        answer = requests.get(f"{fhir}/{query}", params=request.args.to_dict(flat=False), timeout=30)
        # As a gateway does: links of the server behind it become links of its own.
        told = answer.content.replace(fhir.encode(), f"{base}/fhir".encode())
        return Response(told, status=answer.status_code, mimetype="application/fhir+json")

    return app


def _identity(scope: str, code: Code, key: Any, issuer: str, client: Client) -> dict[str, str]:
    if "openid" not in scope.split():
        return {}
    now = int(time.time())
    claims = {
        "iss": issuer, "aud": client.client_id, "sub": "surgeon-7", "iat": now, "exp": now + 300, "nonce": code.nonce,
        "fhirUser": f"{issuer}/{code.user}",
    }  # fmt: skip
    return {"id_token": jwt.encode({"alg": "ES384", "kid": "ehr"}, claims, key, algorithms=["ES384"])}


@contextlib.contextmanager
def running(fhir: str, client: Client, ehr: Ehr) -> Iterator[str]:
    """The base URL; the FHIR server behind it stands at `<base>/fhir`."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    server = make_server("127.0.0.1", port, application(fhir, base, client, ehr), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield base
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()

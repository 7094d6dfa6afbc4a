"""Who is calling: the CDS Client's JWT, verified against the one tenant it speaks for; every refusal looks the same.

Source: CDS Hooks 2.0.1 "Trusting CDS Clients", J-01..J-21, DEC-04, DEC-05, DEC-18, DEC-44, R-G02, R-G04..R-G06.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, get_args

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.registry import JWS_HEADER_REGISTRY

from cds_service.tenants.tenant import Client, Tenant
from cds_service.tenants.tenant_parts import Algorithm
from cds_service.trust.errors import Forbidden, NotReady, Unauthorized
from cds_service.trust.key_set import KeySet, KeysUnobtainableError
from cds_service.trust.outbound import Door

LEEWAY_S = 60.0
MAX_TOKEN_CHARACTERS = 16 * 1024
MAX_ID_CHARACTERS = 512
KEYS_RETRY_S = 5
Claims = dict[str, Any]
Endpoint = Literal["discovery", "service", "feedback", "observations", "notifications"]
_BEARER = re.compile(r"bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)", re.IGNORECASE | re.ASCII)


class Caller(msgspec.Struct, frozen=True):
    """Who called: the tenant, and the issuer that proved it; no issuer where the tenant needs no proof."""

    tenant: Tenant
    issuer: str | None = None


class TokenUse(Protocol):
    """Remembers, for all workers and nodes, which token ids were used."""

    def first_use(self, tenant_id: str, issuer: str, jti: str, *, expires_at: float, now: float) -> bool:
        """Whether this is the first use of `jti`; from then on it is not."""


class _Refusal(Exception):
    """Why a token is refused, in words of ours that may be logged; the caller never learns them."""


class _Registry(jws.JWSRegistry):
    """Which algorithm may have signed; of the header what is read here, and a token's length is known already."""

    default_header_registry = {name: JWS_HEADER_REGISTRY[name] for name in ("alg", "kid", "typ")}  # noqa: RUF012
    max_header_length = max_payload_length = max_signature_length = MAX_TOKEN_CHARACTERS


# A header that nobody asked for is no harm: those that could turn the meaning are refused by name.
_SIZES = _Registry(strict_check_header=False)
_REGISTRIES = {name: _Registry(algorithms=[name], strict_check_header=False) for name in get_args(Algorithm)}
_claims = msgspec.json.Decoder(Claims)


class _TakenApart(msgspec.Struct, frozen=True):
    """A token taken apart, not proven yet."""

    signed: jws.CompactSignature
    header: Claims
    claims: Claims


class _Trusted(msgspec.Struct, frozen=True):
    tenant: Tenant
    client: Client


class Verifier:
    """Knows every tenant's clients and their keys; lives as long as its worker."""

    def __init__(self, tenants: Sequence[Tenant], used: TokenUse, *, before: Verifier | None = None) -> None:
        """`before`: whose keys stay known where a tenant's file is the same."""
        self._used = used
        # By the identity of their clients, which live as long as this; each is made by its client's first call.
        self.keys: dict[int, KeySet] = {}
        known = before.keys if before else {}
        self._trusted: dict[str, list[_Trusted]] = {}
        for tenant in tenants:
            for client in tenant.clients:
                if (keys := known.get(id(client))) is not None:
                    self.keys[id(client)] = keys
                self._trusted.setdefault(client.issuer, []).append(_Trusted(tenant, client))
        unproven = [tenant for tenant in tenants if tenant.client_jwt == "optional" and not tenant.is_production]
        self._unproven = unproven[0] if len(unproven) == 1 else None

    def verify(self, authorization: str | None, *, endpoint: Endpoint, service_id: str, now: float) -> Caller:
        """The caller behind an `Authorization` header. `now` in seconds of the epoch.

        Raises Unauthorized, always with the same words, Forbidden for a client that proved who it is and may not use
        this service, or NotReady where its keys cannot be had (DEC-45). Without a header, or with one of an unknown
        issuer, a call belongs to the one demo or dev tenant that requires no proof, if there is one.
        """
        try:
            return self._verify(authorization, endpoint, service_id, now)
        except _Refusal as refusal:
            raise Unauthorized("Authentication failed.") from refusal
        except KeysUnobtainableError as error:
            raise NotReady("The client's keys cannot be had now.", retry_after_s=KEYS_RETRY_S) from error

    @property
    def doors(self) -> tuple[Door, ...]:
        """The ways to the keys of the clients that called."""
        return tuple(keys.door for keys in tuple(self.keys.values()) if keys.door is not None)

    def _keys(self, trusted: _Trusted) -> KeySet:
        found = self.keys.get(id(trusted.client))
        return found or self.keys.setdefault(id(trusted.client), KeySet(trusted.client, trusted.tenant))

    def _verify(self, authorization: str | None, endpoint: Endpoint, service_id: str, now: float) -> Caller:
        try:
            token = _token(authorization)
            sent = _taken_apart(token)
            candidates = self._trusted.get(_text(sent.claims, "iss"), [])
            if not candidates:
                raise _Refusal("issuer")
        except _Refusal:
            if self._unproven is None:
                raise
            return Caller(self._unproven)
        trusted = _of_claimed_tenant(candidates, sent.claims.get("tenant"))
        claims = _proven(sent, trusted, self._keys(trusted), now)
        _check_times(claims, trusted.client, now)
        _check_audience(claims, trusted, endpoint, service_id)
        jti = _text(claims, "jti")
        self._check_first_use(trusted, jti, float(claims["exp"]), now)
        if not _tenant_is_listed(trusted.client, claims.get("tenant")):
            raise Forbidden("This client may not use the service for the tenant it names.")
        return Caller(trusted.tenant, trusted.client.issuer)

    def _check_first_use(self, trusted: _Trusted, jti: str, expires_at: float, now: float) -> None:
        if trusted.client.jti == "relaxed":
            return
        until = expires_at + LEEWAY_S
        if not self._used.first_use(trusted.tenant.id, trusted.client.issuer, jti, expires_at=until, now=now):
            raise _Refusal("replay")


def reason(error: BaseException) -> str:
    """Why a caller was refused, in one of our own words, for the log."""
    return str(error.__cause__) if isinstance(error.__cause__, _Refusal) else "unknown"


def _token(authorization: str | None) -> str:
    if not authorization:
        raise _Refusal("no-token")
    match = _BEARER.fullmatch(authorization.strip()) if len(authorization) <= MAX_TOKEN_CHARACTERS else None
    if match is None:
        raise _Refusal("not-a-token")
    return match.group(1)


def _taken_apart(token: str) -> _TakenApart:
    """The token as anyone could have written it: enough to choose whose key must prove it."""
    try:
        signed = jws.extract_compact(token.encode(), registry=_SIZES)
        return _TakenApart(signed, msgspec.convert(signed.headers(), Claims), _claims.decode(signed.payload or b""))
    except (JoseError, ValueError, TypeError, msgspec.DecodeError, RecursionError) as error:
        raise _Refusal("not-a-token") from error


def _of_claimed_tenant(candidates: Sequence[_Trusted], claim: object) -> _Trusted:
    """One issuer in several tenants is told apart by the `tenant` claim; proven later with that client's keys."""
    if len(candidates) == 1:
        return candidates[0]
    for trusted in candidates:
        if claim is not None and claim in trusted.client.tenants:
            return trusted
    if claim is None:
        raise _Refusal("tenant")
    return candidates[0]


def _proven(sent: _TakenApart, trusted: _Trusted, keys: KeySet, now: float) -> Claims:
    """The claims, once the signature holds under a configured key of the right kind for an allowed algorithm."""
    header, claims = sent.header, sent.claims
    algorithm = _algorithm(header, trusted.client)
    if str(header.get("typ", "")).upper() != "JWT" or "crit" in header or "b64" in header:
        raise _Refusal("header")
    pinned = trusted.client.jwks_url is None
    if not pinned and "jku" in header and header["jku"] != trusted.client.jwks_url:
        raise _Refusal("jku")
    key = keys.find(_text(header, "kid"), algorithm, now=now)
    if key is None:
        raise _Refusal("key")
    try:
        if not jws.validate_compact(sent.signed, key, registry=_REGISTRIES[algorithm]):
            raise _Refusal("signature")
    except (JoseError, ValueError, TypeError) as error:
        raise _Refusal("signature") from error
    if any(claims.get(name) is None for name in ("aud", "exp", "iat", "jti")):
        raise _Refusal("claims")
    if trusted.client.subjects and claims.get("sub") not in trusted.client.subjects:
        raise _Refusal("subject")
    return claims


def _algorithm(header: Mapping[str, Any], client: Client) -> Algorithm:
    for algorithm in client.algorithms:
        if header.get("alg") == algorithm:
            return algorithm
    raise _Refusal("algorithm")


def _check_times(claims: Mapping[str, Any], client: Client, now: float) -> None:
    """Not expired, not from the future, not made to last longer than the client may (J-11, J-12); 60 s leeway."""
    expires, issued = _instant(claims["exp"]), _instant(claims["iat"])
    not_before = _instant(claims.get("nbf", issued))
    if now >= expires + LEEWAY_S:
        raise _Refusal("expired")
    if issued > now + LEEWAY_S or not_before > now + LEEWAY_S:
        raise _Refusal("from-the-future")
    if not 0 < expires - issued <= client.max_lifetime_s:
        raise _Refusal("lifetime")


def _check_audience(claims: Mapping[str, Any], trusted: _Trusted, endpoint: Endpoint, service_id: str) -> None:
    tenant = trusted.tenant
    expected = {*trusted.client.audiences}
    if endpoint == "discovery":
        expected.add(tenant.discovery_url)
    else:
        expected.add(tenant.service_url(service_id))
        if endpoint == "feedback":
            expected.add(tenant.feedback_url(service_id))
        if endpoint == "observations":
            expected.add(tenant.observations_url)
        if endpoint == "notifications":
            expected.update(tenant.notification_urls)
    audience = claims["aud"]
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or not any(isinstance(url, str) and url in expected for url in named):
        raise _Refusal("audience")


def _tenant_is_listed(client: Client, claim: object) -> bool:
    return claim is None or not client.tenants or claim in client.tenants


def _instant(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Refusal("time")
    try:
        instant = float(value)
    except OverflowError as error:  # a whole number of hundreds of digits
        raise _Refusal("time") from error
    if not math.isfinite(instant):
        raise _Refusal("time")
    return instant


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID_CHARACTERS or "\x00" in value:
        raise _Refusal(name)
    return value

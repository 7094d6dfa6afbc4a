"""The public keys of one client: from its tenant file or its JWKS URL, renewed, and never forgotten in an outage."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

import jwt
import requests

from cds_service.tenant import Algorithm, Client, Tenant
from cds_service.trust import egress

RENEW_AFTER_S = 3600.0
FETCH_INTERVAL_S = 30.0
FETCH_TIMEOUT_S = 2.0
MAX_SET_BYTES = 256 * 1024
# RFC 7518 3.1 and NIST SP 800-57: what a key must be to verify each algorithm (J-05, J-17).
_KINDS: Mapping[Algorithm, tuple[str, str | None]] = {
    "ES384": ("EC", "P-384"),
    "ES256": ("EC", "P-256"),
    "RS384": ("RSA", None),
    "RS256": ("RSA", None),
}
MIN_RSA_BITS = 2048
Keys = Mapping[str, Mapping[str, Any]]


class KeySet:
    """Finds a client's key by `kid`; fetches at most once per interval, whatever `kid` is asked for (J-16)."""

    def __init__(self, client: Client, tenant: Tenant) -> None:
        self._client = client
        self._keys: Keys = _by_kid(client.jwks.keys) if client.jwks else {}
        self._session = egress.jwks_session(client, tenant) if client.jwks_url else None
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._lock = threading.Lock()
        self._parsed: dict[tuple[str, Algorithm], jwt.PyJWK] = {}

    def find(self, kid: str, algorithm: Algorithm, *, now: float) -> jwt.PyJWK | None:
        """The key with this id, if it is one that may verify `algorithm`; `now` in seconds of the epoch."""
        if self._session is not None and self._is_due(kid, now):
            self._renew(self._session, kid, now)
        known = self._parsed.get((kid, algorithm))
        if known is None and (jwk := self._keys.get(kid)) is not None and (known := _parse(jwk, algorithm)) is not None:
            self._parsed[kid, algorithm] = known
        return known

    def _is_due(self, kid: str, now: float) -> bool:
        if self._tried_at is not None and abs(now - self._tried_at) < FETCH_INTERVAL_S:
            return False
        return kid not in self._keys or self._fetched_at is None or now - self._fetched_at >= RENEW_AFTER_S

    def _renew(self, session: requests.Session, kid: str, now: float) -> None:
        """One thread fetches; the others go on with what is known, or wait if their key is not."""
        if not self._lock.acquire(blocking=kid not in self._keys):
            return
        try:
            if self._is_due(kid, now):
                self._tried_at = now
                fetched = _fetch(session, self._client.jwks_url or "")
                if fetched is not None:
                    self._keys, self._parsed, self._fetched_at = fetched, {}, now
        finally:
            self._lock.release()


def _fetch(session: requests.Session, url: str) -> Keys | None:
    """The set at the URL; None, so that the last good one stays, if it cannot be had or holds no key."""
    try:
        with session.get(url, timeout=FETCH_TIMEOUT_S, stream=True, headers={"Accept": "application/json"}) as answer:
            if answer.status_code != 200:
                return None
            body = answer.raw.read(MAX_SET_BYTES + 1, decode_content=True)
        if len(body) > MAX_SET_BYTES:
            return None
        return _by_kid(json.loads(body)["keys"]) or None
    except (requests.RequestException, OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _by_kid(keys: object) -> Keys:
    if not isinstance(keys, list | tuple):
        raise TypeError("a JWK set holds a list of keys")
    found: dict[str, Mapping[str, Any]] = {}
    for key in keys:
        if isinstance(key, dict) and isinstance(kid := key.get("kid"), str) and key.get("use", "sig") == "sig":
            found.setdefault(kid, key)
    return found


def _parse(jwk: Mapping[str, Any], algorithm: Algorithm) -> jwt.PyJWK | None:
    """The key ready to verify `algorithm`; None if its type, curve, size or own `alg` says otherwise."""
    kind, curve = _KINDS[algorithm]
    if jwk.get("kty") != kind or (curve is not None and jwk.get("crv") != curve):
        return None
    if jwk.get("alg", algorithm) != algorithm:
        return None
    public = {name: jwk[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in jwk}
    try:
        key = jwt.PyJWK(public, algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return key if kind != "RSA" or key.key.key_size >= MIN_RSA_BITS else None

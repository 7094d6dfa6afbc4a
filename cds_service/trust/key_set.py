"""The public keys of one client: from its tenant file or its JWKS URL, renewed, and never forgotten in an outage."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from joserfc import jwk
from joserfc.errors import JoseError

from cds_service.tenants.tenant import Client, Tenant
from cds_service.tenants.tenant_parts import Algorithm
from cds_service.trust import egress
from cds_service.trust.outbound import Door, OutboundError

RENEW_AFTER_S = 3600.0
FETCH_INTERVAL_S = 30.0
FETCH_TIMEOUT_S = 2.0
# At a cold start the first calls come side by side; more than these would hold the threads of other tenants' calls.
MOST_WAITING = 3
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
Parsed = dict[tuple[str, Algorithm], jwk.Key]


class KeysUnobtainableError(Exception):
    """Nobody can know whether a key is the client's: its set could not be had, or is being fetched just now."""


class KeySet:
    """Finds a client's key by `kid`; fetches at most once per interval, whatever `kid` is asked for (J-16).

    One thread fetches, behind the callers' backs; who knows its key goes on meanwhile, a few others wait, the rest is
    told at once that nobody can know. A host that answers a byte at a time holds none of them for long.
    """

    # Told whose keys were had when: tenant, issuer, seconds of the epoch; set by what counts (operations/metrics.py).
    counted: ClassVar[Callable[[str, str, float], None] | None] = None

    def __init__(self, client: Client, tenant: Tenant) -> None:
        self._client = client
        self._tenant_id = tenant.id
        self._waits_s = min(FETCH_TIMEOUT_S, tenant.deadline_s)
        # One pair, replaced as one: nobody finds a key of the last set among what was parsed of the next.
        self._known: tuple[Keys, Parsed] = (_by_kid(client.jwks.keys) if client.jwks else {}, {})
        self.door = egress.keys_door(client, tenant) if client.jwks_url else None
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._failed = False
        self._fetch_ended = threading.Event()
        self._fetch_ended.set()
        self._lock = threading.Lock()
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)

    def find(self, kid: str, algorithm: Algorithm, *, now: float) -> jwk.Key | None:
        """The key with this id, if it is one that may verify `algorithm`; `now` in seconds of the epoch.

        Raises KeysUnobtainableError where the client may have such a key and its set cannot be had (DEC-45).
        """
        if self.door is not None:
            self._renew(self.door, kid, now)
        unsure = self._is_unsure()  # before the keys are looked at: they may arrive between the two
        keys, parsed = self._known
        if (known := parsed.get((kid, algorithm))) is not None:
            return known
        if (written := keys.get(kid)) is not None:
            if (known := _parse(written, algorithm)) is not None:
                parsed[kid, algorithm] = known
            return known
        if unsure:
            raise KeysUnobtainableError
        return None

    def _is_unsure(self) -> bool:
        """Whether the client may have keys that are not here: never had, not had the last time, or on their way."""
        return self.door is not None and (self._failed or self._fetched_at is None or not self._fetch_ended.is_set())

    def _is_due(self, kid: str, now: float) -> bool:
        if self._tried_at is not None and abs(now - self._tried_at) < FETCH_INTERVAL_S:
            return False
        return kid not in self._known[0] or self._fetched_at is None or now - self._fetched_at >= RENEW_AFTER_S

    def _renew(self, door: Door, kid: str, now: float) -> None:
        if self._is_due(kid, now):
            self._begin(door, kid, now)
        ended = self._fetch_ended
        if kid in self._known[0] or ended.is_set() or not self._waiting.acquire(blocking=False):
            return
        try:
            ended.wait(self._waits_s)
        finally:
            self._waiting.release()

    def _begin(self, door: Door, kid: str, now: float) -> None:
        with self._lock:
            if not self._fetch_ended.is_set() or not self._is_due(kid, now):
                return
            self._fetch_ended = threading.Event()
            self._tried_at = now
            threading.Thread(target=self._fetch, args=(door, now), name="keys", daemon=True).start()

    def _fetch(self, door: Door, now: float) -> None:
        try:
            fetched = _fetched(door, self._client.jwks_url or "")
            if fetched is not None:
                self._known = fetched, {}
                self._fetched_at = now
                if KeySet.counted is not None:
                    KeySet.counted(self._tenant_id, self._client.issuer, now)
            self._failed = fetched is None
        finally:
            self._fetch_ended.set()


def _fetched(door: Door, url: str) -> Keys | None:
    """The set at the URL; None, so that the last good one stays, if it cannot be had or holds no key."""
    until = time.monotonic() + FETCH_TIMEOUT_S
    try:
        reply = door.get(url, until=until, at_most_bytes=MAX_SET_BYTES, headers={"Accept": "application/json"})
        return (_by_kid(json.loads(reply.body)["keys"]) or None) if reply.status == HTTPStatus.OK else None
    except (OutboundError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _by_kid(keys: object) -> Keys:
    if not isinstance(keys, list | tuple):
        raise TypeError("a JWK set holds a list of keys")
    found: dict[str, Mapping[str, Any]] = {}
    for key in keys:
        if isinstance(key, dict) and isinstance(kid := key.get("kid"), str) and key.get("use", "sig") == "sig":
            found.setdefault(kid, key)
    return found


def _parse(written: Mapping[str, Any], algorithm: Algorithm) -> jwk.Key | None:
    """The key ready to verify `algorithm`; None if its type, curve, size or own `alg` says otherwise."""
    kind, curve = _KINDS[algorithm]
    if written.get("kty") != kind or (curve is not None and written.get("crv") != curve):
        return None
    if written.get("alg", algorithm) != algorithm:
        return None
    public = {name: written[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in written}
    try:
        key = jwk.import_key(public)
        is_strong = not isinstance(key, jwk.RSAKey) or key.public_key.key_size >= MIN_RSA_BITS
    except (JoseError, ValueError, TypeError):
        return None
    return key if is_strong else None

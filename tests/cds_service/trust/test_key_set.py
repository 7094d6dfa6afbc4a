"""A client's keys: fetched from the configured URL only, kept in an outage, renewed at most once per interval."""

import json
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cds_service.tenants.tenant import Jwks
from cds_service.trust import key_set
from cds_service.trust.key_set import FETCH_INTERVAL_S, MOST_WAITING, RENEW_AFTER_S, KeySet, KeysUnobtainableError
from tests.cds_service.trust import unhelpful
from tests.cds_service.trust.listener import listening
from tests.cds_service.trust.signing import NOW, a_client, a_tenant, public
from tests.patience import PATIENT_ENOUGH, tried_again


class Published:
    """What the JWKS URL serves, changeable by a test."""

    def __init__(self, *keys: object) -> None:
        self.keys: list[object] = list(keys)
        self.status = 200
        self.headers: dict[str, str] = {}

    def __call__(self, _path: str) -> tuple[int, dict[str, str], bytes]:
        return self.status, self.headers, json.dumps({"keys": self.keys}).encode()


def eventually(holds: Callable[[], bool]) -> None:
    """A set that is known is renewed behind the callers' backs."""
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def fetched(url: str, **members: object) -> KeySet:
    client = a_client(jwks_url=url, **members)
    return KeySet(client, a_tenant(client, environment="dev", **PATIENT_ENOUGH))


def test_a_key_is_fetched_once_and_kept():
    with listening(Published(public("ES384"), public("RS384"))) as server:
        keys = fetched(server.url("/jwks.json"))
        assert keys.find("key-ES384", "ES384", now=NOW) is not None
        assert keys.find("key-RS384", "RS384", now=NOW + 1) is not None
        assert [path for path, _ in server.requests] == ["/jwks.json"]


def test_J_16_a_hundred_unknown_kids_fetch_once_per_interval():
    with listening(Published(public("ES384"))) as server:
        keys = fetched(server.url("/jwks.json"))
        for number in range(100):
            assert keys.find(f"bad-{number}", "ES384", now=NOW + number / 100) is None
        assert len(server.requests) == 1
        keys.find("bad", "ES384", now=NOW + FETCH_INTERVAL_S + 1)
        assert len(server.requests) == 2


def test_J_16_the_first_call_with_a_rotated_key_is_ok():
    published = Published(public("ES384"))
    with listening(published) as server:
        keys = fetched(server.url("/jwks.json"))
        assert keys.find("key-ES384", "ES384", now=NOW) is not None
        published.keys = [public("ES384", number=1, kid="rotated")]
        later = NOW + FETCH_INTERVAL_S + 1
        assert keys.find("rotated", "ES384", now=later) is not None
        assert keys.find("key-ES384", "ES384", now=later) is None


@pytest.mark.parametrize("outage", ["down", "not json", "empty set", "redirect", "enormous"])
def test_J_16_the_last_good_set_stays_in_an_outage(outage):
    published = Published(public("ES384"))
    with listening() as elsewhere, listening(published) as server:
        keys = fetched(server.url("/jwks.json"))
        assert keys.find("key-ES384", "ES384", now=NOW) is not None
        if outage == "down":
            published.status = 503
        elif outage == "not json":
            server.answer = lambda _: (200, {}, b"<html>")
        elif outage == "empty set":
            published.keys = []
        elif outage == "redirect":
            server.answer = lambda _: (302, {"Location": elsewhere.url("/jwks.json")}, b"")
        else:
            published.keys = [{"pad": "x" * 300_000}]
        assert keys.find("key-ES384", "ES384", now=NOW + RENEW_AFTER_S + 1) is not None
        eventually(lambda: len(server.requests) == 2)
        assert keys.find("key-ES384", "ES384", now=NOW + RENEW_AFTER_S + 2) is not None
        assert (len(server.requests), elsewhere.connections) == (2, 0)


def test_a_key_withdrawn_by_the_client_is_forgotten_at_the_next_renewal():
    published = Published(public("ES384"), public("RS384"))
    with listening(published) as server:
        keys = fetched(server.url("/jwks.json"))
        assert keys.find("key-RS384", "RS384", now=NOW) is not None
        published.keys = [public("ES384")]
        later = NOW + RENEW_AFTER_S + 1
        eventually(lambda: keys.find("key-RS384", "RS384", now=later) is None)


def test_J_17_junk_and_encryption_keys_in_the_set_are_ignored():
    junk = ("text", 7, {}, {"kid": "no kty"}, {"kid": "key-ES384", "kty": "EC", "use": "enc"}, {"kty": "EC", "kid": 1})
    client = a_client(jwks=Jwks(keys=tuple(key for key in (*junk, public("ES384")) if isinstance(key, dict))))
    assert KeySet(client, a_tenant(client)).find("key-ES384", "ES384", now=NOW) is not None
    with listening(Published(*junk, public("ES384"))) as server:
        assert fetched(server.url("/jwks.json")).find("key-ES384", "ES384", now=NOW) is not None


@pytest.mark.parametrize(
    ("jwk", "algorithm"),
    [
        (public("ES384"), "ES256"),
        (public("ES256"), "ES384"),
        (public("ES384"), "RS384"),
        (public("RS384"), "ES384"),
        (public("RS384", alg="RS256"), "RS384"),
        ({**public("ES384"), "x": "AAAA"}, "ES384"),
        ({**public("RS384"), "n": "!"}, "RS384"),
        ({"kty": "oct", "k": "c2VjcmV0", "kid": "k"}, "ES384"),
    ],
)
def test_J_05_a_key_verifies_only_the_algorithm_of_its_own_type(jwk, algorithm):
    client = a_client(jwks=Jwks(keys=({**jwk, "kid": "k"},)))
    assert KeySet(client, a_tenant(client)).find("k", algorithm, now=NOW) is None


def test_a_kid_with_the_characters_of_epic_is_found():
    client = a_client(jwks=Jwks(keys=(public("RS384", kid="a+b/c=="),)))
    assert KeySet(client, a_tenant(client)).find("a+b/c==", "RS384", now=NOW) is not None


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize("behaviour", unhelpful.EVERY, ids=lambda behaviour: behaviour.__name__)
@tried_again
def test_keys_that_cannot_be_had_are_not_a_refusal_and_hold_few_threads(behaviour):
    """DEC-45; forty calls signed with anybody's key, none of which may wait for one lock."""

    def ask(number: int) -> float:
        began = time.monotonic()
        with pytest.raises(KeysUnobtainableError):
            keys.find(f"unknown-{number}", "ES384", now=NOW)
        return time.monotonic() - began

    with unhelpful.serving(behaviour) as base, ThreadPoolExecutor(40) as callers:
        keys = fetched(f"{base}/jwks.json")
        seconds = sorted(callers.map(ask, range(40)))
    assert seconds[-1] < 2.5
    assert seconds[40 - 6] < 0.5  # all but a few are told at once


@pytest.mark.usefixtures("in_time")
@tried_again
def test_known_keys_go_on_serving_while_a_renewal_drips():
    with listening(Published(public("ES384"))) as server:
        keys = fetched(server.url("/jwks.json"))
        assert keys.find("key-ES384", "ES384", now=NOW) is not None
        server.answer = lambda _: (time.sleep(1.0), (200, {}, b""))[1]
        began = time.monotonic()
        for second in range(5):
            assert keys.find("key-ES384", "ES384", now=NOW + RENEW_AFTER_S + 1 + second) is not None
        assert time.monotonic() - began < 0.5


def test_an_unknown_kid_of_a_set_that_was_had_is_a_refusal():
    with listening(Published(public("ES384"))) as server:
        keys = fetched(server.url("/jwks.json"))
        assert keys.find("key-ES384", "ES384", now=NOW) is not None
        assert keys.find("another", "ES384", now=NOW + 1) is None


def test_no_valid_token_is_refused_while_the_first_keys_are_a_second_away():
    """A fresh worker once told 38 of 40 that they are nobody."""

    def slow(_path: str) -> tuple[int, dict[str, str], bytes]:
        time.sleep(1.0)
        return 200, {}, json.dumps({"keys": [public("ES384")]}).encode()

    def ask(_number: int) -> str:
        try:
            return "refused" if keys.find("key-ES384", "ES384", now=NOW) is None else "known"
        except KeysUnobtainableError:
            return "later"

    with listening(slow) as server, ThreadPoolExecutor(40) as callers:
        keys = fetched(server.url("/jwks.json"))
        told = Counter(callers.map(ask, range(40)))
    assert told["refused"] == 0
    assert told["known"] == MOST_WAITING


class Late(dict[str, Any]):
    """No keys, and those that come arrive while somebody looks here."""

    def __init__(self, arrived: Callable[[], bool]) -> None:
        super().__init__()
        self._arrived = arrived

    def get(self, kid: str, default: object = None) -> Any:
        eventually(self._arrived)
        return super().get(kid, default)


def test_no_valid_token_is_refused_at_the_instant_at_which_the_keys_arrive(monkeypatch: pytest.MonkeyPatch):
    """A caller that does not wait looks for its key while the set comes: it finds none, and no fetch under way."""
    monkeypatch.setattr(key_set, "FETCH_TIMEOUT_S", 0.0)
    with listening(Published(public("ES384"))) as server:
        keys = fetched(server.url("/jwks.json"))
        monkeypatch.setattr(key_set, "FETCH_TIMEOUT_S", 9.0)
        keys._known = Late(lambda: keys._fetched_at is not None), {}
        with pytest.raises(KeysUnobtainableError):
            keys.find("key-ES384", "ES384", now=NOW)
        assert keys.find("key-ES384", "ES384", now=NOW) is not None


@pytest.mark.usefixtures("in_time")
@tried_again
def test_a_caller_waits_for_keys_no_longer_than_its_call_may_take():
    with listening(lambda _: (time.sleep(1.5), (503, {}, b""))[1]) as server:
        client = a_client(jwks_url=server.url("/jwks.json"))
        keys = KeySet(client, a_tenant(client, environment="dev", deadline_s=0.4))
        began = time.monotonic()
        with pytest.raises(KeysUnobtainableError):
            keys.find("key-ES384", "ES384", now=NOW)
        assert time.monotonic() - began < 1.0

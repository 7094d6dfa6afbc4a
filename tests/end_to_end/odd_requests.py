"""Requests as nobody should send them, no two alike: texts and names without end, tokens and bodies that are none."""

from __future__ import annotations

import gzip
import json
import random
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec

from tests.acceptance.requests import LOINC, a_request, bundle
from tests.end_to_end.nodes import a_token
from tests.test_caches import wordy

SERVICE = "/cds-services/surgical-risk"
_LONG = 20_000


class Odd(msgspec.Struct):
    """One request, ready to be sent."""

    path: str
    body: bytes | None = None
    headers: dict[str, str | bytes] = {}


Kind = Callable[[str, random.Random], Odd]


def _word(chance: random.Random, length: int) -> str:
    return f"{chance.getrandbits(64):016x}" + "w" * length


def _signed(url: str, body: Any, **headers: str | bytes) -> Odd:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    token = {"Authorization": f"Bearer {a_token(url + SERVICE)}", "Content-Type": "application/json"}
    return Odd(SERVICE, sent, {**token, **headers})


def _fresh(**members: Any) -> dict[str, Any]:
    return a_request() | {"hookInstance": str(uuid.uuid4())} | members


def long_texts(url: str, chance: random.Random) -> Odd:
    return _signed(url, wordy(a_request()["prefetch"]["patient"]))


def short_codes(url: str, chance: random.Random) -> Odd:
    """What caches by entry keep: systems, codes and units that nobody wrote before, each short."""
    results = [
        {
            "resourceType": "Observation", "id": _word(chance, 4), "status": "final",
            "subject": {"reference": "Patient/pt-b"}, "effectiveDateTime": "2026-11-01T00:00:00Z",
            "code": {"coding": [{"system": LOINC, "code": "718-7"}, {"system": _word(chance, 9), "code": "x"}]},
            "valueQuantity": {"value": 12, "unit": _word(chance, 2), "code": _word(chance, 2)},
        }
        for _ in range(20)
    ]  # fmt: skip
    request = _fresh()
    request["prefetch"]["labs"] = bundle(*results)
    return _signed(url, request)


def long_names(url: str, chance: random.Random) -> Odd:
    """Members that nobody reads, of the request, of its prefetch, of a resource and of its extension."""
    request = _fresh(**{_word(chance, _LONG): 1, "extension": {_word(chance, _LONG): {_word(chance, 100): True}}})
    request["prefetch"] |= {_word(chance, _LONG): None}
    request["prefetch"]["patient"] |= {_word(chance, 50) + str(number): number for number in range(500)}
    request["context"] |= {_word(chance, _LONG): []}
    return _signed(url, request)


def odd_tokens(url: str, chance: random.Random) -> Odd:
    def segment(told: dict[str, Any]) -> str:
        return urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()

    head = {
        "alg": chance.choice(["ES384", "none", "HS256", _word(chance, 40)]),
        "kid": _word(chance, 900),
        "typ": "JWT",
    }
    claims: dict[str, Any] = {
        "iss": chance.choice(["https://ehr.example.org", _word(chance, 3_000)]), "aud": url + SERVICE,
        "jti": _word(chance, 3_000), "tenant": _word(chance, 3_000), "iat": time.time(), "exp": time.time() + 300,
    }  # fmt: skip
    whole = f"{segment(head)}.{segment(claims)}."
    digits = segment({**claims, "exp": 7}).encode()
    long_time = urlsafe_b64encode(json.dumps(claims | {"exp": "@"}).replace('"@"', "9" * 400).encode()).rstrip(b"=")
    tokens = [
        f"{whole}{_word(chance, 80)}".encode(), _word(chance, 9_000).encode(), whole.encode(), "☃".encode(),
        segment(head).encode() + b"." + long_time + b"." + digits, f"{a_token(url + SERVICE)}x".encode(),
        a_token(_word(chance, 2_000)).encode(),
    ]  # fmt: skip
    sent = chance.choice([b"Bearer ", b"Bearer ", b"bearer  ", b"Basic "]) + chance.choice(tokens)
    return Odd(SERVICE, json.dumps(_fresh()).encode(), {"Authorization": sent, "Content-Type": "application/json"})


def odd_bodies(url: str, chance: random.Random) -> Odd:
    good, word = json.dumps(_fresh()).encode(), _word(chance, 60).encode()
    blanks = _fresh()
    blanks["prefetch"]["labs"]["entry"][0]["resource"]["valueString"] = " " * 65_000 + "x" + word.decode()
    late = [f"2026-11-01T00:00:00.{chance.getrandbits(30):010}{'1' * 5_000}Z" for _ in range(75)]
    body = chance.choice(
        [
            b"", word, b"[" * 5_000, b'{"hook":"' + b'\\"' * 20_000, good[: chance.randrange(len(good))], good + word,
            good.replace(b'"hook"', b'"hook": "x\xff' + word + b'", "hook"', 1), good.replace(b"order", word),
            b'{"hook": 1' + b"0" * 30_000 + b"}", json.dumps(blanks).encode(), json.dumps(_fresh(late=late)).encode(),
            good.replace(b"{", b'{"' + word + b'": "\\ud800", ', 1),
        ]
    )  # fmt: skip
    if chance.random() < 0.2:
        return _signed(url, gzip.compress(body), **{"Content-Encoding": "gzip"})
    return _signed(url, body, **{"Content-Type": chance.choice(["application/json", word.decode()])})


def odd_addresses(url: str, chance: random.Random) -> Odd:
    word, many = _word(chance, 30), _word(chance, 3_000)
    paths = [
        f"/smart/launch?iss=https://[{many}&launch={many}", f"/smart/callback?code={many}&state={many}",
        f"/cds-services/{many}", f"/cds-services/..;/{word}", f"/{quote('☃' + word)}", f"/profile/{word}?{many}",
        f"/{word}/cds-services", f"/smart/launch/{word}?iss={many}&launch={word}", f"/cds-services?{many}={many}",
    ]  # fmt: skip
    told = {"User-Agent": many, "X-Request-Id": many, "traceparent": word, "Cookie": f"{word}={many}"}
    return Odd(chance.choice(paths), headers={**told})


def odd_members(url: str, chance: random.Random) -> Odd:
    lent = {"access_token": _word(chance, 500), "token_type": "Bearer", "expires_in": 9, "scope": "", "subject": ""}
    request = _fresh(
        fhirServer=chance.choice(["http://[", f"https://{_word(chance, 500)}.example.org/", _word(chance, _LONG)]),
        fhirAuthorization=lent,
    )
    request["context"] |= {"patientId": _word(chance, 60), "userId": f"Practitioner/{_word(chance, 60)}"}
    return _signed(url, request)


def feedback(url: str, chance: random.Random) -> Odd:
    item = {"card": _word(chance, 60), "outcome": chance.choice(["overridden", "accepted", _word(chance, 9)])}
    told = {"feedback": [item | {"outcomeTimestamp": "2026-11-29T12:00:00Z"}, {_word(chance, _LONG): 1}]}
    token = {"Authorization": f"Bearer {a_token(f'{url}{SERVICE}/feedback')}", "Content-Type": "application/json"}
    return Odd(f"{SERVICE}/feedback", json.dumps(told).encode(), {**token})


def good(url: str, chance: random.Random) -> Odd:
    return _signed(url, _fresh())


KINDS: tuple[Kind, ...] = (
    long_texts, short_codes, long_names, odd_tokens, odd_bodies, odd_addresses, odd_members, feedback, good,
)  # fmt: skip


def request(url: str, number: int) -> Odd:
    """The same for the same number but for ids and instants."""
    return KINDS[number % len(KINDS)](url, random.Random(number))

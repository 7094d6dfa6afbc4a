"""Two nodes of one deployment, on PostgreSQL behind PgBouncer: what one knows the other knows too."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import jwt
import pytest
import requests

from cds_service.records import migrate
from tests.acceptance.requests import a_request
from tests.cds_service.records import postgres
from tests.cds_service.trust.signing import key
from tests.end_to_end import nodes
from tests.end_to_end.nodes import ISSUER, Node

real = pytest.mark.end_to_end
PUBLIC_URL = "http://127.0.0.1"
SERVICE = f"{PUBLIC_URL}/cds-services/surgical-risk"
Nodes = tuple[Node, Node]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres.server() as server, postgres.bouncer(server) as bouncer, postgres.database(server) as direct:
        url = postgres.at(bouncer, direct)
        migrate.upgrade(url)
        yield url


@pytest.fixture
def two(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Nodes]:
    tenant = {"public_url": PUBLIC_URL, **getattr(request, "param", {})}
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with (
        nodes.node(tmp_path / "one", database, tenant=tenant, CDS_DISCOVERY_AUTH="required") as one,
        nodes.node(tmp_path / "two", database, tenant=tenant, CDS_DISCOVERY_AUTH="required") as two,
    ):
        yield one, two


def bearer(audience: str = SERVICE) -> dict[str, str]:
    now = time.time()
    claims = {"iss": ISSUER, "aud": audience, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4())}
    token = jwt.encode(claims, key("ES384"), algorithm="ES384", headers={"typ": "JWT", "kid": "key-ES384"})
    return {"Authorization": f"Bearer {token}"}


def post(node: Node, body: dict[str, Any]) -> requests.Response:
    return requests.post(
        f"{node.url}/cds-services/surgical-risk", json=body, headers=bearer(), timeout=20
    )  # fmt: skip


def uuids(response: requests.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [one["uuid"] for card in response.json()["cards"] for one in (card, *card.get("suggestions", ()))]


def both(two: Nodes, body: dict[str, Any]) -> tuple[requests.Response, requests.Response]:
    """The same body to both at the same instant, each with a token of its own."""
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda node: post(node, body), two)
    return first, second


def pairs(two: Nodes, number: int) -> Counter[tuple[int, ...]]:
    """So many tokens, each sent to both nodes at the same instant."""
    start = Barrier(2)
    tokens = [bearer(f"{PUBLIC_URL}/cds-services") for _ in range(number)]

    def send(node: Node) -> list[int]:
        told = []
        with requests.Session() as session:
            for token in tokens:
                start.wait()
                told.append(session.get(f"{node.url}/cds-services", headers=token, timeout=20).status_code)
        return told

    with ThreadPoolExecutor(2) as pool:
        return Counter(tuple(sorted(pair)) for pair in zip(*pool.map(send, two), strict=True))


@real
def test_a_token_sent_to_both_at_once_is_taken_by_exactly_one(two: Nodes) -> None:
    assert pairs(two, 200) == {(200, 401): 200}


@pytest.mark.long
def test_of_thousands_of_tokens_each_is_taken_by_exactly_one(two: Nodes) -> None:
    """At least 2,000 pairs, within two minutes."""
    told: Counter[tuple[int, ...]] = Counter()
    began = time.monotonic()
    while time.monotonic() - began < 100:
        told += pairs(two, 500)
    print(f"{told.total()} pairs in {time.monotonic() - began:.0f} s: {dict(told)}")
    assert set(told) == {(200, 401)}
    assert told.total() >= 2_000


@real
def test_an_exact_retry_at_the_other_node_has_the_same_uuids(two: Nodes) -> None:
    """Also without a window in which cards stay, and while the first is still being answered."""
    for _ in range(10):
        body = a_request() | {"hookInstance": str(uuid.uuid4())}
        first, second = both(two, body)
        assert uuids(first) == uuids(second) == uuids(post(two[1], body)) != []
    another = a_request() | {"hookInstance": str(uuid.uuid4())}
    assert uuids(post(two[0], another)) != uuids(first)


@real
@pytest.mark.parametrize("two", [{"dedupe_window_s": 600.0}], indirect=True)
def test_the_same_card_at_the_other_node_has_the_same_uuids(two: Nodes) -> None:
    """DEC-42, for edits of one order that reach both at once."""
    bodies = [a_request() | {"hookInstance": str(uuid.uuid4())} for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        told = pool.map(lambda number: uuids(post(two[number % 2], bodies[number])), range(8))
    assert len({tuple(one) for one in told}) == 1


LIMITS = {"requests_per_s": 20.0, "burst": 10}


@real
@pytest.mark.parametrize("two", [{"limits": LIMITS}], indirect=True)
def test_a_rate_holds_for_both_together(two: Nodes) -> None:
    """Within a tenth; two workers each, so that each for itself would let in four times as many."""
    told: Counter[int] = Counter()
    body = {"hook": "none"}  # counted before it is read
    began = time.monotonic()

    def call(node: Node) -> None:
        while time.monotonic() - began < 10:
            told[post(node, body).status_code] += 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(call, two * 3))
    seconds = time.monotonic() - began
    admitted, expected = told[400] + told[422], LIMITS["requests_per_s"] * seconds + LIMITS["burst"]
    assert told[429] > 0
    assert set(told) <= {400, 422, 429}
    assert 0.9 * expected <= admitted <= 1.1 * expected


def said(database: str, *words: str) -> tuple[int, str]:
    """The exit code and everything that a command printed."""
    program = [sys.executable, "-m", "cds_service.commands.cli", *words, "--by", "A. Jones", "--reason", "drill"]
    done = subprocess.run(
        program, env=os.environ | {"DATABASE_URL": database}, check=False, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


def silences(two: Nodes) -> set[str | None]:
    """Why each of many calls to both was silent; a connection each, so that every worker is among those who answer."""
    told = [post(node, a_request() | {"hookInstance": str(uuid.uuid4())}) for node in two * 15]
    return {one.json().get("extension", {}).get("io.surgical-risk.silence", {}).get("reason") for one in told}


@real
def test_a_mode_that_was_waited_for_is_in_force_in_every_worker_of_both(
    database: str, two: Nodes, tmp_path: Path
) -> None:
    """Nobody speaks once the command has returned: also not from what was remembered of an exact retry."""
    body = a_request() | {"hookInstance": str(uuid.uuid4())}
    of_one = ("--tenants", str(tmp_path / "one" / "tenants"))
    assert uuids(post(two[0], body)) == uuids(post(two[1], body)) != []
    for mode, why in (("off", {"mode-off"}), ("on", {None})):
        code, told = said(database, "mode", "set", "node", mode, "--wait", *of_one)
        assert (code, "4 of 4 workers have it" in told) == (0, True), told
        assert silences(two) == why
        assert bool(uuids(post(two[0], body))) == bool(uuids(post(two[1], body))) == (mode == "on")

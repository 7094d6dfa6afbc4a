"""One hospital's servers drip, hang, break off or never end: its calls end in time, and no other hospital notices."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
import yaml

from fhir_mappings.terminology import concept_maps
from tests.acceptance.requests import a_patient, a_request
from tests.cds_service.patient_data.fhir_server import serving
from tests.cds_service.records.test_kill import a_free_port, is_ready
from tests.cds_service.trust import unhelpful
from tests.cds_service.trust.signing import key, public

pytestmark = pytest.mark.end_to_end

CALLERS = 40
PRESSURE_S = 3.0
ANSWER_S = 2.5
LOUD_S = 1.0  # what the machine may add while eighty callers run beside the service
SERVICE = "/cds-services/surgical-risk"


class Hospitals:
    """The running service, and how to call it for the hospital with bad servers and for the good one."""

    def __init__(self, url: str, bad: str, good: str) -> None:
        self.url, self.bad, self.good = url, bad, good

    def headers(self, issuer: str) -> dict[str, str]:
        now = time.time()
        claims = {"iss": issuer, "aud": self.url + SERVICE, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4())}
        signed = jwt.encode(claims, key(), algorithm="ES384", headers={"kid": "key-ES384"})
        return {"Authorization": f"Bearer {signed}", "Content-Type": "application/json"}

    def body(self, fhir: str) -> dict[str, Any]:
        lent = {"access_token": "lent", "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y"}
        order = a_request() | {"hookInstance": str(uuid.uuid4()), "fhirServer": fhir, "fhirAuthorization": lent}
        return order | {"prefetch": {}}

    def fetched(self, issuer: str, fhir: str) -> requests.Response:
        return requests.post(self.url + SERVICE, json=self.body(fhir), headers=self.headers(issuer), timeout=30)

    def of_the_good(self) -> requests.Response:
        return self.fetched("https://good.example.org", self.good)


def found(path: str) -> tuple[int, Any]:
    if "/Patient/" in path:
        return 200, a_patient()
    kept = a_request()["prefetch"]
    key_of = {"Condition": "conditions", "MedicationRequest": "medications", "Procedure": "procedures"}
    resource = path.removeprefix("/fhir/").partition("?")[0]
    return 200, kept.get(key_of.get(resource, "labs" if "718-7" in path else "observations")) or {
        "resourceType": "Bundle", "type": "searchset",
    }  # fmt: skip


def a_tenant(name: str, url: str, fhir: str, *, jwks_url: str | None = None) -> dict[str, Any]:
    clients: list[dict[str, Any]] = [{"issuer": f"https://{name}.example.org", "jwks": {"keys": [public("ES384")]}}]
    if jwks_url:
        clients.append({"issuer": f"https://keys.{name}.example.org", "jwks_url": jwks_url})
    return {
        "id": name, "environment": "dev", "public_url": url, "clients": clients, "fhir_base_urls": [fhir],
        "mode": "on", "card_floor": 0.0, "dedupe_window_s": 0.0, "concept_maps": [str(concept_maps.DEMO)],
    }  # fmt: skip


@contextlib.contextmanager
def hospitals(folder: Path, bad: str) -> Iterator[Hospitals]:
    """One worker with eight threads: what holds it holds everybody."""
    bind = f"127.0.0.1:{a_free_port()}"
    with serving(found) as good:
        (folder / "tenants").mkdir()
        for one in (
            a_tenant("bad", f"http://{bind}", f"{bad}/fhir", jwks_url=f"{bad}/jwks"),
            a_tenant("good", f"http://{bind}", good.base),
        ):
            (folder / "tenants" / f"{one['id']}.yaml").write_text(yaml.safe_dump(one), encoding="utf-8")
        command = [sys.executable, "-m", "cds_service.commands.cli", "serve", "--tenants", str(folder / "tenants")]
        environment = os.environ | {
            "DATABASE_URL": f"sqlite:///{folder}/r.sqlite3", "CDS_STATE_DIRECTORY": str(folder / "state"),
        }  # fmt: skip
        (folder / "state").mkdir()
        with (folder / "log").open("ab") as log:
            options = ["--bind", bind, "--workers", "1"]
            master = subprocess.Popen([*command, *options], env=environment, stderr=log, stdout=log)
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until and not is_ready(bind):
                assert master.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)
            yield Hospitals(f"http://{bind}", f"{bad}/fhir", good.base)
        finally:
            master.terminate()
            master.wait(30)


@contextlib.contextmanager
def pressed(call: Callable[[], int]) -> Iterator[list[tuple[int, float]]]:
    """Many callers at once, each calling again as soon as it was answered; (status, seconds) of every answer."""
    answers: list[tuple[int, float]] = []
    ended = threading.Event()

    def keep_calling() -> None:
        while not ended.is_set():
            began = time.monotonic()
            with contextlib.suppress(requests.ConnectionError):
                answers.append((call(), time.monotonic() - began))

    callers = [threading.Thread(target=keep_calling) for _ in range(CALLERS)]
    for one in callers:
        one.start()
    try:
        yield answers
    finally:
        ended.set()
        for one in callers:
            one.join()


def told(answer: requests.Response) -> str:
    """The card's words, without instants and without ids of this very answer."""
    assert answer.status_code == 200, answer.text
    detail: str = answer.json()["cards"][0]["detail"]
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]{1,2}:[0-9]{2}", "", detail)


def assert_nobody_else_notices(at: Hospitals, quiet: str) -> None:
    """For some seconds: the good hospital has all its inputs in time, and the service tells of itself at once."""
    took, health = [], []
    until = time.monotonic() + PRESSURE_S
    while time.monotonic() < until:
        began = time.monotonic()
        answer = at.of_the_good()
        took.append(time.monotonic() - began)
        assert told(answer) == quiet
        began = time.monotonic()
        assert requests.get(f"{at.url}/health", timeout=5).status_code == 200
        health.append(time.monotonic() - began)
    assert max(took) < ANSWER_S
    assert statistics.median(health) < 0.2


PRESSURES: dict[str, Callable[[Hospitals], int]] = {
    "fhir": lambda at: at.fetched("https://bad.example.org", at.bad).status_code,
    "keys": lambda at: at.fetched("https://keys.bad.example.org", at.bad).status_code,
    "sign-in": lambda at: (
        requests.get(
            f"{at.url}/smart/launch", params={"iss": at.bad, "launch": "x"}, timeout=30, allow_redirects=False
        ).status_code
    ),
}


@pytest.mark.parametrize("behaviour", [unhelpful.drip_body, unhelpful.hang, unhelpful.half_open, unhelpful.huge])
def test_a_bad_server_of_one_hospital_is_no_other_s(behaviour: unhelpful.Behaviour, tmp_path: Path) -> None:
    with unhelpful.serving(behaviour) as bad, hospitals(tmp_path, bad) as at:
        quiet = told(at.of_the_good())
        for name, call in PRESSURES.items():
            with pressed(lambda call=call: call(at)) as answers:  # type: ignore[misc]
                assert_nobody_else_notices(at, quiet)
            assert answers, name
            assert max(seconds for _, seconds in answers) < ANSWER_S + LOUD_S, name
            assert {status for status, _ in answers} <= {412, 429, 502, 503}, name
        ready = requests.get(f"{at.url}/ready", timeout=5).json()
        assert "bad fhir" in ready["openCircuits"]
        assert ready["status"] == "ready"


def test_slow_bodies_of_one_hospital_hold_no_thread(tmp_path: Path) -> None:
    with unhelpful.serving(unhelpful.hang) as bad, hospitals(tmp_path, bad) as at:
        slow, quiet = [], told(at.of_the_good())
        for _ in range(CALLERS):
            lines = [f"POST {SERVICE} HTTP/1.1", "Host: x", "Content-Length: 60000"]
            lines += [f"{name}: {value}" for name, value in at.headers("https://bad.example.org").items()]
            client = socket.create_connection(("127.0.0.1", int(at.url.rpartition(":")[2])))
            client.sendall(("\r\n".join(lines) + "\r\n\r\n{").encode())
            slow.append(client)
        assert_nobody_else_notices(at, quiet)
        for client in slow:
            client.close()


ODD: list[tuple[str, Any]] = [
    ("fhirServer", "http://["),
    ("fhirServer", "https://[::1"),
    ("fhirServer", "http://" + "a" * 60_000),
    ("fhirAuthorization", {"access_token": "☃", "token_type": "Bearer", "expires_in": 1, "scope": "", "subject": ""}),
    (
        "fhirAuthorization",
        {"access_token": "a\r\nb", "token_type": "Bearer", "expires_in": 1, "scope": "", "subject": ""},
    ),
]


def test_odd_requests_are_no_fault_of_ours(tmp_path: Path) -> None:
    nexts = iter(["http://[", "https://[::1/x", "//[", "http://\x00", "?" + "x" * 60_000])

    def odd(path: str) -> tuple[int, Any]:
        status, body = found(path)
        if "/Condition" in path and (url := next(nexts, None)) is not None:
            body = {"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "next", "url": url}]}
        return status, body

    with serving(odd) as fhir, hospitals(tmp_path, fhir.base.removesuffix("/fhir")) as at:
        for name, value in ODD:
            body = at.body(at.bad) | {name: value}
            answer = requests.post(
                at.url + SERVICE, data=json.dumps(body), headers=at.headers("https://bad.example.org"), timeout=10
            )
            assert answer.status_code < 500, (name, answer.text)
        for _ in range(5):
            assert at.fetched("https://bad.example.org", at.bad).status_code == 200
        for name in ("SCRIPT_NAME", "PATH_INFO", "Script-Name", "Path-Info"):
            alive = requests.get(f"{at.url}/health", headers={name: "/health"}, timeout=5)
            assert alive.json()["status"] == "alive", f"a header moved the request to another path: {name}"

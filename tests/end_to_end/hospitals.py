"""One worker that serves two hospitals, one of them with servers that drip, hang, break off or never end."""

from __future__ import annotations

import contextlib
import functools
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import requests
import yaml
from cryptography.hazmat.primitives import serialization

from fhir_mappings.terminology import concept_maps
from tests.acceptance.requests import a_patient, a_request
from tests.cds_service.patient_data.fhir_server import serving
from tests.cds_service.records.test_kill import a_free_port, is_ready
from tests.cds_service.trust import unhelpful
from tests.cds_service.trust.signing import key, public

SERVICE = "/cds-services/surgical-risk"
CALLERS = 40
PAUSE_S = 1.5  # of a caller between two calls: what is measured is whom a wait holds up, not how fast a loop can call
Answers = list[tuple[int, float]]


class Hospitals:
    """The running service, and how to call it for the hospital with bad servers and for the good one."""

    def __init__(self, url: str, bad: str, good: str, folder: Path) -> None:
        self.url, self.bad, self.good, self.folder = url, f"{bad}/fhir", good, folder
        # As bytes: the callers of the bad hospital run in another process, which has no key of its own.
        self.key = key().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def headers(self, issuer: str) -> dict[str, str]:
        now = time.time()
        claims = {"iss": issuer, "aud": self.url + SERVICE, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4())}
        signed = jwt.encode(claims, self.key, algorithm="ES384", headers={"kid": "key-ES384"})
        return {"Authorization": f"Bearer {signed}", "Content-Type": "application/json"}

    def body(self, fhir: str) -> dict[str, Any]:
        lent = {"access_token": "lent", "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y"}
        order = a_request() | {"hookInstance": str(uuid.uuid4()), "fhirServer": fhir, "fhirAuthorization": lent}
        return order | {"prefetch": {}}

    def fetched(self, issuer: str, fhir: str) -> requests.Response:
        return requests.post(self.url + SERVICE, json=self.body(fhir), headers=self.headers(issuer), timeout=30)

    def of_the_good(self) -> requests.Response:
        return self.fetched("https://good.example.org", self.good)

    def page(self, path: str, **options: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=30, allow_redirects=False, **options)

    def launch(self, issuer: str) -> requests.Response:
        return self.page("/smart/launch", params={"iss": issuer, "launch": "x"})

    def callback(self) -> tuple[int, float]:
        """The second step of a sign-in whose first went well: the code for a token."""
        begun = self.launch(f"{self.bad.removesuffix('/fhir')}{SIGNS_IN}")
        if begun.status_code != 302:
            return begun.status_code, 0.0
        (name, sealed), *_ = begun.cookies.items()
        state = parse_qs(urlsplit(begun.headers["Location"]).query)["state"][0]
        began = time.monotonic()
        answer = self.page("/smart/callback", params={"code": "c", "state": state}, cookies={name: sealed})
        return answer.status_code, time.monotonic() - began


SIGNS_IN = "/signs-in"


def discovery(base: str) -> dict[str, bytes]:
    """The one document that the bad hospital's server answers as it should: where to ask for a token."""
    told = {
        "authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}{SIGNS_IN}/token",
        "code_challenge_methods_supported": ["S256"], "capabilities": [],
    }  # fmt: skip
    return {f"{SIGNS_IN}/.well-known/smart-configuration": json.dumps(told).encode()}


def found(path: str) -> tuple[int, Any]:
    """What the good hospital's server answers."""
    if "/Patient/" in path:
        return 200, a_patient()
    kept = a_request()["prefetch"]
    key_of = {"Condition": "conditions", "MedicationRequest": "medications", "Procedure": "procedures"}
    resource = path.removeprefix("/fhir/").partition("?")[0]
    return 200, kept.get(key_of.get(resource, "labs" if "718-7" in path else "observations")) or {
        "resourceType": "Bundle", "type": "searchset",
    }  # fmt: skip


def a_tenant(name: str, url: str, *fhir: str, jwks_url: str | None = None) -> dict[str, Any]:
    clients: list[dict[str, Any]] = [{"issuer": f"https://{name}.example.org", "jwks": {"keys": [public("ES384")]}}]
    if jwks_url:
        clients.append({"issuer": f"https://keys.{name}.example.org", "jwks_url": jwks_url})
    return {
        "id": name, "environment": "dev", "public_url": url, "clients": clients, "fhir_base_urls": list(fhir),
        "mode": "on", "card_floor": 0.0, "dedupe_window_s": 0.0, "concept_maps": [str(concept_maps.DEMO)],
    }  # fmt: skip


def write(folder: Path, tenant: dict[str, Any]) -> None:
    (folder / "tenants" / f"{tenant['id']}.yaml").write_text(yaml.safe_dump(tenant), encoding="utf-8")


@contextlib.contextmanager
def hospitals(folder: Path, bad: str, database: str | None = None, *options: str) -> Iterator[Hospitals]:
    """One worker with eight threads: what holds it holds everybody."""
    bind = f"127.0.0.1:{a_free_port()}"
    with serving(found) as good:
        for name in ("tenants", "state"):
            (folder / name).mkdir()
        at = Hospitals(f"http://{bind}", bad, good.base, folder)
        write(folder, a_tenant("bad", at.url, at.bad, f"{bad}{SIGNS_IN}", jwks_url=f"{bad}/jwks"))
        write(folder, a_tenant("good", at.url, good.base))
        command = [sys.executable, "-m", "cds_service.commands.cli", "serve", "--tenants", str(folder / "tenants")]
        environment = os.environ | {
            "DATABASE_URL": database or f"sqlite:///{folder}/r.sqlite3", "CDS_STATE_DIRECTORY": str(folder / "state"),
        }  # fmt: skip
        with (folder / "log").open("ab") as log:
            started = [*command, "--bind", bind, "--workers", "1", *options]
            master = subprocess.Popen(started, env=environment, stderr=log, stdout=log)
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until and not is_ready(bind):
                assert master.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)
            yield at
        finally:
            master.terminate()
            master.wait(30)


def _timed(call: Callable[[], int]) -> tuple[int, float]:
    began = time.monotonic()
    return call(), time.monotonic() - began


PRESSURES: dict[str, Callable[[Hospitals], tuple[int, float]]] = {
    "fhir": lambda at: _timed(lambda: at.fetched("https://bad.example.org", at.bad).status_code),
    "keys": lambda at: _timed(lambda: at.fetched("https://keys.bad.example.org", at.bad).status_code),
    "token": lambda at: at.callback(),
    "sign-in": lambda at: _timed(lambda: at.launch(at.bad).status_code),
}


@contextlib.contextmanager
def pressed(at: Hospitals, name: str, answers: Answers) -> Iterator[None]:
    """Forty callers of the bad hospital, in a process of their own; (status, seconds) of every answer, at the end."""
    apart = multiprocessing.get_context("spawn")
    ended, (here, there) = apart.Event(), apart.Pipe(duplex=False)
    process = apart.Process(target=_keep_calling, args=(at, name, ended, there))
    process.start()
    try:
        assert here.recv() == "begun"
        yield
    finally:
        ended.set()
        answers += here.recv()
        process.join()


def _keep_calling(at: Hospitals, name: str, ended: Any, there: Any) -> None:
    call, answers = functools.partial(PRESSURES[name], at), list[tuple[int, float]]()

    def one_after_the_other(number: int) -> None:
        ended.wait(PAUSE_S * number / CALLERS)
        while not ended.is_set():
            with contextlib.suppress(requests.ConnectionError):
                answers.append(call())
            ended.wait(PAUSE_S)

    callers = [threading.Thread(target=one_after_the_other, args=(number,)) for number in range(CALLERS)]
    for one in callers:
        one.start()
    there.send("begun")
    for one in callers:
        one.join()
    there.send(answers)


@contextlib.contextmanager
def bad_servers(behaviour: unhelpful.Behaviour) -> Iterator[str]:
    """The bad hospital's servers, all at one address, in a process of their own: what they drip is no load of ours."""
    apart = multiprocessing.get_context("spawn")
    ended, (here, there) = apart.Event(), apart.Pipe(duplex=False)
    process = apart.Process(target=_serve_badly, args=(behaviour, ended, there))
    process.start()
    try:
        yield here.recv()
    finally:
        ended.set()
        process.join()


def _serve_badly(behaviour: unhelpful.Behaviour, ended: Any, there: Any) -> None:
    with unhelpful.serving(behaviour, answered=discovery) as base:
        there.send(base)
        ended.wait()

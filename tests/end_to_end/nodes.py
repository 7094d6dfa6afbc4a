"""A node of this service as a platform team runs one: its database, its state directory, its log, and signed calls."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jwt
import msgspec
import requests
import yaml

from fhir_mappings.terminology import concept_maps
from tests.acceptance.requests import a_request
from tests.cds_service.records.test_kill import a_free_port
from tests.cds_service.trust.signing import key, public
from tests.end_to_end.servers import wait

ISSUER = "https://ehr.example.org"


class Node(msgspec.Struct, frozen=True):
    """A running node; `master` is its first process."""

    url: str
    master: Any
    log: Path

    def ask(self, path: str, *, timeout: float = 10) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=timeout)

    def call(self, session: Any = requests, *, timeout: float = 20) -> requests.Response:
        """A call that nobody sent before, with a token of its own."""
        service = f"{self.url}/cds-services/surgical-risk"
        body = a_request() | {"hookInstance": str(uuid.uuid4())}
        headers = {"Authorization": f"Bearer {a_token(service)}"}
        return session.post(service, json=body, headers=headers, timeout=timeout)

    def feedback(self, card: str, *, timeout: float = 20) -> requests.Response:
        """What a clinician did with a card, sent with a token of its own."""
        service = f"{self.url}/cds-services/surgical-risk/feedback"
        item = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-29T12:00:00Z"}
        return requests.post(
            service, json={"feedback": [item]}, headers={"Authorization": f"Bearer {a_token(service)}"}, timeout=timeout
        )

    def lines(self, event: str) -> list[dict[str, Any]]:
        """What the log says of this event."""
        told = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in map(json.loads, told) if line.get("event") == event]


def a_token(service: str) -> str:
    """A token for this address that nobody sent before."""
    now = time.time()
    claims = {"iss": ISSUER, "aud": service, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4())}
    return jwt.encode(claims, key("ES384"), algorithm="ES384", headers={"typ": "JWT", "kid": "key-ES384"})


def a_tenant(url: str, **members: Any) -> dict[str, Any]:
    """A hospital whose EHR proves who it is, in the demonstration's own codes."""
    return {
        "id": "node", "environment": "dev", "public_url": url, "mode": "on", "card_floor": 0.0, "dedupe_window_s": 0.0,
        "clients": [{"issuer": ISSUER, "jwks": {"keys": [public("ES384")]}}], "concept_maps": [str(concept_maps.DEMO)],
    } | members  # fmt: skip


def command(folder: Path, port: int, *options: str, **members: Any) -> list[str]:
    """`cds-service serve` for one tenant, whose file is written into the folder."""
    (folder / "tenants").mkdir(exist_ok=True)
    one = a_tenant(f"http://127.0.0.1:{port}", **members)
    (folder / "tenants" / "node.yaml").write_text(yaml.safe_dump(one), encoding="utf-8")
    serve = ["-m", "cds_service.commands.cli", "serve", "--tenants", str(folder / "tenants")]
    return [sys.executable, *serve, "--bind", f"127.0.0.1:{port}", *options]


@contextlib.contextmanager
def small(folder: Path, mebibytes: int) -> Iterator[Path]:
    """A file system of so many MiB in memory, as a container's /dev/shm is; only root may make one, as in CI."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take what is left of the file system; the file that does."""
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
    return filler


def variables(folder: Path, database: str | None = None, **others: str) -> dict[str, str]:
    """The environment of a node that keeps everything in the folder."""
    (folder / "state").mkdir(exist_ok=True)
    url = database or f"sqlite:///{folder}/record.sqlite3"
    return {
        **os.environ,
        "DATABASE_URL": url,
        "CDS_STATE_DIRECTORY": str(folder / "state"),
        "CDS_DRAIN_S": "0",
        **others,
    }


@contextlib.contextmanager
def node(
    folder: Path, database: str | None = None, *options: str, tenant: Mapping[str, Any] | None = None, **others: str
) -> Iterator[Node]:
    """A node that answers; `tenant`: members of its hospital's file; `others`: variables of its environment."""
    port, log = a_free_port(), folder / "log"
    started = command(folder, port, *options, **(tenant or {}))
    with log.open("ab") as out:
        master = subprocess.Popen(started, env=variables(folder, database, **others), stderr=out, stdout=out)
    try:
        wait(master, f"http://127.0.0.1:{port}/cds-services", log)
        yield Node(f"http://127.0.0.1:{port}", master, log)
    finally:
        master.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            master.wait(40)
        master.kill()
        master.wait(10)


@contextlib.contextmanager
def callers(number: int, call: Callable[[], None]) -> Iterator[None]:
    """So many that call one after the other until the block ends."""
    ended = threading.Event()

    def keep_calling() -> None:
        while not ended.is_set():
            call()

    threads = [threading.Thread(target=keep_calling) for _ in range(number)]
    for one in threads:
        one.start()
    try:
        yield
    finally:
        ended.set()
        for one in threads:
            one.join()


def workers(one: Node) -> list[int]:
    """The processes that answer; one that ends just now is none."""
    found = Path(f"/proc/{one.master.pid}/task/{one.master.pid}/children").read_text(encoding="ascii").split()
    return [int(pid) for pid in found if _is_worker(Path(f"/proc/{pid}/cmdline"))]


def _is_worker(file: Path) -> bool:
    try:
        said = file.read_bytes()
    except OSError:
        return False
    return bool(said) and b"resource_tracker" not in said


def metric(one: Node, name: str) -> float:
    """The sum of every series of this name."""
    found = [line for line in one.ask("/metrics").text.splitlines() if line.startswith(name)]
    return sum(float(line.rpartition(" ")[2]) for line in found)


def until(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether it holds within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.1)
    return holds()

"""The service of one hospital whose operations run, as processes: started, asked, measured."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import jwt
import yaml
from flask import Flask

from cds_service.during import case_access
from cds_service.during.case_access import CaseReader
from cds_service.tenants import tenant_files
from cds_service.trust.seal import Seal
from fhir_mappings.terminology import concept_maps
from tests.cds_service.records.test_kill import a_free_port, is_ready, workers
from tests.cds_service.trust.signing import key, public

TENANT, ISSUER = "rooms", "https://rooms.example.org"
SESSION_KEY = "r" * 40


class Service:
    """The running service: where it takes orders, where what is below /during, and its processes."""

    def __init__(
        self, folder: Path, database: str, binds: tuple[str, str], masters: tuple[subprocess.Popen[bytes], ...]
    ) -> None:
        self.folder, self.database = folder, database
        self.bind, self.during = binds
        self.masters = dict.fromkeys(masters)

    def processes(self) -> list[int]:
        """Every process of it."""
        return [pid for one in self.masters for pid in (one.pid, *workers(one))]

    def a_worker(self) -> int:
        """One that answers what is below /during."""
        return workers(list(self.masters)[-1])[0]

    def headers(self, path: str) -> dict[str, str]:
        now = time.time()
        aud = f"http://{self.bind}{path}"
        claims = {"iss": ISSUER, "aud": aud, "iat": now, "exp": now + 240, "jti": str(uuid.uuid4())}
        signed = jwt.encode(claims, key(), algorithm="ES384", headers={"kid": "key-ES384"})
        return {"Authorization": f"Bearer {signed}", "Content-Type": "application/json"}

    def cookie(self, patient: str) -> str:
        """That of a browser that signed in for a patient."""
        (tenant,) = tenant_files.load(self.folder / "tenants")
        with Flask(__name__).test_request_context():
            response = Flask.response_class()
            case_access.remember(response, tenant, CaseReader(TENANT, patient, "u"), Seal(SESSION_KEY.encode()))
        return str(response.headers["Set-Cookie"].partition(";")[0])

    def memory_mb(self) -> float:
        """What all its processes hold, shared pages counted once (PSS)."""
        return sum(map(_kilobytes, self.processes())) / 1024

    def cpu_s(self) -> float:
        """CPU of the master, its workers, and those that ended."""
        masters = {one.pid for one in self.masters}
        return sum(_cpu_s(pid, ended=pid in masters) for pid in self.processes())


def _kilobytes(pid: int) -> int:
    with contextlib.suppress(OSError):
        told = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        return int(re.findall(r"^Pss:\s+(\d+)", told, re.MULTILINE)[0])
    return 0


def _cpu_s(pid: int, *, ended: bool) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return sum(map(int, fields[11 : 15 if ended else 13])) / os.sysconf("SC_CLK_TCK")
    return 0.0


@contextlib.contextmanager
def service(folder: Path, database: str, *, apart: bool = False) -> Iterator[Service]:
    """`cds-service serve` with one tenant whose mode is live.

    `apart`: what is below /during has processes of its own, which give way to those that answer orders.
    """
    bind = f"127.0.0.1:{a_free_port()}"
    (folder / "tenants").mkdir(parents=True)
    tenant = {
        "id": TENANT, "environment": "dev", "public_url": f"http://{bind}", "mode": "on", "card_floor": 0.0,
        "clients": [{"issuer": ISSUER, "jwks": {"keys": [public("ES384")]}}], "during": {"mode": "live"},
        "fhir_base_urls": ["https://fhir.example.org/r4"], "concept_maps": [str(concept_maps.DEMO)],
    }  # fmt: skip
    (folder / "tenants" / "rooms.yaml").write_text(yaml.safe_dump(tenant), encoding="utf-8")
    with contextlib.ExitStack() as opened:
        master = opened.enter_context(_serving(folder, database, bind))
        during, of_during = bind, master
        if apart:
            during = f"127.0.0.1:{a_free_port()}"
            of_during = opened.enter_context(_serving(folder, database, during, "nice", "-n", "10"))
        yield Service(folder, database, (bind, during), (master, of_during))


@contextlib.contextmanager
def _serving(folder: Path, database: str, bind: str, *before: str) -> Iterator[subprocess.Popen[bytes]]:
    state = folder / f"state-{bind.rpartition(':')[2]}"
    state.mkdir()
    command = [sys.executable, "-m", "cds_service.commands.cli", "serve", "--tenants", str(folder / "tenants")]
    environment = os.environ | {
        "DATABASE_URL": database, "CDS_STATE_DIRECTORY": str(state), "CDS_SESSION_KEY": SESSION_KEY,
    }  # fmt: skip
    with (
        (folder / "log").open("ab") as log,
        subprocess.Popen(
            [*before, *command, "--bind", bind, "--workers", "2"], env=environment, stdout=log, stderr=log
        ) as master,
    ):
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until and not is_ready(bind):
                assert master.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)
            yield master
        finally:
            master.terminate()
            master.wait(30)


class Line:
    """One connection that is kept; whoever is at the other end may die."""

    def __init__(self, bind: str) -> None:
        self._bind = bind
        self._open: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and body; 0 where there was no answer."""
        try:
            if self._open is None:
                self._open = http.client.HTTPConnection(self._bind, timeout=10)
            self._open.request(method, path, body, headers)
            answer = self._open.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return 0, b""

    def close(self) -> None:
        """Hang up."""
        if self._open is not None:
            self._open.close()
        self._open = None

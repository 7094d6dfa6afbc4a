"""One gunicorn with one gthread worker: milliseconds of CPU and requests per second, from outside."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from tests.end_to_end import servers

ROOT = Path(__file__).resolve().parents[2]
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_HOOK_INSTANCE = re.compile(rb'(?<="hookInstance": ")[0-9a-f-]{36}')
PATH = "/cds-services/surgical-risk"


class Server(msgspec.Struct):
    """A server under test: its port, where it answers, and the process ids whose CPU time counts."""

    name: str
    port: int
    path: str = PATH

    def processes(self) -> list[int]:
        """Every process whose command line holds the port: the arbiter and its worker."""
        mark = f"127.0.0.1:{self.port}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (folder / "cmdline").read_bytes():
                    found.append(int(folder.name))
        return found

    def cpu_s(self) -> float:
        """CPU seconds that its processes have used so far."""
        total = 0
        for process in self.processes():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
                total += int(fields[11]) + int(fields[12])
        return total / _TICKS_PER_S


class Run(msgspec.Struct):
    """One round: CPU milliseconds per request, requests per second, and each request's milliseconds."""

    cpu_ms: float
    per_s: float
    latencies_ms: list[float]

    @property
    def p50_ms(self) -> float:
        return statistics.median(self.latencies_ms)


def post(server: Server, body: bytes, count: int, *, authorization: Callable[[], str] | None = None) -> Run:
    """Send `count` requests one after the other over one connection; every answer has to be 200."""
    headers = [_headers(authorization) for _ in range(count)]
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    latencies: list[float] = []
    cpu, started = server.cpu_s(), time.perf_counter()
    for sent in headers:
        # A hookInstance of its own: an exact retry would be answered from memory (DEC-17).
        fresh = _HOOK_INSTANCE.sub(str(uuid.uuid4()).encode(), body, count=1)
        before = time.perf_counter()
        connection.request("POST", server.path, fresh, sent)
        response = connection.getresponse()
        answer = response.read()
        latencies.append(1000 * (time.perf_counter() - before))
        assert response.status == 200, answer[:300]
    elapsed = time.perf_counter() - started
    connection.close()
    return Run(1000 * (server.cpu_s() - cpu) / count, count / elapsed, latencies)


def _headers(authorization: Callable[[], str] | None) -> dict[str, str]:
    token = {"Authorization": authorization()} if authorization is not None else {}
    return {"Content-Type": "application/json", **token}


@contextlib.contextmanager
def gunicorn(
    name: str, application: str, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A WSGI application under the product's own gunicorn settings, one worker; what it writes lies in `folder`."""
    port = servers.free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "cds_service" / "web" / "gunicorn_conf.py")]
    command += ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "8", application]
    folder.mkdir(exist_ok=True)
    variables = {"PYTHONPATH": str(ROOT), **(environment or {})}
    url, log = f"http://127.0.0.1:{port}/cds-services", folder / "gunicorn.log"
    with servers.running(command, url, log=log, cwd=folder, environment=variables):
        yield Server(name, port)

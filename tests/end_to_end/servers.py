"""Real servers on the loopback interface: HAPI FHIR, SEKMET, the demo store, and this service under gunicorn."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import venv
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import requests
from flask import Flask
from werkzeug.serving import make_server

from cds_service.demo import store

HERE = Path(__file__).parent
# Built once and kept between runs: 300 MB of jars, and a virtual environment of SEKMET's own.
BUILD = Path(os.environ.get("END_TO_END_BUILD", HERE.parents[1] / ".build"))
START_S = 480.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    command: list[str],
    ready_url: str,
    *,
    log: Path,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """The command, from when `ready_url` answers until the block ends; what it printed goes into `log`."""
    variables = {**os.environ, **(environment or {})}
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=cwd, env=variables, stdout=output, stderr=output) as process,
    ):
        try:
            wait(process, ready_url, log)
            yield
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


def wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Until `url` answers; RuntimeError with what the process printed where it does not start."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        with contextlib.suppress(requests.RequestException):
            if requests.get(url, timeout=5).status_code < 500:
                return
        time.sleep(0.2)
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text(errors='replace')[-4000:]}")


@contextlib.contextmanager
def in_turn(name: str) -> Iterator[None]:
    """Of the processes of one run that want the same program, one installs it and the others wait."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / f".installing-{name}").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def hapi_jar() -> Path:
    """The assembled HAPI FHIR JPA server, built with Maven if it is not there yet; of each source a jar of its own."""
    written = zlib.crc32(b"".join(path.read_bytes() for path in sorted((HERE / "hapi").rglob("*.*")) if path.is_file()))
    jar = BUILD / f"hapi-{written:08x}" / "local-fhir-server.jar"
    with in_turn("hapi"):
        if not jar.exists():
            pom = str(HERE / "hapi" / "pom.xml")
            command = ["mvn", "-B", "-q", "-f", pom, f"-DbuildDirectory={jar.parent}", "package"]
            subprocess.run(command, check=True, timeout=1200)
    return jar


@contextlib.contextmanager
def hapi(log: Path) -> Iterator[str]:
    """The base URL of a HAPI FHIR R4 server with nothing in it."""
    port = free_port()
    base = f"http://127.0.0.1:{port}/fhir"
    command = ["java", "-Xmx1500m", "-jar", str(hapi_jar()), f"--server.port={port}"]
    with running(command, f"{base}/metadata", log=log):
        yield base


def sekmet_command() -> Path:
    """SEKMET's command, in a virtual environment of its own: it wants its own fhir.resources."""
    home = BUILD / "sekmet"
    command = home / "bin" / "sekmet"
    with in_turn("sekmet"):
        if not command.exists():
            venv.create(home, with_pip=True, clear=True)
            subprocess.run([home / "bin" / "pip", "install", "--quiet", "sekmet-fhir==0.1.1"], check=True, timeout=600)
    return command


@contextlib.contextmanager
def sekmet(token: str, folder: Path) -> Iterator[str]:
    """The base URL of a SEKMET server that answers 401 without this bearer token."""
    port = free_port()
    base = f"http://127.0.0.1:{port}/fhir"
    settings = {
        "base_url": base,
        "host": "127.0.0.1",
        "port": port,
        "data_dir": str(folder / "sekmet-data"),
        "server_auth": {"types": ["bearer"], "tokens": [token], "enforce_scopes": True},
        "validation": {"inbound": "warn"},
        "simulator": {"enabled": False},
        "log_inbound": False,
    }
    file = folder / "sekmet.yaml"
    file.write_text(json.dumps(settings))
    command = [str(sekmet_command()), "serve", "--config", str(file)]
    with running(command, f"{base}/metadata", log=folder / "sekmet.log"):
        yield base


@contextlib.contextmanager
def embedded_store(resources: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The base URL of the product's own demo store, holding these resources."""
    held = tuple(resources)
    app = Flask(__name__)
    app.register_blueprint(store.blueprint(lambda _: held), url_prefix="/fhir")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/fhir"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def service(
    tenant: Mapping[str, Any], *extra: str, others: Iterable[Mapping[str, Any]] = (), port: int | None = None
) -> Iterator[str]:
    """The URL of `cds-service serve` for this tenant and others; JSON is YAML, so the files are written as JSON."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    folder = Path(tempfile.mkdtemp())
    try:
        tenants = folder / "tenants"
        tenants.mkdir()
        for number, one in enumerate((tenant, *others)):
            (tenants / f"hospital-{number}.yaml").write_text(json.dumps({"public_url": url, **one}))
        command = [sys.executable, "-m", "cds_service.commands.cli", "serve", "--tenants", str(tenants)]
        command += ["--bind", f"127.0.0.1:{port}", *extra]
        with running(command, f"{url}/cds-services", log=folder / "service.log", cwd=folder):
            yield url
    finally:
        shutil.rmtree(folder)

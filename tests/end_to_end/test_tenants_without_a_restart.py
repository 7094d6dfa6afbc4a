"""A hospital comes, breaks its file and goes while real workers answer: no call fails, and every worker follows."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.acceptance.requests import a_request
from tests.conformance.conftest import SERVICE, a_tenant_file, a_token
from tests.end_to_end import servers

pytestmark = pytest.mark.end_to_end

WITHIN_S = 60.0
ISSUER = "https://second.example.org"


def _second(folder: Path, **members: Any) -> None:
    first = yaml.safe_load((folder / "tenant.yaml").read_text(encoding="utf-8"))
    client = {**first["clients"][0], "issuer": ISSUER, "tenants": []}
    told = {**first, "id": "second", "clients": [client], **members}
    (folder / "second.tmp").write_text(yaml.safe_dump(told), encoding="utf-8")
    (folder / "second.tmp").rename(folder / "second.yaml")


def _call(url: str, **claims: Any) -> int:
    body = a_request(fhirServer=None, fhirAuthorization=None)
    return requests.post(f"{url}{SERVICE}", json=body, headers=a_token(**claims), timeout=20).status_code


def _told_by_the_command(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cds_service.commands.cli", "tenants", "--tenants", str(folder), "--wait"]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
    )


def test_every_worker_follows_the_folder_and_the_hospitals_that_stay_feel_nothing(tmp_path: Path) -> None:
    folder = a_tenant_file(tmp_path / "tenants")
    bind = f"127.0.0.1:{servers.free_port()}"
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/r.sqlite3", "CDS_STATE_DIRECTORY": str(tmp_path)}
    command = [sys.executable, "-m", "cds_service.commands.cli", "serve", "--tenants", str(folder), "--bind", bind]
    url, stop, answers = f"http://{bind}", threading.Event(), list[int]()

    def ask() -> None:
        while not stop.is_set():
            answers.append(_call(url))
            time.sleep(0.1)

    with servers.running(command, f"{url}/readyz", log=tmp_path / "log", environment=environment):
        asking = threading.Thread(target=ask)
        asking.start()
        try:
            assert _call(url, iss=ISSUER) == 401
            _second(folder)
            assert "in force in 2 of 2 workers" in _told_by_the_command(folder, environment).stdout
            assert {_call(url, iss=ISSUER) for _ in range(10)} == {200}
            _second(folder, mode="loud")
            wrong = _told_by_the_command(folder, environment)
            assert (wrong.returncode, "second.yaml:" in wrong.stderr) == (1, True)
            _wait_until_told(url)
            assert {_call(url, iss=ISSUER) for _ in range(10)} == {200}
            (folder / "second.yaml").unlink()
            assert _told_by_the_command(folder, environment).returncode == 0
            assert {_call(url, iss=ISSUER) for _ in range(10)} == {401}
        finally:
            stop.set()
            asking.join()
    assert set(answers) == {200}


def _wait_until_told(url: str) -> None:
    until = time.monotonic() + WITHIN_S
    while "second.yaml:" not in requests.get(f"{url}/ready", timeout=10).json().get("tenantsRefused", ""):
        assert time.monotonic() < until, "no worker told of the file that is wrong"
        time.sleep(0.5)

"""The kill switch, really: thrown on the command line, in force in every worker within 60 s, and taken back (R-E05)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.acceptance.requests import a_request
from tests.cds_service.records.test_kill import serving, workers

pytestmark = pytest.mark.end_to_end
CALLS = 30


def command(url: str, *words: str) -> None:
    who = ("--by", "A. Jones", "--reason", "drill")
    program = [sys.executable, "-m", "cds_service.commands.cli", *words, *who]
    subprocess.run(program, env=os.environ | {"DATABASE_URL": url}, check=True, capture_output=True)


def call(url: str) -> dict[str, Any]:
    response = requests.post(url, json=a_request() | {"hookInstance": str(uuid.uuid4())}, timeout=30)
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    return answer


def reasons(url: str) -> set[str | None]:
    """Why each of many calls was silent; a new connection each, so that every worker is among those who answer."""
    told = [call(url).get("extension", {}).get("io.surgical-risk.silence", {}).get("reason") for _ in range(CALLS)]
    return set(told)


def seconds_until(url: str, expected: set[str | None]) -> float:
    began = time.monotonic()
    while reasons(url) != expected:
        assert time.monotonic() - began < 60, "not in force in every worker within 60 s"
        time.sleep(0.5)
    return time.monotonic() - began


def health(url: str) -> str:
    told: str = requests.get(re.sub(r"/cds-services.*", "/health", url), timeout=30).json()["killSwitch"]
    return told


def test_it_holds_in_every_worker_within_a_minute_and_can_be_taken_back(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/record.sqlite3"
    with serving(tmp_path, database) as (master, url):
        assert len(workers(master)) == 2
        assert reasons(url) == {None}
        command(database, "kill")
        assert seconds_until(url, {"kill-switch"}) < 60
        assert health(url) == "on"
        command(database, "kill", "--off")
        assert seconds_until(url, {None}) < 60
        command(database, "kill", "--tenant", "demo")
        assert seconds_until(url, {"kill-switch"}) < 60

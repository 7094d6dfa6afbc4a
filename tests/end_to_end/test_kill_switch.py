"""The kill switch, really: thrown on the command line, in force in every worker within 60 s, and taken back (R-E05)."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_service.records import migrate
from tests.acceptance.requests import a_request
from tests.cds_service.records import postgres
from tests.cds_service.records.test_kill import serving, workers

pytestmark = pytest.mark.end_to_end
CALLS = 30


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/record.sqlite3"
        return
    with postgres.server() as folder, postgres.database(folder) as url:
        yield url


def command(url: str, *words: str) -> None:
    who = ("--by", "A. Jones", "--reason", "drill")
    program = [sys.executable, "-m", "cds_service.commands.cli", *words, *who]
    subprocess.run(program, env=os.environ | {"DATABASE_URL": url}, check=True, capture_output=True)


def said(url: str, *words: str) -> tuple[int, str]:
    """The exit code and everything that a command printed."""
    program = [sys.executable, "-m", "cds_service.commands.cli", *words, "--by", "A. Jones", "--reason", "drill"]
    done = subprocess.run(program, env=os.environ | {"DATABASE_URL": url}, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


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


MODE = ("mode", "set", "demo", "off")  # in CI: tests/end_to_end/test_two_nodes.py


@pytest.mark.parametrize("words", [("kill",), pytest.param(MODE, marks=pytest.mark.long)], ids=" ".join)
def test_waiting_ends_once_both_nodes_have_it_and_fails_where_one_does_not(
    words: tuple[str, ...], tmp_path: Path, empty_url: str
) -> None:
    """Two nodes of two workers on one database, each with a state directory of its own."""
    migrate.upgrade(empty_url)
    reason = {"kill-switch" if words[0] == "kill" else "mode-off"}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with serving(tmp_path / "one", empty_url) as (_, one), serving(tmp_path / "two", empty_url) as (other, two):
        code, told = said(empty_url, *words, "--wait")
        assert (code, "4 of 4 workers have it" in told) == (0, True), told
        assert reasons(one) == reasons(two) == reason
        stuck = workers(other)[0]
        os.kill(stuck, signal.SIGSTOP)
        try:
            code, told = said(empty_url, "kill", "--tenant", "demo", "--wait")
        finally:
            os.kill(stuck, signal.SIGCONT)
        # It falls out of the list after ALIVE_S, and is not taken for one that has it.
        assert (code, "workers have it; silent since, and unknown: 1 on" in told) == (1, True), told

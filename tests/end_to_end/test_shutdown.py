"""A service that is told to stop ends in order: every worker leaves by itself, and nothing aborts."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.end_to_end import servers

pytestmark = pytest.mark.end_to_end


def test_workers_end_without_an_abort(tmp_path: Path) -> None:
    port, log = servers.free_port(), tmp_path / "log"
    command = [sys.executable, "-m", "cds_service.commands.cli", "serve", "--demo", "--bind", f"127.0.0.1:{port}"]
    with log.open("wb") as output, subprocess.Popen(command, cwd=tmp_path, stdout=output, stderr=output) as service:
        servers.wait(service, f"http://127.0.0.1:{port}/ready", log)
        service.send_signal(signal.SIGTERM)
        assert service.wait(30) == 0
    told = log.read_text()
    assert "SIGABRT" not in told
    assert "terminate called" not in told
    assert told.count("Worker exiting") == 2
    assert all(json.loads(line)["event"] for line in told.splitlines()), "every line is a JSON object, gunicorn's too"


def test_a_worker_that_answers_no_more_is_told_and_counted(tmp_path: Path) -> None:
    port, log = servers.free_port(), tmp_path / "log"
    quick = "from cds_service.commands.cli import main; from cds_service.web import gunicorn_conf as c; c.timeout = 8"
    command = [sys.executable, "-c", f"{quick}; main()", "serve", "--demo", "--bind", f"127.0.0.1:{port}"]
    url = f"http://127.0.0.1:{port}"
    with servers.running(command, f"{url}/ready", log=log, cwd=tmp_path):
        pids = re.findall(r"Booting worker with pid: (\d+)", log.read_text())
        os.kill(int(pids[0]), signal.SIGSTOP)
        until = time.monotonic() + 90
        while "surgical_risk_worker_timeouts_total 0.0" in requests.get(f"{url}/metrics", timeout=30).text:
            assert time.monotonic() < until
            time.sleep(0.5)
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert f"WORKER TIMEOUT (pid:{pids[0]})" in [entry.get("told") for entry in entries]

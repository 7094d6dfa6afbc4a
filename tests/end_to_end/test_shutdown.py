"""A service that is told to stop ends in order: every worker leaves by itself, and nothing aborts."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

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

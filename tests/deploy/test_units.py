"""The units of systemd: understood whole, hardened, and handed their secrets as files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SERVICES = sorted(DEPLOY.glob("*.service"))
UNITS = [*SERVICES, *sorted(DEPLOY.glob("*.timer"))]
# Of ten, by systemd's own reckoning; a unit without any hardening has 9.6.
MOST_EXPOSED_TENTHS = 15


@pytest.mark.end_to_end
def test_systemd_knows_every_line(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/surgical-risk/bin/cds-service", "/bin/true")
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    command = ["systemd-analyze", "verify", "--recursive-errors=no", *[str(tmp_path / unit.name) for unit in UNITS]]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.end_to_end
@pytest.mark.parametrize("unit", SERVICES, ids=lambda one: one.stem)
def test_a_service_is_hardened(unit: Path) -> None:
    threshold = [f"--threshold={MOST_EXPOSED_TENTHS}", "--offline=true", "--no-pager"]
    command = ["systemd-analyze", "security", *threshold, str(unit)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-400:]


@pytest.mark.parametrize("unit", SERVICES, ids=lambda one: one.stem)
def test_its_secrets_are_credentials_and_no_variable_holds_one(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    assert "DATABASE_URL_FILE=%d/database-url" in text
    assert "DATABASE_URL=" not in text
    for line in text.splitlines():
        if line.startswith("LoadCredential="):
            name = line.removeprefix("LoadCredential=").split(":")[0]
            assert f"%d/{name}" in text

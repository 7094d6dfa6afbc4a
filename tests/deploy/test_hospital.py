"""`make hospital`: the whole way from a silent phase to cards is one command, and it says what it does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.end_to_end
ROOT = Path(__file__).resolve().parents[2]


def test_an_invented_hospital_is_refused_and_then_goes_live(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "deploy" / "hospital.py"), str(tmp_path / "hospital")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout
    assert told.index("on is refused for demo-hospital") < told.index("mode: on for tenant=demo-hospital")
    assert "alarms of four weeks: " in told
    assert "unmapped" in told.partition("alarms of four weeks: ")[2].partition("\n")[0]
    for page in ("report/validation.html", "monitoring/demo-hospital.html", "monitoring/index.html"):
        assert (tmp_path / "hospital" / page).stat().st_size > 10_000 or page.endswith("index.html")

"""The memory of `cds-service monitor` does not grow with the record, and its time no faster than the record."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from cds_service.demo_hospital.hospital import TENANT
from tests.benchmarks import large_record

pytestmark = [pytest.mark.benchmark, pytest.mark.long]
FEW, MANY = 3, 12  # times forty weeks of the invented hospital: 12,900 and 51,400 calls
MOST_GROWTH, MOST_SLOWER = 1.1, 1.3
MEASURED = """
import sys, time
from datetime import date
from pathlib import Path
from cds_service.monitoring import monitor_page, watch
from cds_service.monitoring.monitors import monitors
from cds_service.records import database
from models_onnx.outcome_horizons import outcome_horizons
engine = database.connect(f"sqlite:///{sys.argv[1]}", durable=True, connections=2)
of = watch.of_tenant(engine, sys.argv[2], today=date.fromisoformat(sys.argv[3]), horizons=outcome_horizons(),
                     limits=monitors())
monitor_page.of_tenant(of, monitors())
# The most of this program alone (proc_pid_status(5)): getrusage counts what its parent held before it began.
most = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(of.calls, int(most.split()[1]) / 1024, time.process_time())
"""


def test_memory_does_not_grow_with_the_record(tmp_path: Path) -> None:
    record = large_record.invented(tmp_path / "hospital")
    found = {}
    for copies in (FEW, MANY):
        until = large_record.repeated(record, tmp_path / f"{copies}.sqlite3", copies=copies)
        found[copies] = _measured(tmp_path / f"{copies}.sqlite3", until)
    print({copies: f"{calls:.0f} calls, {mb:.0f} MB, {s:.1f} s" for copies, (calls, mb, s) in found.items()})
    (few, few_mb, few_s), (many, many_mb, many_s) = found[FEW], found[MANY]
    assert many == 4 * few
    assert many_mb <= few_mb * MOST_GROWTH
    assert many_s <= 4 * few_s * MOST_SLOWER


def _measured(record: Path, until: date) -> tuple[float, float, float]:
    """Calls, megabytes at most and seconds of processor of the page of a record, in a process of its own."""
    command = [sys.executable, "-c", MEASURED, str(record), TENANT, str(until)]
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    calls, megabytes, seconds = map(float, done.stdout.split())
    return calls, megabytes, seconds

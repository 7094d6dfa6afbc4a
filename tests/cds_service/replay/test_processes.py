"""One process, two, and one that was killed give the same rows, byte for byte; what is lost or dropped is counted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cds_service.demo import patients
from cds_service.replay import processes, split
from cds_service.replay.opened import NamedOpening
from cds_service.replay.processes import Done
from tests.fhir_mappings.cohorts import SHARED

AS_OF = datetime(2026, 11, 1, 12, tzinfo=UTC)
COPIES = 60


def _ignored(what: str, done: int, of: int) -> None:
    assert done <= of, what


def a_large_export(folder: Path, copies: int = COPIES) -> Path:
    """The demo patients many times, each under an id of its own, with an order of each."""
    folder.mkdir()
    with (folder / "all.ndjson").open("w", encoding="utf-8") as file:
        for number in range(copies):
            for someone in patients.load(AS_OF):
                order = {**patients.planned(someone, AS_OF), "authoredOn": (AS_OF - timedelta(days=1)).isoformat()}
                for resource in (*someone.resources, order):
                    text = json.dumps(resource).replace(f"Patient/{someone.id}", f"Patient/{someone.id}-{number}")
                    if resource["resourceType"] == "Patient":
                        text = text.replace(f'"{someone.id}"', f'"{someone.id}-{number}"')
                    file.write(text + "\n")
        file.write('{"resourceType": "Claim", "id": "c", "patient": {"reference": "Patient/x"}}\n{broken\n')
        file.write('{"resourceType": "Condition", "id": "of-nobody"}\n')
    return folder


def run(export: Path, folder: Path, **named: Any) -> Done:
    many = named.pop("processes", 1)
    out, work = folder / f"rows-{many}", folder / f"work-{many}"
    return processes.run(export, out, work, NamedOpening(**named), processes=many, progress=_ignored)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_large_export(tmp_path_factory.mktemp("large") / "export")


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "CHUNK_BYTES", 100_000)


def test_two_processes_give_the_rows_of_one(export: Path, tmp_path: Path) -> None:
    one, two = run(export, tmp_path), run(export, tmp_path, processes=2)
    assert one.sha256 == two.sha256
    assert (tmp_path / "rows-1").read_bytes() == (tmp_path / "rows-2").read_bytes()
    assert one.counts == two.counts
    assert one.rows == COPIES * 9
    assert one.counts["dropped Claim"] == one.counts["lost broken-line"] == one.counts["of-nobody Condition"] == 1
    lines = (tmp_path / "rows-1").read_bytes().splitlines()
    assert lines == sorted(lines)
    assert (tmp_path / "rows-1").stat().st_mode & 0o077 == 0


def test_a_finished_folder_is_not_answered_again_and_another_replay_is_refused(export: Path, tmp_path: Path) -> None:
    first = run(export, tmp_path)
    row = sorted((tmp_path / "work-1").glob("rows.*"))[0]
    before = row.stat().st_mtime_ns
    assert run(export, tmp_path) == first
    assert row.stat().st_mtime_ns == before
    with pytest.raises(processes.OtherReplayError):
        run(export, tmp_path, procedures_too=True)


def test_nothing_of_a_replay_can_be_read_by_others(export: Path, tmp_path: Path) -> None:
    """Whole charts lie in the folder of work: also where it was there, and where the umask lets others read."""
    (tmp_path / "work-1").mkdir(mode=0o755)
    before = os.umask(0o022)
    try:
        run(export, tmp_path)
    finally:
        os.umask(before)
    written = [tmp_path / "rows-1", tmp_path / "work-1", *(tmp_path / "work-1").rglob("*")]
    assert {"medications.sqlite3", "sorted.json", "data"} <= {path.name for path in written}
    assert [path.name for path in written if path.stat().st_mode & 0o077] == []


def test_what_was_killed_goes_on_and_ends_alike(export: Path, tmp_path: Path) -> None:
    """SIGKILL while the export is sorted, and again while orders are answered; then to the end."""
    work, out = tmp_path / "work-1", tmp_path / "rows-1"
    command = [sys.executable, "-m", "cds_service.commands.cli", "replay", str(export), "--processes", "1"]
    command += ["--work", str(work), "--out", str(out)]
    for begun in (lambda: any((work / "data").glob("*")), lambda: any(work.glob("rows.*"))):
        running = subprocess.Popen(
            command, start_new_session=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        until = time.monotonic() + 120
        while not begun() and running.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    assert not out.exists()
    killed = run(export, tmp_path)
    whole = run(export, tmp_path / "again")
    assert (killed.sha256, killed.counts) == (whole.sha256, whole.counts)


@pytest.mark.shared
@pytest.mark.long
def test_synthea_in_one_process_and_in_two(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    for name in ("Patient", "Condition", "Procedure", "MedicationRequest", "Medication", "Encounter"):
        (export / f"{name}.ndjson.gz").symlink_to(SHARED / f"{name}.ndjson.gz")
    one, two = (run(export, tmp_path, processes=many, procedures_too=True) for many in (1, 2))
    assert (one.sha256, one.counts) == (two.sha256, two.counts)
    assert one.counts["card"] > 0
    assert one.counts.get("error", 0) == 0

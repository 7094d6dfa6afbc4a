"""The mapping report from a real HAPI: demo and Synthea patients by search, and what the same data give as NDJSON."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fhir_mappings.terminology.concept_maps import DEMO
from tests.end_to_end import people

pytestmark = pytest.mark.end_to_end
AS_OF = datetime.now(UTC).isoformat()


def reported(folder: Path, *words: str) -> tuple[str, Counter[tuple[str, ...]]]:
    """What the command printed, and the rows of its table."""
    table = folder / "r.csv"
    command = [
        sys.executable,
        "-m",
        "cds_service.commands.cli",
        "mapping-report",
        *words,
        "--map",
        str(DEMO),
        "--as-of",
        AS_OF,
    ]
    command += ["--html", str(folder / "r.html"), "--csv", str(table)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    rows = list(csv.reader(table.read_text(encoding="utf-8").splitlines()))[1:]
    return done.stdout, Counter({tuple(row[:4]): int(row[4]) for row in rows})


def as_ndjson(folk: tuple[people.Person, ...], folder: Path) -> Path:
    folder.mkdir()
    for resource in people.everything(folk):
        with (folder / f"{resource['resourceType']}.ndjson").open("a") as lines:
            lines.write(json.dumps(resource) + "\n")
    return folder


def test_hapi_and_the_same_data_as_ndjson_give_the_same_report(
    hapi: str, folk: tuple[people.Person, ...], tmp_path: Path
) -> None:
    listed = tmp_path / "ids"
    listed.write_text("\n".join(person.id for person in folk))
    printed, searched = reported(tmp_path, "--fhir", hapi, "--searches", "--patients", str(listed))
    assert f"{len(folk)} patients read, 0 unreadable" in printed
    _, exported = reported(tmp_path, str(as_ndjson(folk, tmp_path / "export")))
    kinds = {"coverage", "present", "unmapped", "units", "orders"}
    assert {row: n for row, n in searched.items() if row[0] in kinds} == {
        row: n for row, n in exported.items() if row[0] in kinds
    }
    assert searched["coverage", "asa_class", "used", ""] >= len(folk) // 2


def test_the_server_lists_its_patients_itself(hapi: str, folk: tuple[people.Person, ...], tmp_path: Path) -> None:
    printed, _ = reported(tmp_path, "--fhir", hapi, "--at-most", "5")
    assert "5 patients read, 0 unreadable" in printed
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert not any(person.id in page for person in folk)

"""The mapping report is made from an export, with counts and nothing of any patient."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.commands.cli import main
from cds_service.demo import patients
from tests.builders import a_condition, a_patient, coded


def test_an_export_becomes_a_page_and_a_table(tmp_path: Path) -> None:
    by_type: dict[str, list[str]] = {}
    for resource in patients.everything(datetime.now(UTC)):
        by_type.setdefault(resource["resourceType"], []).append(json.dumps(resource))
    for kind, lines in by_type.items():
        (tmp_path / f"{kind}.ndjson").write_text("\n".join(lines))
    page, table = tmp_path / "report.html", tmp_path / "report.csv"
    done = CliRunner().invoke(main, ["mapping-report", str(tmp_path), "--html", str(page), "--csv", str(table)])
    assert done.exit_code == 0, done.output
    assert "9 patients read, 0 unreadable" in done.output
    assert "creatinine" in page.read_text()
    assert "coverage,creatinine" in table.read_text()
    assert "Frieda" not in page.read_text() + table.read_text()


def run(export: Path, *words: str) -> Result:
    out = export.parent
    files = ["--html", str(out / "r.html"), "--csv", str(out / "r.csv")]
    return CliRunner().invoke(main, ["mapping-report", str(export), *files, *words])


def an_export(tmp_path: Path, **files: str | bytes) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    for name, content in files.items():
        path = folder / name.replace("_", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


PATIENT = json.dumps(a_patient())
UNREAD = json.dumps(a_condition(coded(("https://hospital.example/icd10", "I50.9"))))


def test_the_first_steps_are_told_where_the_command_ends(tmp_path: Path) -> None:
    done = run(an_export(tmp_path, a_ndjson=f"{PATIENT}\n{UNREAD}\n"))
    assert done.exit_code == 0, done.output
    assert "1. No diagnosis is read: 1 of 1 diagnosis of 1 person (everybody) is coded in" in done.output
    assert "code_systems: {https://hospital.example/icd10: icd-10-gm}" in done.output
    cured = run(tmp_path / "export", "--code-system", "https://hospital.example/icd10", "icd-10-gm")
    assert "diagnosis" not in cured.output


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "export holds no file of FHIR data (.ndjson, .ndjson.gz, .json, .json.gz)"),
        ({"notes_txt": "words"}, "export holds no file of FHIR data"),
        ({"a_ndjson": ""}, "no patient could be read"),
        (
            {"a_ndjson": "id;name\n1;x\n"},
            "no patient could be read; lines that are no FHIR resource: 2; files without any FHIR resource: 1",
        ),
        ({"a_ndjson": UNREAD}, "no patient could be read; people without a Patient resource: 1"),
        ({"a_ndjson": f"{PATIENT}\n{{broken\n{UNREAD[:50]}\n"}, "lines that are no FHIR resource: 2"),
        (
            {"a_ndjson": PATIENT, "b_ndjson_gz": gzip.compress(UNREAD.encode())[:-9]},
            "files that cannot be read to their end: 1",
        ),
        (
            {"a_ndjson": PATIENT, "b_ndjson": "<xml/>"},
            "lines that are no FHIR resource: 1; files without any FHIR resource: 1",
        ),
    ],
)
def test_what_cannot_be_read_ends_with_a_message_and_exit_code_one(
    files: dict[str, str | bytes], told: str, tmp_path: Path
) -> None:
    done = run(an_export(tmp_path, **files))
    assert done.exit_code == 1
    assert f"Error: {told}" in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize("beside", ["", '{"resourceType": "Condition"}', '{"resourceType": "Location"}'])
def test_what_was_read_whole_ends_with_exit_code_zero(beside: str, tmp_path: Path) -> None:
    done = run(an_export(tmp_path, a_ndjson=f"{PATIENT}\n{beside}\n", README_md="words"))
    assert done.exit_code == 0, done.output
    assert "name no patient" in (tmp_path / "r.html").read_text() or "Condition" not in beside


def test_a_bundle_alone_is_an_export_too(tmp_path: Path) -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": json.loads(one)} for one in (PATIENT, UNREAD)]}
    done = run(an_export(tmp_path, bundle_json=json.dumps(bundle, indent=1)) / "bundle.json")
    assert done.exit_code == 0, done.output
    assert "1 patients read" in done.output


def test_a_code_system_of_an_unknown_name_is_refused_with_its_reason(tmp_path: Path) -> None:
    done = run(an_export(tmp_path, a_ndjson=PATIENT), "--code-system", "urn:x", "icd-11")
    assert done.exit_code == 1
    assert "Error: urn:x: icd-11 is no system that is read here" in done.output

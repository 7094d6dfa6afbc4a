"""A folder in which something of the data cannot be read is told as broken, by file and line, however it looks."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from fhir_mappings.report import bulk_files
from fhir_mappings.report.bulk_files import BROKEN, CUT_OFF, OTHER_FILE, Lost
from tests.builders import a_condition
from tests.fhir_mappings.report.test_bulk_files import ALL, bundle, ndjson


def read(export: Path) -> tuple[int, Lost]:
    lost: Lost = Counter()
    return len(list(bulk_files.resources(export, lost))), lost


def broken(lost: Lost) -> bool:
    return any(what[0] in BROKEN for what in lost)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "a.ndjson").write_text(ndjson(*ALL))
    return folder


@pytest.mark.parametrize(
    "name",
    ["Condition.ndjson.part", "Condition.ndjson.crdownload", "Condition.ndjson.zip", "Condition.ndjson.zst",
     "Condition.ndjson.bz2", "Condition.json.tmp", "Condition.ndjson.gz.1", ".Condition.ndjson.x7Kq2"],
)  # fmt: skip
def test_data_that_are_packed_otherwise_or_half_downloaded_are_lost(export: Path, name: str) -> None:
    (export / name).write_bytes(b"anything")
    assert broken(read(export)[1])
    assert any(name in one for one in bulk_files.places(export))


@pytest.mark.parametrize("name", ["a.ndjson.sha256", "a.ndjson.md5", "a.json.sig", "README.md", "log.txt"])
def test_what_stands_beside_the_data_is_no_loss(export: Path, name: str) -> None:
    (export / name).write_text("0f" * 32)
    assert read(export) == (len(ALL), Counter({(OTHER_FILE,): 1}))


@pytest.mark.parametrize("cut", [40, 400, -3])
def test_half_a_bundle_in_a_file_of_json_is_broken(export: Path, cut: int) -> None:
    (export / "page2.json").write_text(json.dumps(bundle(*ALL), indent=2)[:cut])
    assert broken(read(export)[1])


def test_a_folder_behind_a_link_is_read_and_one_that_leads_in_a_circle_once(export: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.ndjson").write_text(ndjson(a_condition(id="behind")))
    (export / "2026Q2").symlink_to(elsewhere)
    (elsewhere / "again").symlink_to(export)
    assert read(export) == (len(ALL) + 1, Counter())


def test_a_link_to_nothing_is_told(export: Path) -> None:
    (export / "Condition.ndjson").symlink_to("/nowhere/Condition.ndjson")
    assert read(export)[1] == Counter({(CUT_OFF,): 1})
    assert any("Condition.ndjson" in one for one in bulk_files.places(export))


def test_a_folder_that_cannot_be_listed_is_told(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (export / "closed").mkdir()
    real = os.scandir

    def refused(path: str | Path) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert read(export)[1] == Counter({(CUT_OFF,): 1})


def test_each_fault_is_told_with_its_file_and_line(export: Path) -> None:
    (export / "b.ndjson").write_text(ndjson(a_condition()) + "\n" + '{"resourceType": "Condi\n' + ndjson(a_condition()))
    (export / "c.ndjson.gz").write_bytes(gzip.compress(ndjson(*ALL).encode())[:-9])
    (export / "d.json").write_text('{"resourceType": "Bundle", "entry": [')
    told = list(bulk_files.places(export))
    assert [one.rpartition("/")[2].split(" ")[0] for one in told] == ["b.ndjson:3:", "c.ndjson.gz:", "d.json:"]


def test_a_whole_export_has_no_fault(export: Path) -> None:
    (export / "d.json").write_text(json.dumps(bundle(*ALL), indent=2))
    (export / "e.ndjson").write_text(json.dumps(bundle(*ALL), indent=2))
    (export / "manifest.json").write_text('{"output": []}')
    (export / "f.ndjson").write_bytes(b"\xef\xbb\xbf" + ndjson(*ALL).replace("\n", "\r\n").encode())
    assert list(bulk_files.places(export)) == []
    assert not broken(read(export)[1])

"""What an export has before or beside its lines is told by a replay as by every other reader."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from cds_service.replay import processes, split
from cds_service.replay.opened import NamedOpening
from fhir_mappings.report import bulk_files
from tests.builders import a_condition, a_patient
from tests.fhir_mappings.report.test_bulk_files import ndjson


def test_a_byte_order_mark_before_a_file_that_is_read_in_parts_is_no_broken_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(split, "CHUNK_BYTES", 300)
    lines = ndjson(a_patient(), *(a_condition(id=str(number)) for number in range(9)))
    (tmp_path / "all.ndjson").write_bytes(b"\xef\xbb\xbf" + lines.encode())
    tasks = split.tasks(tmp_path)
    lost: bulk_files.Lost = Counter()
    found = [head.id for task in tasks for head, _ in split._resources(task, lost)]
    assert len(tasks) > 1
    assert (len(found), lost) == (10, Counter())


def test_data_that_were_half_downloaded_are_counted_as_lost(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    (export / "all.ndjson").write_text(ndjson(a_patient(), a_condition()), encoding="utf-8")
    (export / "Condition.2.ndjson.part").write_bytes(b"half")
    done = processes.run(
        export, tmp_path / "rows", tmp_path / "work", NamedOpening(), processes=1, progress=lambda *_: None
    )
    assert done.counts["lost cut-off-file"] == 1

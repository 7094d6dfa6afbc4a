"""The mapping report is made from an export, with counts and nothing of any patient."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner

from cds_service.cli import main
from cds_service.demo import patients


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

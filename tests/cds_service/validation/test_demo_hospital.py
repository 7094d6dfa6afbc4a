"""The demo hospital goes live only once its model was recalibrated, and judged on other operations than these."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cds_service.validation.conftest import runs

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]  # tests/deploy/test_hospital.py goes the same way in CI
TENANT, MODEL = "demo-hospital", "elective-complication"
WHO = ("--by", "A. Jones", "--reason", "silent phase", "--force")
SECOND = ("--by", "Dr. B. Smith", "--reason", "looked at", "--force")


FITTED = ("--since", "2025-09-01", "--until", "2026-01-26")
OTHERS = ("--since", "2026-02-16", "--until", "2026-06-08")
WIDER = (
    "validation: {days: 3650, mapped: 0.9, events: {any-complication: 50},"
    " approved_by: Dr. B. Smith, date: 2026-11-01}\n"
)
ON_OTHERS = "any-complication: recalibrated on other operations than these"


def validated(folder: Path, days: tuple[str, ...]) -> str:
    out = str(folder / "report")
    done = runs(folder, "validate", TENANT, *days, "--out", out, "--by", "A. Jones")
    assert done.exit_code == 0, done.output
    return done.output


def signs(folder: Path, told: str) -> None:
    (sha256,) = re.findall(r"^sha256: ([0-9a-f]{64})$", told, re.MULTILINE)
    path = folder / "tenants" / f"{TENANT}.yaml"
    kept = path.read_text(encoding="utf-8").partition("local_validation:")[0]
    today = datetime.now(UTC).date()
    line = f"local_validation: {{report: R, sha256: {sha256}, approved_by: Dr. B. Smith, date: {today}}}\n"
    path.write_text(kept + line, encoding="utf-8")


def test_refused_then_recalibrated_then_accepted(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    assert runs(folder, "demo-hospital", "--into", str(folder)).exit_code == 0
    outcomes = str(folder / "outcomes.csv")
    assert runs(folder, "record", "import-outcomes", TENANT, outcomes, "--source", "register", *WHO).exit_code == 0
    on = ("mode", "set", TENANT, "on", *WHO, "--approved-by", "Dr. B. Smith")

    path = folder / "tenants" / f"{TENANT}.yaml"
    path.write_text(path.read_text(encoding="utf-8") + WIDER, encoding="utf-8")

    first = validated(folder, FITTED)
    assert "FAIL  any-complication: observed to expected: 0.7" in first
    assert f"FAIL  {ON_OTHERS}" not in first
    signs(folder, first)
    refused = runs(folder, *on)
    assert refused.exit_code == 1
    assert "any-complication: observed to expected: 0.7" in refused.output

    assert runs(folder, "recalibrate", "fit", TENANT, MODEL, *FITTED, *WHO).exit_code == 0
    assert runs(folder, "recalibrate", "approve", TENANT, MODEL, "1", *SECOND).exit_code == 0
    assert "has recalibration 1 now" in runs(folder, *on).output

    same = validated(folder, FITTED)
    for agreed in ("observed to expected", "calibration slope"):
        assert f"ok    any-complication: {agreed}: " in same, same
    assert f"FAIL  {ON_OTHERS}" in same
    signs(folder, same)
    refused = runs(folder, *on)
    assert refused.exit_code == 1
    assert f"{ON_OTHERS}: {MODEL} number 1 was fitted on operations of 2025-09-" in refused.output
    page = (folder / "report" / "validation.html").read_text(encoding="utf-8")
    assert "its figures look better than they are" in page

    other = validated(folder, OTHERS)
    assert "FAIL" not in other, other
    signs(folder, other)
    accepted = runs(folder, *on)
    assert accepted.exit_code == 0, accepted.output
    page = (folder / "report" / "validation.html").read_text(encoding="utf-8")
    assert "its figures look better than they are" not in page
    # For people: inputs and reasons in words, and what no search found is not told as never recorded.
    assert "none found: " in page
    assert not re.search("never-recorded|asa_class", page)
    # Nobody said what came of it: that is told, and not that no model speaks of it.
    assert "told by gupta-mica 1.0.0; its outcome is known of too few operations to be told" in page
    with (folder / "report" / "ablation.csv").open(encoding="utf-8") as file:
        withheld = {row["withheld"]: row["value"] for row in csv.DictReader(file) if row["figure"] == "auroc"}
    assert float(withheld["asa_class"]) < float(withheld["nothing withheld"])

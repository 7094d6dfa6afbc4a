"""Recalibration counts operations that are known whole, each once; what it leaves out is told."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from cds_service.records import scores, switches, writer
from cds_service.web.app import RECORDS
from tests.cds_service.commands.a_hospital import FIRST, FIT, MODEL, Run, an_operation, half_a_year, keep, run_on
from tests.conformance.conftest import an_app

IMPORT = ("record", "import-outcomes", "demo")
WHO = ("--source", "register", "--by", "A. Jones", "--reason", "quarter")


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return an_app(tmp_path, demo=True)


@pytest.fixture
def run(tmp_path: Path, app: Flask) -> Run:
    return run_on(tmp_path, app)


def test_an_operation_counts_once_as_it_was_last_asked_about(app: Flask, run: Run) -> None:
    half_a_year(app)
    seen = an_operation(0.2, day=3_000, patient_id="p-twice")
    again = an_operation(0.3, day=3_001, patient_id="p-twice")
    keep(app, [(seen, True), (again, True)])
    fitted = run(*FIT)
    assert "operations 2001, events" in fitted.output
    assert "2001 operations are counted as their file said, without days" in fitted.output


def test_the_fusion_of_january_keeps_its_complication_beside_the_revision_of_june(app: Flask, run: Run) -> None:
    half_a_year(app)
    before = _events(run(*FIT).output)
    fusion = an_operation(0.2, day=0, patient_id="p-again")
    revision = an_operation(0.3, day=0, patient_id="p-again", received_at=FIRST + timedelta(days=150))
    keep(app, [(fusion, True), (revision, False)])
    assert _events(run(*FIT).output) == (before[0] + 2, before[1] + 1)


def test_what_contradicts_itself_and_what_is_too_young_is_left_out_and_told(app: Flask, run: Run) -> None:
    half_a_year(app)
    before = _events(run(*FIT).output)
    seen = an_operation(0.2, day=3_000, patient_id="p-twice")
    again = an_operation(0.3, day=3_001, patient_id="p-twice")
    keep(app, [(seen, False), (again, True)])
    young = an_operation(0.3, day=0, received_at=datetime.now(UTC) - timedelta(days=60))
    keep(app, [(young, True)])
    lost = an_operation(0.3, day=0, patient_id="p-lost")
    keep(app, [(lost, False)], observed_through=FIRST.date() + timedelta(days=3))
    fitted = run(*FIT).output
    assert _events(fitted) == before
    assert "1 operations are left out: too young for their outcome to be known" in fitted
    assert "1 operations are left out: not followed through the horizon" in fitted
    assert "1 operations are left out: what is recorded of their outcome contradicts itself" in fitted


def test_a_risk_profile_that_was_looked_at_afterwards_stands_for_no_operation(app: Flask, run: Run) -> None:
    """It may hold what came after the operation, and its figure is no forecast."""
    half_a_year(app)
    before = run(*FIT).output
    fusion = an_operation(0.2, day=0, patient_id="p-seen")
    looked = an_operation(0.9, day=1, patient_id="p-seen", decision="profile")
    keep(app, [(fusion, True)])
    with_one = run(*FIT).output
    writer.write(app.extensions[RECORDS].durable, [looked])
    assert _events(with_one) == (_events(before)[0] + 1, _events(before)[1] + 1)
    assert _figures(run(*FIT).output) == _figures(with_one)
    rows = {row["evaluation_id"]: row for row in _exported(app)}
    assert (rows[fusion.id]["of_operation"], rows[looked.id]["of_operation"]) == ("1", "")


def _figures(told: str) -> list[str]:
    return [line for line in told.splitlines() if line.startswith(("operations", "intercept", "slope"))]


def _events(told: str) -> tuple[int, int]:
    found = re.search(r"operations (\d+), events (\d+)", told)
    assert found is not None, told
    return int(found[1]), int(found[2])


def test_a_file_with_days_is_kept_goes_on_is_corrected_and_withdrawn(app: Flask, run: Run, tmp_path: Path) -> None:
    fusion = an_operation(0.2, day=0)
    keep(app, [(fusion, False)])
    header = "evaluation_id,outcome,occurred,occurred_on,observed_through,operated_on\n"

    def bring(line: str, *more: str) -> str:
        file = tmp_path / "outcomes.csv"
        file.write_text(f"{header}{fusion.id},any-complication,{line}\n", encoding="utf-8")
        return run(*IMPORT, str(file), *WHO, *more).output

    assert "1 later" in bring("false,,2026-01-20,2026-01-07")
    assert "1 unchanged" in bring("false,,2026-01-15,2026-01-07")
    assert "1 later" in bring("true,2026-01-25,2026-02-10,2026-01-07")
    assert "column occurred: recorded otherwise before" in bring("true,2026-01-26,2026-02-10,2026-01-07")
    assert "1 corrected" in bring("true,2026-01-26,2026-02-10,2026-01-07", "--correct")
    (row,) = _exported(app)
    assert (row["occurred"], row["occurred_on"], row["observed_through"]) == ("1", "2026-01-26", "2026-02-10")
    assert (row["operation"], row["of_operation"], row["operated_on"]) == (fusion.id, "1", "2026-01-07")
    assert "recorded before; --correct withdraws it" in bring("withdrawn,,,")
    assert "1 withdrawn" in bring("withdrawn,,,", "--correct")
    (row,) = _exported(app)
    assert row["occurred"] == ""
    told = [event.value for event in switches.history(app.extensions[RECORDS].durable) if event.value != "imported"]
    assert told == ["true to true", "true to withdrawn"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("true,2026-13-01,,", "column occurred_on: a day as 2026-11-29"),
        ("true,20260101,,", "column occurred_on: a day as 2026-11-29"),
        ("true,2999-01-01,,", "column occurred_on: a day as 2026-11-29, not in the future"),
        ("false,2026-01-09,,", "column occurred_on: a day only where it occurred"),
        ("true,2026-01-09,,2026-01-10", "column occurred_on: not before operated_on"),
        ("false,,2026-01-09,2026-01-10", "column observed_through: not before operated_on"),
        ("perhaps,,,", "column occurred: true or false, or withdrawn"),
    ],
)
def test_a_day_that_cannot_be_is_refused_with_its_line(
    app: Flask, run: Run, tmp_path: Path, line: str, fault: str
) -> None:
    fusion = an_operation(0.2, day=0)
    keep(app, [(fusion, False)])
    file = tmp_path / "outcomes.csv"
    header = "evaluation_id,outcome,occurred,occurred_on,observed_through,operated_on\n"
    file.write_text(f"{header}{fusion.id},any-complication,{line}\n", encoding="utf-8")
    refused = run(*IMPORT, str(file), *WHO)
    assert refused.exit_code == 1
    assert f"line 2, {fault}" in refused.output


def test_the_export_marks_the_row_that_stands_for_an_operation(app: Flask) -> None:
    asked = [an_operation(0.2, day=day, patient_id="p-1") for day in (0, 1)]
    keep(app, [(one, True) for one in asked])
    rows = _exported(app)
    assert [row["operation"] for row in rows] == [asked[0].id, asked[0].id]
    assert [row["of_operation"] for row in rows] == ["0", "1"]


def _exported(app: Flask) -> list[dict[str, str]]:
    out = io.StringIO()
    scores.to_csv(app.extensions[RECORDS].durable, "demo", out, since=FIRST - timedelta(days=1))
    return [row for row in csv.DictReader(io.StringIO(out.getvalue())) if row["model"] == MODEL]

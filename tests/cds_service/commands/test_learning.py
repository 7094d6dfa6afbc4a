"""`record operations`: what a refit may learn from, read back by the refit itself."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from models_onnx.added_card import AddedInput
from models_onnx.training.learning_file import read_learning
from tests.cds_service.commands.a_hospital import FIRST, MODEL, OUTCOME, Run, an_operation, keep, run_on
from tests.conformance.conftest import a_tenant_file, an_app

AGREED = {"permitted": True, "agreement": "DUA 12"}
INPUTS = (
    AddedInput(name="age", kind="number", unit="years", low=18, high=100),
    AddedInput(name="sex", kind="category", categories=("female", "male")),
    AddedInput(name="diabetes", kind="yes-no"),
    AddedInput(name="haemoglobin", kind="number", unit="g/dL", low=6, high=18),
)
FOLLOWED = {"observed_through": (FIRST + timedelta(days=60)).date()}
Export = Callable[..., Result]


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return an_app(tmp_path, demo=True)


@pytest.fixture
def export(tmp_path: Path, app: Flask) -> Export:
    run: Run = run_on(tmp_path, app)

    def exported(*more: str, outcome: str = OUTCOME, learning: dict[str, Any] = AGREED) -> Result:
        tenants = a_tenant_file(tmp_path / "tenants", id="demo", learning=learning)
        where = ("--tenants", str(tenants), "--out", str(tmp_path / "o.csv"))
        return run("record", "operations", "demo", "--outcome", outcome, *where, *more)

    return exported


def asked(patient: str, *, mode: str = "on", **members: Any) -> Any:
    inputs = [
        {"name": "age", "status": "used", "value": 71.0},
        {"name": "sex", "status": "used", "value": "female"},
        {"name": "diabetes", "status": "used", "value": True},
        {"name": "haemoglobin", "status": "stale", "value": 9.0},
    ]
    return an_operation(0.2, day=0, patient_id=patient, mode=mode, result={"inputs": inputs}, **members)


def rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "o.csv").read_text(encoding="utf-8").splitlines()))


def test_an_operation_is_a_row_that_a_refit_reads(app: Flask, export: Export, tmp_path: Path) -> None:
    keep(
        app,
        [(asked("p-1"), False), (asked("p-2", mode="hold-out"), False), (asked("p-3", mode="silent"), False)],
        **FOLLOWED,
    )
    told = export()
    assert told.exit_code == 0, told.output
    assert "3 operations with 0 events, under DUA 12" in told.output
    assert (tmp_path / "o.csv").stat().st_mode & 0o077 == 0
    assert not any("p-1" in value for row in rows(tmp_path) for value in row.values())
    read = read_learning([tmp_path / "o.csv"], INPUTS, OUTCOME)
    assert sorted(read.withheld) == ["", "hold-out", "silent"]
    assert read.inputs[0].tolist()[:3] == [71.0, 0.0, 1.0]
    assert read.inputs[:, 3].tolist() == pytest.approx([float("nan")] * 3, nan_ok=True)
    assert set(read.champions) == {f"{MODEL} 1.0.0"}
    assert set(read.champion) == {0.2}
    assert {name: set(of) for name, of in read.groups.items()} == {"sex": {"female"}, "age_band": {"65-79"}}


def test_one_call_that_may_have_been_shown_makes_the_operation_one_that_was(
    app: Flask, export: Export, tmp_path: Path
) -> None:
    keep(app, [(asked("p-1", mode="silent"), False), (asked("p-1"), False)], **FOLLOWED)
    keep(app, [(asked("p-2", mode="silent"), False), (asked("p-2", mode="hold-out"), False)], **FOLLOWED)
    export()
    assert sorted(row["withheld"] for row in rows(tmp_path)) == ["", "hold-out"]


def test_what_is_not_known_whole_is_left_out_and_told(app: Flask, export: Export, tmp_path: Path) -> None:
    keep(app, [(asked("p-1"), False)], **FOLLOWED)
    keep(app, [(asked("p-2"), False)], observed_through=(FIRST + timedelta(days=3)).date())
    keep(app, [(asked("p-3"), True)])
    told = export()
    assert "1 operations with 0 events" in told.output
    assert "1 operations are left out: lost" in told.output
    assert "1 operations are left out: undated" in told.output


def test_a_patient_who_refused_is_left_out(app: Flask, export: Export, tmp_path: Path) -> None:
    keep(app, [(asked("p-1"), False), (asked("p-2"), False)], **FOLLOWED)
    (tmp_path / "refused.txt").write_text("p-2\n", encoding="utf-8")
    told = export("--refused", str(tmp_path / "refused.txt"))
    assert "1 operations are left out: refused by the patient" in told.output
    assert len(rows(tmp_path)) == 1


def test_a_refusal_as_other_programs_write_it_counts_and_one_of_nobody_stops_the_command(
    app: Flask, export: Export, tmp_path: Path
) -> None:
    keep(app, [(asked("p-1"), False), (asked("p-2"), False)], **FOLLOWED)
    file = tmp_path / "refused.txt"
    file.write_text("p-2\r\nPatient/p-1\r\n", encoding="utf-8-sig")
    told = export("--refused", str(file))
    assert told.exit_code == 0, told.output
    assert "refused: 2 ids given, 2 matched" in told.output
    assert rows(tmp_path) == []
    (tmp_path / "o.csv").unlink()
    file.write_text("p-2\nMRN 77\n", encoding="utf-8")
    told = export("--refused", str(file))
    assert told.exit_code == 1
    assert "refused: 2 ids given, 1 matched" in told.output
    assert "1 ids of --refused match no patient on record" in told.output
    assert not (tmp_path / "o.csv").exists()
    told = export("--refused", str(file), "--allow-unmatched")
    assert told.exit_code == 0, told.output
    assert len(rows(tmp_path)) == 1


@pytest.mark.parametrize("learning", [{}, {"permitted": False, "agreement": "DUA 12"}])
def test_a_hospital_that_does_not_permit_it_gives_nothing(
    app: Flask, export: Export, tmp_path: Path, learning: Any
) -> None:
    keep(app, [(asked("p-1"), False)], **FOLLOWED)
    told = export(learning=learning)
    assert told.exit_code == 1
    assert "permits no learning from its operations" in told.output
    assert not (tmp_path / "o.csv").exists()


def test_outcomes_of_a_site_are_imported_and_exported_as_any_other(app: Flask, export: Export, tmp_path: Path) -> None:
    one = asked("p-1")
    keep(app, [(one, False)], **FOLLOWED)
    file = tmp_path / "outcomes.csv"
    file.write_text(
        "evaluation_id,outcome,occurred,occurred_on,observed_through\n"
        f"{one.id},surgical-site-infection,true,2026-01-20,2026-03-01\n",
        encoding="utf-8",
    )
    run = run_on(tmp_path, app)
    kept = run("record", "import-outcomes", "demo", str(file), "--source", "register", "--by", "A", "--reason", "r")
    assert kept.exit_code == 0, kept.output
    told = export(outcome="surgical-site-infection")
    assert "1 operations with 1 events" in told.output
    (row,) = rows(tmp_path)
    assert (row["occurred"], row["source"], row["champion"]) == ("1", "register", "")
    assert "no such outcome" in export(outcome="happiness").output

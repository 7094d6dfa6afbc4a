"""Outcomes are derived into a file that is loaded like any other: late, corrected, withdrawn and censored ones too."""

from __future__ import annotations

import csv
import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from cds_service.records import calibration_cases, tables, writer
from cds_service.web.app import RECORDS
from tests.cds_service.commands.a_hospital import CARD, Run, an_operation, run_on
from tests.conformance.conftest import an_app
from tests.fhir_mappings.outcomes import base_case

ORDERED = datetime(2026, 3, 2, 9, tzinfo=UTC)
WHO = ("--source", "derived", "--by", "A. Jones", "--reason", "quarter")
PNEUMONIA = {"resourceType": "Condition", "id": "c", "icd": "J18.9", "onsetDateTime": "2026-03-14"}
Entry = dict[str, Any]


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return an_app(tmp_path, demo=True)


@pytest.fixture
def run(tmp_path: Path, app: Flask) -> Run:
    return run_on(tmp_path, app)


@pytest.fixture
def evaluation(app: Flask) -> str:
    row = an_operation(0.2, day=0, patient_id="p", received_at=ORDERED, procedure_group="spine-fusion")
    writer.write(app.extensions[RECORDS].durable, [row])
    return row.id


def export(folder: Path, *, add: tuple[Entry, ...] = (), without: tuple[str, ...] = ()) -> Path:
    path = folder / "export"
    path.mkdir(exist_ok=True)
    lines = map(json.dumps, base_case.resources(without, add))
    (path / "all.ndjson").write_text("\n".join(lines), encoding="utf-8")
    return path


def derive(run: Run, folder: Path, *words: str, as_of: str = "2026-06-30", code: int = 0) -> str:
    asked = ("outcomes", "derive", "demo", "--from", str(folder / "export"), "--as-of", as_of)
    result = run(*asked, "--out", str(folder / "out.csv"), "--zone", "Europe/Vienna", *words)
    assert result.exit_code == code, result.output
    return result.output


def load(run: Run, folder: Path, *words: str, code: int = 0) -> str:
    result = run("record", "import-outcomes", "demo", str(folder / "out.csv"), *WHO, *words)
    assert result.exit_code == code, result.output
    return result.output


def rows(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        return {row["outcome"]: row for row in csv.DictReader(file)}


def kept(app: Flask, outcome: str = "pneumonia") -> list[tuple[bool, date | None, date | None, date | None]]:
    table = tables.outcome.c
    days = (table.occurred_on, table.observed_through, table.operated_on)
    with app.extensions[RECORDS].durable.connect() as connection:
        return [tuple(row) for row in connection.execute(select(table.occurred, *days).where(table.outcome == outcome))]


def test_what_is_derived_is_counted_written_and_loaded_by_the_command_that_loads(
    app: Flask, run: Run, evaluation: str, tmp_path: Path
) -> None:
    export(tmp_path)
    told = derive(run, tmp_path)
    assert "1 operations: found in the data" in told
    assert "pneumonia: 0 true, 1 false, 0 unknown" in told
    assert "transfusion: 0 true, 0 false, 1 unknown (1 not-vouched); of all between 0.0 % and 100.0 % have it" in told
    assert "length of stay after the operation: median 4 days of 1 operations" in told
    assert "any-complication: not derived." in told
    assert "verification bias" in told
    assert kept(app) == [], "it never loads by itself"
    assert "transfusion" not in rows(tmp_path)
    line = rows(tmp_path)["pneumonia"]
    assert (line["evaluation_id"], line["occurred"], line["operated_on"]) == (evaluation, "false", "2026-03-10")
    assert "9 lines: 9 new" in load(run, tmp_path)
    assert kept(app) == [(False, None, date(2026, 4, 20), date(2026, 3, 10))]
    assert kept(app, "reoperation") == [(False, None, date(2026, 4, 20), date(2026, 3, 10))]


def test_who_has_which_complication_is_for_the_owner_of_the_file(run: Run, evaluation: str, tmp_path: Path) -> None:
    export(tmp_path)
    before = os.umask(0o022)
    try:
        derive(run, tmp_path)
    finally:
        os.umask(before)
    assert evaluation in (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert (tmp_path / "out.csv").stat().st_mode & 0o077 == 0


def test_a_program_is_told_the_same(run: Run, evaluation: str, tmp_path: Path) -> None:
    export(tmp_path)
    said = json.loads(derive(run, tmp_path, "--json"))
    (one,) = [row for row in said["outcomes"] if row["outcome"] == "neurological-deficit"]
    assert (one["true"], one["false"], one["unknown"]) == (0, 0, {"not-vouched": 1})
    assert one["share_between"] == [0.0, 1.0]
    assert "verification bias" in said["verification_bias"]


def test_the_same_file_twice_then_time_a_correction_and_a_withdrawal(
    app: Flask, run: Run, evaluation: str, tmp_path: Path
) -> None:
    export(tmp_path)
    derive(run, tmp_path)
    load(run, tmp_path)
    assert "9 unchanged" in load(run, tmp_path)
    visit = {**base_case.BASE["seen"], "id": "v", "period": {"start": "2026-06-15", "end": "2026-06-15"}}
    export(tmp_path, add=(visit,))
    derive(run, tmp_path)
    assert "9 later" in load(run, tmp_path)
    assert kept(app)[0][2] == date(2026, 6, 15)
    export(tmp_path, add=(visit, PNEUMONIA))
    derive(run, tmp_path)
    assert "--correct replaces it" in load(run, tmp_path, code=1)
    assert kept(app)[0][0] is False
    assert "1 corrected" in load(run, tmp_path, "--correct")
    assert kept(app) == [(True, date(2026, 3, 14), date(2026, 6, 15), date(2026, 3, 10))]
    export(tmp_path, add=(visit, {**PNEUMONIA, "verification": "provisional"}))
    told = derive(run, tmp_path)
    assert "1 unknown (1 not-confirmed); of all between 0.0 % and 100.0 % have it; 1 withdrawn" in told
    assert "--correct withdraws it" in load(run, tmp_path, code=1)
    assert "1 withdrawn" in load(run, tmp_path, "--correct")
    assert kept(app) == []
    export(tmp_path, add=(visit, {**PNEUMONIA, "verification": "entered-in-error"}))
    derive(run, tmp_path)
    assert "1 new" in load(run, tmp_path)
    assert kept(app)[0][0] is False


def test_a_false_that_is_no_longer_followed_stays_for_it_was_not_wrong(
    app: Flask, run: Run, evaluation: str, tmp_path: Path
) -> None:
    export(tmp_path)
    derive(run, tmp_path)
    load(run, tmp_path)
    export(tmp_path, without=("seen",))
    assert "1 not-followed" in derive(run, tmp_path)
    assert "pneumonia" not in rows(tmp_path)
    export(tmp_path, without=("seen",), add=({**PNEUMONIA, "onsetDateTime": "2026-03"},))
    derive(run, tmp_path)
    assert rows(tmp_path)["pneumonia"]["occurred"] == "withdrawn"


def test_a_late_outcome_is_later_and_not_a_correction(app: Flask, run: Run, evaluation: str, tmp_path: Path) -> None:
    header = "evaluation_id,outcome,occurred,occurred_on,observed_through,operated_on\n"
    first = f"{header}{evaluation},30-day-death,false,,2026-03-20,2026-03-10\n"
    (tmp_path / "out.csv").write_text(first, encoding="utf-8")
    load(run, tmp_path)
    export(tmp_path, without=("seen",), add=({"resourceType": "Patient", "id": "p", "deceasedDateTime": "2026-04-02"},))
    derive(run, tmp_path)
    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        (line,) = [one for one in file if "30-day-death" in one] or [None]
    assert line is None, "another source told it, so this command leaves it"
    (tmp_path / "out.csv").write_text(
        f"{header}{evaluation},30-day-death,true,2026-04-02,2026-04-02,2026-03-10\n", encoding="utf-8"
    )
    assert "1 later" in load(run, tmp_path)
    assert kept(app, "30-day-death") == [(True, date(2026, 4, 2), date(2026, 4, 2), date(2026, 3, 10))]


def test_what_another_source_told_is_left_and_the_difference_is_counted(
    app: Flask, run: Run, evaluation: str, tmp_path: Path
) -> None:
    (tmp_path / "out.csv").write_text(
        f"evaluation_id,outcome,occurred\n{evaluation},pneumonia,true\n", encoding="utf-8"
    )
    load(run, tmp_path)
    export(tmp_path)
    assert "another source told 1, of which 1 differ: left as they are" in derive(run, tmp_path)
    assert "pneumonia" not in rows(tmp_path)


def test_an_operation_that_was_not_followed_is_counted_nowhere(
    app: Flask, run: Run, evaluation: str, tmp_path: Path
) -> None:
    """Censored: the record says nothing of it, so no figure takes it for a good outcome."""
    export(tmp_path, without=("seen",))
    derive(run, tmp_path)
    load(run, tmp_path)
    assert kept(app) == []
    counted = calibration_cases.scored_operations(
        app.extensions[RECORDS].durable,
        "demo",
        sha256=CARD.sha256,
        outcome="pneumonia",
        since=datetime(2026, 1, 1, tzinfo=UTC),
        until=datetime(2027, 1, 1, tzinfo=UTC),
    )
    assert counted == ()


def test_the_fusion_of_march_and_its_revision_have_their_own_outcomes(
    app: Flask, run: Run, evaluation: str, tmp_path: Path
) -> None:
    june = an_operation(0.3, day=0, patient_id="p", received_at=datetime(2026, 6, 1, 9, tzinfo=UTC),
                        procedure_group="spine-fusion")  # fmt: skip
    writer.write(app.extensions[RECORDS].durable, [june])
    again = {**base_case.BASE["op"], "id": "op2", "performedDateTime": "2026-06-10"}
    export(tmp_path, add=(again, PNEUMONIA))
    assert "2 operations: found in the data" in derive(run, tmp_path)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        found = {(row["evaluation_id"], row["outcome"]): row for row in csv.DictReader(file)}
    assert found[evaluation, "pneumonia"]["occurred"] == "true"
    assert (june.id, "pneumonia") not in found


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"resourceType": "Condition", "id": "x"', "nothing was written"),
        ('{"resourceType": "Condition", "id": "x"}', "Condition that belongs to nobody: 1"),
    ],
)
def test_a_part_that_is_lost_may_be_anybodys_complication(
    run: Run, evaluation: str, tmp_path: Path, line: str, told: str
) -> None:
    with (export(tmp_path) / "all.ndjson").open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    said = derive(run, tmp_path, code=1)
    assert told in said
    assert (
        "belongs" in told or f"all.ndjson:{len((tmp_path / 'export' / 'all.ndjson').read_text().splitlines())}:" in said
    )
    assert not (tmp_path / "out.csv").exists()


def test_a_part_that_was_half_downloaded_may_be_anybodys_complication(
    run: Run, evaluation: str, tmp_path: Path
) -> None:
    (export(tmp_path) / "Condition.2.ndjson.part").write_bytes(b"half")
    assert "Condition.2.ndjson.part" in derive(run, tmp_path, code=1)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--complete", "pneumonia"), "need a site's word"),
        (("--as-of", "2999-01-01"), "a day that is over"),
        (("--zone", "Nowhere/Else"), "no time zone is called so"),
    ],
)
def test_what_cannot_be_asked_is_told(
    run: Run, evaluation: str, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    export(tmp_path)
    assert told in derive(run, tmp_path, *words, code=2)


def test_an_entry_that_names_another_person_derives_nothing(run: Run, evaluation: str, tmp_path: Path) -> None:
    path = export(tmp_path) / "all.ndjson"
    stranger = {**base_case.fhir({**PNEUMONIA, "id": "s"}), "patient": {"reference": "Patient/q"}}
    path.write_text(path.read_text(encoding="utf-8") + "\n" + json.dumps(stranger), encoding="utf-8")
    assert "1 operations: an entry of the patient names another person" in derive(run, tmp_path)
    assert rows(tmp_path) == {}


def test_a_person_who_is_not_in_the_data_is_told(run: Run, app: Flask, evaluation: str, tmp_path: Path) -> None:
    writer.write(app.extensions[RECORDS].durable, [an_operation(0.2, day=0, patient_id="gone", received_at=ORDERED)])
    export(tmp_path)
    assert "1 operations: the patient is not in the data" in derive(run, tmp_path)

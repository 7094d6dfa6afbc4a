"""Anybody's rows through the shipped graphs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from models_onnx.registry import PACKAGE, load
from models_onnx.training.__main__ import main
from models_onnx.training.judgement import judge
from models_onnx.training.surgery_timing import DATA

HEADER = "ahrq_ccs,age,gender,race,asa_status,bmi,mort30,complication\n"


@pytest.fixture
def a_file(tmp_path: Path) -> Path:
    """400 invented operations: children, unknown categories, missing values and a wild BMI among them."""
    random = np.random.default_rng(1)
    lines = []
    for k in range(400):
        category = ["Spinal fusion", "Arthroplasty knee", "<Other>"][k % 3]
        asa, event = 1 + k % 3, int(random.random() < 0.2)
        lines.append(f"{category},{20 + k % 70}.5,{k % 2},1,{asa},{20 + k % 30},{event},{event}\n")
    lines[0] = "Spinal fusion,12.5,0,1,1,20,0,0\n"
    lines[1] = "Spinal fusion,,0,1,1,20,0,0\n"
    lines[2] = "Heart transplant,60.0,0,1,1,20,0,0\n"
    lines[3] = "Spinal fusion,72.9,0,,,,0,0\n"
    lines[4] = "Spinal fusion,72.9,0,,2,500,0,0\n"
    path = tmp_path / "other.csv"
    path.write_text(HEADER + "".join(lines), encoding="utf-8")
    return path


def test_every_row_has_a_line_per_outcome_and_children_and_unknown_operations_have_no_number(
    a_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    assert main(["evaluate", str(a_file), "--predictions", str(out)]) == 0
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [row["outcome"] for row in rows[:2]] == ["any-complication", "30-day-death"]
    assert len(rows) == 800
    told = {int(row["row"]): row for row in rows if row["outcome"] == "any-complication"}
    assert [told[k]["probability"] for k in range(3)] == ["", "", ""]
    assert told[3]["probability"] == told[3]["probability_without_asa"] != ""
    report = json.loads(capsys.readouterr().out)
    assert report["left_out"] == {"age missing": 1, "under 18": 1, "BMI implausible, taken as missing": 1}
    assert report["outcomes"]["any-complication"]["unknown_operation"] == 1


def test_the_file_s_rows_get_what_the_service_would_answer(a_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    judge(a_file, PACKAGE, predictions=out)
    row = next(
        row
        for row in csv.DictReader(out.read_text(encoding="utf-8").splitlines())
        if (row["row"], row["outcome"]) == ("4", "any-complication")
    )
    person = {"procedure_group": "spine-fusion", "age": 72, "sex": "female", "asa_class": 3, "bmi": None}
    score = next(score for score in load().score(person) if score.model == "elective-complication")
    assert float(row["probability"]) == pytest.approx(score.probability, abs=1e-9)


def written(tmp_path: Path, *rows: str, header: str = HEADER) -> Path:
    path = tmp_path / "given.csv"
    path.write_text(header + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["Spinal fusion,70,1,1,2,28,0,0", "Spinal fusion,seventy,1,1,2,28,0,0"], "line 3, column age: not a number"),
        (["Spinal fusion,-4,1,1,2,28,0,0"], "line 2, column age: not a number from 0 on"),
        (["Spinal fusion,70,2,1,2,28,0,0"], "line 2, column gender: not one of 0, 1"),
        (["Spinal fusion,70,1,1,4,28,0,0"], "line 2, column asa_status: not one of 1, 2, 3"),
        (["", "Spinal fusion,70,1,1,2,28,0,yes"], "line 3, column complication: not a number from 0 on"),
        (["Spinal fusion,70,1,1,2,28,0"], "line 2: not as many fields as the 8 columns of line 1"),
        (["Spinal fusion,70,1,1,2,28,0,0,1"], "line 2: not as many fields as the 8 columns of line 1"),
        ([], "it has no rows"),
    ],
)
def test_what_cannot_be_read_is_told_by_line_and_column_and_never_by_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: list[str], says: str
) -> None:
    assert main(["evaluate", str(written(tmp_path, *rows))]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert "seventy" not in told


@pytest.mark.parametrize("name", ["ahrq_ccs", "age"])
def test_a_file_without_operation_or_age_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = written(tmp_path, "Spinal fusion,70,1,1,2,28,0,0", header=HEADER.replace(name, "other"))
    assert main(["evaluate", str(path)]) == 2
    assert f"line 1: column {name} is not there" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_told_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(tmp_path / "none.csv")]) == 2
    assert "none.csv: No such file" in capsys.readouterr().err


def test_another_hospital_s_file_needs_no_more_than_operation_and_age(tmp_path: Path) -> None:
    path = written(tmp_path, "Spinal fusion,70", "Hip replacement; total and partial,.", header="ahrq_ccs,age\n")
    out = tmp_path / "out.csv"
    report = judge(path, PACKAGE, predictions=out)
    assert report["columns_absent"] == [
        "gender",
        "race",
        "asa_status",
        "bmi",
        "baseline_cancer",
        "mort30",
        "complication",
    ]
    assert (
        "does not tell this outcome (mort30)" in report["outcomes"]["30-day-death"]["all operations, ASA class masked"]
    )
    first, _, third, _ = csv.DictReader(out.read_text(encoding="utf-8").splitlines())
    assert float(first["probability"]) == float(first["probability_without_asa"]) > 0
    assert (third["row"], third["probability"]) == ("1", "")


def test_another_year_is_judged_with_and_without_asa_class_and_for_spine_alone(a_file: Path) -> None:
    report = judge(a_file, PACKAGE, predictions=None)
    assert report["rows"] == 400
    figures = report["outcomes"]["any-complication"]
    for rows in ("all operations", "spine operations"):
        for asa in ("with ASA class", "ASA class masked"):
            told = figures[f"{rows}, {asa}"]
            assert told["n"] > 100
            for name in ("auroc", "brier", "slope", "intercept"):
                assert told[name]["low"] <= told[name]["value"] <= told[name]["high"]


def test_the_columns_may_stand_in_any_order_beside_others(a_file: Path, tmp_path: Path) -> None:
    with a_file.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    other = tmp_path / "turned.csv"
    with other.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["note", *reversed(rows[0])])
        writer.writeheader()
        writer.writerows({**row, "note": "one, two"} for row in rows)
    assert judge(other, PACKAGE, predictions=None)["outcomes"] == judge(a_file, PACKAGE, predictions=None)["outcomes"]


@pytest.mark.shared
@pytest.mark.long
def test_on_the_training_file_the_graphs_do_as_well_as_when_they_were_fitted() -> None:
    report = judge(DATA, PACKAGE, predictions=None)
    figures = report["outcomes"]["any-complication"]["all operations, with ASA class"]
    assert figures["auroc"]["value"] > 0.718
    assert abs(figures["expected"] - figures["observed"]) < 0.002

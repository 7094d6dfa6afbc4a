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


@pytest.mark.shared
def test_on_the_training_file_the_graphs_do_as_well_as_when_they_were_fitted() -> None:
    report = judge(DATA, PACKAGE, predictions=None)
    figures = report["outcomes"]["any-complication"]["all operations, with ASA class"]
    assert figures["auroc"]["value"] > 0.718
    assert abs(figures["expected"] - figures["observed"]) < 0.002

"""docs/models.md says what the cards and evaluations say."""

from __future__ import annotations

import json

from models_onnx.registry import PACKAGE
from models_onnx.training.documentation import page

FITTED = {
    "any-complication/elective-complication": {"all operations": 0.718, "spine operations": 0.640},
    "30-day-death/elective-death": {"all operations": 0.862},
}


def test_the_page_is_the_one_that_the_models_give() -> None:
    assert (PACKAGE.parent / "docs" / "models.md").read_text(encoding="utf-8") == page(PACKAGE)


def test_both_models_are_calibrated_on_all_and_on_spine_operations_with_and_without_asa_class() -> None:
    for folder in FITTED:
        evaluation = json.loads((PACKAGE / folder / "1.0.0" / "evaluation.json").read_text(encoding="utf-8"))
        assert len(evaluation["performance"]) == 4
        for row in evaluation["performance"]:
            assert 0.9 <= row["slope"]["value"] <= 1.1, (folder, row["rows"], row["asa_class"])
            assert row["slope"]["low"] < 1.0 < row["slope"]["high"]


def test_every_candidate_is_compared_on_the_same_folds() -> None:
    page_text = page(PACKAGE)
    for candidate in ("logistic, five inputs", "spline logistic", "explainable boosting machine", "gradient boosting"):
        assert f"| {candidate}" in page_text


def test_the_cross_validated_figures_reach_what_was_asked_for() -> None:
    for folder, wanted in FITTED.items():
        evaluation = json.loads((PACKAGE / folder / "1.0.0" / "evaluation.json").read_text(encoding="utf-8"))
        found = {row["rows"]: row["auroc"]["value"] for row in evaluation["performance"] if row["asa_class"] == "known"}
        assert all(found[rows] >= auroc for rows, auroc in wanted.items())

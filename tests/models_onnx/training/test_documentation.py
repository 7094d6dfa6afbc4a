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


def test_the_cross_validated_figures_reach_what_was_asked_for() -> None:
    for folder, wanted in FITTED.items():
        evaluation = json.loads((PACKAGE / folder / "1.0.0" / "evaluation.json").read_text(encoding="utf-8"))
        found = {row["rows"]: row["auroc"]["value"] for row in evaluation["performance"] if row["asa_class"] == "known"}
        assert all(found[rows] >= auroc for rows, auroc in wanted.items())

"""Promoting and retiring."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from models_onnx.model_card import ModelError
from models_onnx.promotion import promote, retire
from models_onnx.registry import PACKAGE, load


@pytest.fixture
def a_copy(tmp_path: Path) -> Path:
    target = tmp_path / "models"
    shutil.copytree(PACKAGE, target, ignore=shutil.ignore_patterns("training", "*.py", "__pycache__"))
    return target


def test_a_retired_model_stops_answering_and_a_promoted_one_answers_again(a_copy: Path) -> None:
    (change,) = retire(a_copy, "rcri", "1.0.0")
    assert (change.before, change.after) == ("champion", "retired")
    assert "rcri" not in {card.name for card in load(a_copy).cards}
    (change,) = promote(a_copy, "rcri", "1.0.0")
    assert (change.before, change.after) == ("retired", "champion")
    assert "rcri" in {card.name for card in load(a_copy).cards}
    assert (a_copy / "registry.yaml").read_bytes() == (PACKAGE / "registry.yaml").read_bytes()


def test_a_version_that_is_not_there_is_not_promoted(a_copy: Path) -> None:
    with pytest.raises(ModelError, match=r"rcri 9\.0\.0: registry\.yaml does not name it"):
        promote(a_copy, "rcri", "9.0.0")


def test_a_change_after_which_the_models_would_not_load_is_taken_back(a_copy: Path) -> None:
    before = (a_copy / "registry.yaml").read_bytes()
    (a_copy / "stacked.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match="sha256 differs"):
        retire(a_copy, "rcri", "1.0.0")
    assert (a_copy / "registry.yaml").read_bytes() == before

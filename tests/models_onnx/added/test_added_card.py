"""What stands wrong in model.yaml is named with file and, where a member is of the wrong form, its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models_onnx import added_card
from models_onnx.added import example
from models_onnx.model_card import ModelError
from tests.models_onnx.added import graphs

AGE = {"name": "age", "kind": "number", "unit": "years", "low": 18, "high": 100}
SHAPLEY = {"method": "shapley", "background_words": "somebody"}


def inputs(*entries: dict[str, Any], **changed: Any) -> list[dict[str, Any]]:
    return [AGE | changed, *entries]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "../elsewhere"}, "name: lower-case letters"),
    ({"version": "1.0"}, "version: three numbers"),
    ({"outcome": None}, "missing required field `outcome`"),
    ({"colour": "red"}, "unknown field `colour`"),
    ({"inputs": []}, "inputs: 1 to 40"),
    ({"inputs": inputs(AGE)}, "age is named twice"),
    ({"inputs": inputs(low=None)}, "low and high, or at least two values"),
    ({"inputs": inputs(low=120)}, "low, values and high have to rise"),
    ({"inputs": inputs(low=float("nan"))}, "low, values and high have to rise"),
    ({"inputs": inputs(categories=["a", "b"])}, "a number has no categories"),
    ({"inputs": inputs({"name": "sex", "kind": "category", "categories": ["male"]})}, "at least two categories"),
    ({"inputs": inputs({"name": "sex", "kind": "category", "categories": ["a", "a"]})}, "at least two categories"),
    ({"inputs": inputs({"name": "cancer", "kind": "yes-no", "low": 0})}, "are for a number"),
    ({"examples": []}, "examples: 1 to 50"),
    ({"examples": [{"inputs": {"age": 60}, "probability": 0.1}]}, "examples: 0: each person has exactly the inputs"),
    ({"examples": [{"inputs": graphs.one(age=17), "probability": 0.1}]}, "examples: 0: age is no value of this input"),
    ({"examples": [{"inputs": graphs.one(age=True), "probability": 0.1}]}, "examples: 0: age is no value"),
    ({"examples": [{"inputs": graphs.one(heart_failure=1), "probability": 0.1}]}, "heart_failure is no value"),
    ({"examples": [{"inputs": graphs.one(), "probability": 1.5}]}, "Expected `float` <= 1.0"),
    ({"contributions": SHAPLEY}, "shapley needs a background"),
    ({"contributions": SHAPLEY | {"background": [graphs.one(age=5)]}}, "background: 0: age is no value"),
    ({"contributions": SHAPLEY | {"method": "occlusion", "background": [graphs.one()] * 2}}, "background of 1 to 1"),
    ({"contributions": SHAPLEY | {"method": "guess"}}, "Invalid enum value 'guess'"),
    ({"contributions": {"method": "none", "evaluations": 10_000}}, "Expected `int` <= 4096"),
    ({"validation": {"report": "../r.pdf", "sha256": "0" * 64}}, "the name of a file in this folder"),
    ({"validation": {"report": "model.onnx", "sha256": "0" * 64}}, "the name of a file in this folder"),
    ({"validation": {"report": "r.pdf", "sha256": "0"}}, "64 hexadecimal digits"),
]


@pytest.mark.parametrize(("members", "why"), WRONG, ids=[why for _, why in WRONG])
def test_what_is_wrong_is_named(members: dict[str, Any], why: str, tmp_path: Path) -> None:
    folder = graphs.folder(tmp_path / "new", **members)
    with pytest.raises(ModelError, match=why) as told:
        added_card.read_card(folder)
    assert "model.yaml:" in str(told.value)


def test_a_member_that_is_given_twice_is_named_with_its_line(tmp_path: Path) -> None:
    folder = example.written(tmp_path / "new", "bleeding")
    path = folder / "model.yaml"
    path.write_text("name: other\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(ModelError, match=r"model\.yaml:4: `name` is given twice"):
        added_card.read_card(folder)


def test_a_file_that_is_absent_too_long_or_no_text_is_named(tmp_path: Path) -> None:
    for content in (None, b"#" * 300_000, b"\xff\xfe\x00"):
        path = tmp_path / "model.yaml"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ModelError, match=r"model\.yaml"):
            added_card.read_card(tmp_path)


def test_what_a_missing_input_could_be_is_what_the_card_names() -> None:
    def possible(**members: Any) -> tuple[Any, ...]:
        return added_card.AddedInput(name="x", **members).possible

    assert possible(kind="number", low=0.0, high=8.0) == (0, 1, 2, 3, 4, 5, 6, 7, 8)
    assert possible(kind="number", low=0.0, high=8.0, values=(2.0, 3.0)) == (2, 3)
    assert possible(kind="yes-no") == (False, True)
    assert possible(kind="category", categories=("a", "b")) == ("a", "b")


def test_the_example_is_a_card_that_can_be_read_and_a_name_that_is_there_is_kept(tmp_path: Path) -> None:
    assert added_card.read_card(example.written(tmp_path / "mine", "mine")).name == "mine"
    with pytest.raises(ModelError, match="there already"):
        example.written(tmp_path / "mine", "mine")
    with pytest.raises(ModelError, match="lower-case letters"):
        example.written(tmp_path / "Mine", "Mine")

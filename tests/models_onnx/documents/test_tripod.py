"""The TRIPOD+AI items, for every model."""

from __future__ import annotations

import pytest

from models_onnx.documents.source_attributes import attributes
from models_onnx.documents.tripod import ABSENT, ITEMS, Item, items
from models_onnx.model_card import read_card, read_evaluation
from models_onnx.registry import PACKAGE

PATHS = sorted(PACKAGE.glob("*/*/*/card.yaml"))
EACH = pytest.mark.parametrize("path", PATHS, ids=[path.parent.parent.name for path in PATHS])


def told(path) -> dict[str, Item]:
    card, evaluation = read_card(path), read_evaluation(path.parent)
    return {item.number: item for item in items(card, attributes(card, evaluation), evaluation)}


def test_there_are_27_items_with_52_parts() -> None:
    numbers = [number for number, _, _ in ITEMS]
    assert len(numbers) == len(set(numbers)) == 52
    assert len({number.rstrip("abcdefg") for number in numbers}) == 27


@EACH
def test_every_item_is_told_or_said_to_be_not_available_with_the_reason(path) -> None:
    found = told(path)
    assert list(found) == [number for number, _, _ in ITEMS]
    for item in found.values():
        assert item.told.strip()
        assert item.known or len(item.told) > len(ABSENT) + 10


@EACH
def test_a_published_equation_claims_no_development_of_its_own_and_a_fitted_one_tells_its_figures(path) -> None:
    found, evaluation = told(path), read_evaluation(path.parent)
    if evaluation is None:
        assert all(not found[number].known for number in ("5b", "6b", "10", "11", "12a", "12c", "20a", "23a"))
    else:
        assert f"{evaluation['data']['events']:,}" in found["20a"].told
        assert f"{evaluation['performance'][0]['auroc']['value']:.3f}" in found["23a"].told
        assert sum(item.known for item in found.values()) >= 42

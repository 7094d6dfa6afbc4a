"""Curves as trees: which piece a number falls into, and what a missing one gets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models_onnx.sessions import open_session
from models_onnx.training.curves import AdditiveModel, ByLevel, ByPresence, Curve, Piece, bounded
from models_onnx.training.graph import single

STEPS = Curve("dose", (Piece(c0=1.0), Piece(c0=2.0), Piece(c0=4.0)), 0.0, 9.0, breaks=(3.0, 5.0), missing=8.0)
OPERATION = Curve("operation", (Piece(c0=0.0), Piece(c0=16.0)), 0.0, 1.0, indexed=True)


def logits(model: AdditiveModel, *rows: tuple[float, ...]) -> list[float]:
    return open_session(single(model)).run(["logit"], {"X": np.array(rows, dtype=float)})[0][:, 0].tolist()


def a_model(*shapes, operation: str | None = None) -> AdditiveModel:
    return AdditiveModel("a-model", "1.0.0", "logit", 0.5, shapes, operation=operation)


@pytest.mark.parametrize(
    ("dose", "added"),
    [(-1e9, 1), (math.nextafter(3, 0), 1), (3, 2), (math.nextafter(5, 0), 2), (5, 4), (1e9, 4), (math.nan, 8)],
)
def test_a_number_falls_into_the_piece_after_the_last_break_that_it_reaches(dose: float, added: float) -> None:
    assert logits(a_model(STEPS), (dose,)) == [0.5 + added]


@pytest.mark.parametrize(("x", "added"), [(-50, 0), (0, 0), (1, 1), (2, 8), (50, 8), (math.nan, -1)])
def test_a_cubic_is_level_beyond_its_knots(x: float, added: float) -> None:
    assert logits(a_model(bounded("x", [Piece(c3=1.0)], (0.0, 2.0), missing=-1.0)), (x,)) == [0.5 + added]


def test_a_curve_with_slopes_has_to_be_bounded() -> None:
    with pytest.raises(ValueError, match="not bounded"):
        Curve("x", (Piece(c1=1.0),), 0.0, 1.0)


def test_another_curve_is_used_while_another_input_is_missing() -> None:
    model = a_model(ByPresence("asa", STEPS, STEPS.shifted(100)), Curve("asa", (Piece(),), 0, 0, missing=0.0))
    assert logits(model, (4, 1), (4, math.nan), (math.nan, math.nan)) == [2.5, 102.5, 108.5]


def test_a_curve_may_differ_by_operation_and_by_nothing_else() -> None:
    by_operation = ByLevel("operation", (STEPS, STEPS.shifted(100)))
    model = a_model(OPERATION, by_operation, operation="operation")
    told = logits(model, (0, 4), (1, 4), (1, math.nan), (math.nan, 4))
    assert told[:3] == [2.5, 118.5, 124.5]
    assert math.isnan(told[3])
    with pytest.raises(ValueError, match="not the operation"):
        a_model(OPERATION, by_operation)

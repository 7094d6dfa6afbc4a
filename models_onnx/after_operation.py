"""Scores that are counted when an operation is over: no answer before it runs them, and none is told before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from models_onnx.model_card import ModelCard, ModelError
from models_onnx.registry import Registry
from models_onnx.score import InputValue, Score

SURGICAL_APGAR = "surgical-apgar"


def card_of(models: Registry, name: str = SURGICAL_APGAR) -> ModelCard:
    """The card of such a score; raises ModelError where these models do not hold it."""
    if name not in models.prepared:
        raise ModelError(f"{name}: no such score is counted after an operation")
    return models.prepared[name].card


def score_after(models: Registry, values: Mapping[str, InputValue | None], name: str = SURGICAL_APGAR) -> Score:
    """The score of one case; one that lacks an input says so in `needs` and has no points.

    Raises ModelError as card_of, InputError for a value of the wrong kind.
    """
    card_of(models, name)
    row, present = models.encoding.row(values)
    return models.prepared[name].score(values, present, models.run(np.array([row]))[0])


def one_score(scores: Sequence[Score]) -> Score | None:
    """The score on which every reading of the record agrees, or None: where they differ there is no single one."""
    first = next(iter(scores), None)
    return first if first is not None and all(one.points == first.points for one in scores) else None

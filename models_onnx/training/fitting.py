"""Fitting a model on real operations: how its two penalties are chosen, never on the rows that test it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold

from models_onnx.training.monotone import ASA, MonotoneAdditiveClassifier
from models_onnx.training.penalised import Matrix
from models_onnx.training.surgery_timing import SPINE

Parameters = dict[str, Any]
# `evenness` 1 lets age weigh more in spine operations, 1e6 does not.
GRID: tuple[Parameters, ...] = tuple(
    {"smoothness": smoothness, "pooling": pooling, "evenness": evenness}
    for smoothness, pooling, evenness in product((0.3, 3.0), (0.3, 1.0, 3.0), (1.0, 1e6))
)
OUTER, INNER, SEED = 10, 3, 20261124
Predict = Callable[[Matrix, Matrix, Matrix], Matrix]


def folds(x: Matrix, y: Matrix, count: int, seed: int) -> Iterator[tuple[Matrix, Matrix]]:
    """Training and test row numbers, stratified by outcome; rows are shuffled, for the file is sorted."""
    yield from StratifiedKFold(count, shuffle=True, random_state=seed).split(x, y)


def design(categories: tuple[str, ...]) -> Parameters:
    """What is decided before any fit: one term per operation, and that age may weigh more in spine operations."""
    return {"operations": len(categories), "steeper": tuple(categories.index(c) for c in SPINE if c in categories)}


def choose(x: Matrix, y: Matrix, *, design: Parameters) -> Parameters:
    """The penalties with the least log loss over inner folds, as recorded and with ASA class masked alike.

    `design` is what is not chosen: the number of operations, and those in which age may weigh more.
    """
    losses = np.zeros(len(GRID))
    for train, test in folds(x, y, INNER, SEED + 1):
        for position, parameters in enumerate(GRID):
            fitted = fit(x[train], y[train], design=design, parameters=parameters)
            for rows in (x[test], masked(x[test])):
                losses[position] += log_loss(y[test], fitted.decision_function(rows))
    return GRID[int(losses.argmin())]


def log_loss(y: Matrix, z: Matrix) -> float:
    """The summed negative log-likelihood of outcomes under logits."""
    return float((np.logaddexp(0.0, z) - y * z).sum())


def masked(x: Matrix) -> Matrix:
    """The same rows with the ASA class unknown."""
    out = x.copy()
    out[:, ASA] = np.nan
    return out


def fit(
    x: Matrix, y: Matrix, *, design: Parameters, parameters: Parameters, covariance: bool = False
) -> MonotoneAdditiveClassifier:
    """The model with given penalties."""
    return MonotoneAdditiveClassifier(**design, **parameters, covariance=covariance).fit(x, y)


def nested_predictions(x: Matrix, y: Matrix, *, design: Parameters) -> tuple[Matrix, Matrix, list[Parameters]]:
    """Out-of-fold probabilities as recorded and with ASA class masked; penalties are chosen inside each fold."""
    recorded, without, chosen = np.zeros(len(y)), np.zeros(len(y)), []
    for train, test in folds(x, y, OUTER, SEED):
        chosen.append(choose(x[train], y[train], design=design))
        fitted = fit(x[train], y[train], design=design, parameters=chosen[-1])
        recorded[test] = fitted.predict_proba(x[test])[:, 1]
        without[test] = fitted.predict_proba(masked(x[test]))[:, 1]
    return recorded, without, chosen


def out_of_fold(x: Matrix, y: Matrix, predict: Predict) -> Matrix:
    """Out-of-fold probabilities of another model on the same folds; `predict` gets training x, y and test x."""
    out = np.zeros(len(y))
    for train, test in folds(x, y, OUTER, SEED):
        out[test] = predict(x[train], y[train], x[test])
    return out

"""The standard error of a fitted model's logit, by the delta method, as nodes of its graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models_onnx.training.curves import AdditiveModel, all_curves, positions


class GraphBuilder(Protocol):
    """What this module needs of a graph under construction."""

    def constant(self, name: str, values: Any, kind: type = ...) -> str: ...  # noqa: D102

    def add(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str: ...  # noqa: D102


def add_standard_errors(graph: GraphBuilder, models: Sequence[AdditiveModel], row: str, t: str) -> str:
    """Nodes for `logit_standard_error` [N, S], one per model that has a covariance, in the order of `models`.

    With Σ = L·Lᵀ, Lᵀ·φ(x) is itself a sum of cubic curves with Q values each: gather their coefficients at the
    rows in use, multiply with the powers of t, and take the length. The base stands in every row of the first
    curve, of which exactly one is in use.
    """
    terms, offsets, table = _tables(models)
    s, p, q = *terms.shape, table.shape[-1]
    own_row = graph.add("Gather", [row, graph.constant("se_terms", terms, np.int64)], "se_row_global", axis=1)
    own_row = graph.add("Sub", [own_row, graph.constant("se_offsets", offsets, np.int64)], "se_row")
    factors = graph.add("Gather", [graph.constant("se_table", table), own_row], "se_factors")
    shape = graph.constant("se_factor_shape", [0, s, 4 * p, q], np.int64)
    factors = graph.add("Reshape", [factors, shape], "se_factor_matrix")
    # Each t four times, for t³, t², t and 1.
    repeated = graph.constant("se_repeated", np.repeat(terms, 4, axis=1), np.int64)
    own_t = graph.add("Gather", [t, repeated], "se_t", axis=1)
    exponents = np.tile([3.0, 2.0, 1.0, 0.0], p)[:, None]
    powers = graph.add("Pow", [own_t, graph.constant("se_exponents", exponents)], "se_powers")
    flat = graph.constant("se_power_shape", [0, s, 1, 4 * p], np.int64)
    powers = graph.add("Reshape", [powers, flat], "se_power_row")
    gradient = graph.add("MatMul", [powers, factors], "se_gradient")
    axes = graph.constant("se_axes", [2, 3], np.int64)
    return graph.add("ReduceL2", [gradient, axes], "logit_standard_error", keepdims=0)


def _tables(models: Sequence[AdditiveModel]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Curve numbers and row offsets [S, P], and the factor table [R, 4, Q]."""
    fitted = [model for model in models if model.factors]
    if len({len(model.factors) for model in fitted}) != 1:
        raise ValueError("models with standard errors need equally many curves")
    width = max(len(_base_factor(model)) for model in fitted)
    first_row = np.concatenate([[0], np.cumsum([len(curve.rows()) for curve in all_curves(models)])])
    terms: list[list[int]] = []
    offsets: list[list[int]] = []
    table: list[NDArray[np.float64]] = []
    for model, (own, joint) in zip(models, positions(models), strict=True):
        if not model.factors:
            continue
        terms.append([*own, *joint])
        offsets.append([])
        first = len(table)
        for position, factor in zip(terms[-1], model.factors, strict=True):
            offsets[-1].append(int(first_row[position]) - sum(map(len, table)))
            table.append(_padded(factor, width))
        table[first] = table[first].copy()
        table[first][:, 3] += _padded(_base_factor(model), width)
    return np.array(terms), np.array(offsets), np.concatenate(table)


def _base_factor(model: AdditiveModel) -> NDArray[np.float64]:
    if model.base_factor is None:
        raise ValueError(f"{model.name}: factors without a base factor")
    return model.base_factor


def _padded(factor: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    missing = width - factor.shape[-1]
    return np.pad(factor, [*[(0, 0)] * (factor.ndim - 1), (0, missing)])

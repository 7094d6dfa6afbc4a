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
    """Nodes for `standard_errors` [N, S], one per model that has a covariance, in the order of `models`.

    With Σ = L·Lᵀ, Lᵀ·φ(x) is itself a sum of cubic curves with Q values each: gather their coefficients at the
    rows in use, multiply with the powers of t, add the base, and take the length.
    """
    fitted = [model for model in models if model.factors]
    if len({len(model.factors) for model in fitted}) != 1:
        raise ValueError("models with standard errors need equally many inputs")
    terms, offsets, table, base = _tables(models)
    s, p, q = *terms.shape, base.shape[-1]
    terms_name = graph.constant("se_terms", terms, np.int64)
    own_row = graph.add("Gather", [row, terms_name], "se_row_global", axis=1)
    own_row = graph.add("Sub", [own_row, graph.constant("se_offsets", offsets, np.int64)], "se_row")
    factors = graph.add("Gather", [graph.constant("se_table", table), own_row], "se_factors")
    flat = graph.constant("se_factor_shape", [0, s, 4 * p, q], np.int64)
    factors = graph.add("Reshape", [factors, flat], "se_factor_matrix")
    powers = _powers(graph, t, terms_name)
    powers = graph.add("Reshape", [powers, graph.constant("se_power_shape", [0, s, 1, 4 * p], np.int64)], "se_powers")
    gradient = graph.add("MatMul", [powers, factors], "se_product")
    gradient = graph.add("Add", [gradient, graph.constant("se_base", base[:, None, :])], "se_gradient")
    squares = graph.add("Mul", [gradient, gradient], "se_squares")
    axes = graph.constant("se_axes", [2, 3], np.int64)
    return graph.add("Sqrt", [graph.add("ReduceSum", [squares, axes], "se_variance", keepdims=0)], "standard_errors")


def _powers(graph: GraphBuilder, t: str, terms: str) -> str:
    """t³, t², t and 1 for each curve of each fitted model: [N, S, P, 4]."""
    own = graph.add("Gather", [t, terms], "se_t", axis=1)
    own = graph.add("Unsqueeze", [own, "last_axis"], "se_t1")
    square = graph.add("Mul", [own, own], "se_t2")
    cube = graph.add("Mul", [square, own], "se_t3")
    nothing = graph.add("Sub", [own, own], "se_t_minus_t")
    one = graph.add("Add", [nothing, graph.constant("se_one", 1.0)], "se_t0")
    return graph.add("Concat", [cube, square, own, one], "se_t_powers", axis=-1)


def _tables(
    models: Sequence[AdditiveModel],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Curve numbers and row offsets [S, P], the factor table [R, 4, Q] and the base factors [S, Q]."""
    fitted = [model for model in models if model.base_factor is not None]
    width = max(len(_base_factor(model)) for model in fitted)
    curves = all_curves(models)
    first_row = np.concatenate([[0], np.cumsum([len(curve.rows()) for curve in curves])])
    terms: list[list[int]] = []
    offsets: list[list[int]] = []
    table = []
    kept = 0
    for model, (own, joint) in zip(models, positions(models), strict=True):
        if not model.factors:
            continue
        terms.append([*own, *joint])
        offsets.append([])
        for position, factor in zip(terms[-1], model.factors, strict=True):
            offsets[-1].append(first_row[position] - kept)
            table.append(_padded(factor, width))
            kept += len(factor)
    base = np.array([_padded(_base_factor(model), width) for model in fitted])
    return np.array(terms), np.array(offsets), np.concatenate(table), base


def _base_factor(model: AdditiveModel) -> NDArray[np.float64]:
    if model.base_factor is None:
        raise ValueError(f"{model.name}: factors without a base factor")
    return model.base_factor


def _padded(factor: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    missing = width - factor.shape[-1]
    return np.pad(factor, [*[(0, 0)] * (factor.ndim - 1), (0, missing)])

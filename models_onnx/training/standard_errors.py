"""The standard error of a fitted model's logit, by the delta method, as nodes of its graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models_onnx.training.curves import AdditiveModel, Gradient, Shape, own_curve
from models_onnx.training.trees import Node, row_tree

INT64 = 7  # onnx.TensorProto.INT64
POWERS = 4  # of t: cubed, squared, itself, and one


class GraphBuilder(Protocol):
    """What this module needs of a graph under construction."""

    def constant(self, name: str, values: Any, kind: type = ...) -> str: ...  # noqa: D102

    def add(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str: ...  # noqa: D102


@dataclass
class StandardErrors:
    """S models' gradients: a tree per row of factors, [S, rows] of them; the factor rows [R, Q], each once.

    Per row of a model the place of what weighs it among the cubics' powers of t: the zeroth for a constant.
    """

    trees: list[Node] = field(default_factory=list)
    table: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    places: list[list[int]] = field(default_factory=list)


def standard_errors(models: Sequence[AdditiveModel], cubics: Sequence[Shape]) -> StandardErrors:
    """What the graph of `models` needs for its standard errors; `cubics` are the shapes whose t it has."""
    found = StandardErrors()
    numbers: dict[bytes, int] = {}
    rows: list[NDArray[np.float64]] = []
    fitted = [model for model in models if model.gradients]
    width = max((gradient.factors.shape[-1] for model in fitted for gradient in model.gradients), default=0)
    for model in fitted:
        own = {own_curve(shape).input: k for k, shape in enumerate(cubics) if any(shape is s for s in model.shapes)}
        found.places.append([])
        for gradient in model.gradients:
            factors = np.pad(gradient.factors, [(0, 0), (0, 0), (0, width - gradient.factors.shape[-1])])
            degree = factors.shape[1]
            first = POWERS * own[own_curve(gradient.shape).input] if degree == POWERS else POWERS - 1
            for power in range(degree):
                found.trees.append(row_tree(gradient.shape, _numbered(factors[:, power], numbers, rows)))
                found.places[-1].append(first + power)
    found.table = np.array(rows)
    return found


def _numbered(factors: NDArray[np.float64], numbers: dict[bytes, int], rows: list[NDArray[np.float64]]) -> list[int]:
    """The row of the table that holds each factor; equal ones are kept once."""
    found = []
    for factor in factors + 0.0:  # no minus zero: it differs from zero in its bytes
        key = factor.tobytes()
        if key not in numbers:
            numbers[key] = len(rows)
            rows.append(factor)
        found.append(numbers[key])
    return found


def add_standard_errors(graph: GraphBuilder, errors: StandardErrors) -> str:
    """Nodes for `logit_standard_error` [N, S], from `rows` [N, S·K] and `powers`.

    With Σ = L·Lᵀ, Lᵀ·φ(x) is a sum of rows of L weighed by powers of t: gather them, multiply, take the length.
    """
    places = graph.constant("se_places", np.array(errors.places)[:, None], np.int64)
    weights = graph.add("Gather", ["powers", places], "se_weights", axis=1)
    number = graph.add("Cast", ["rows"], "se_rows", to=INT64)
    factors = graph.add("Gather", [graph.constant("se_table", errors.table), number], "se_factors")
    size = [0, *np.array(errors.places).shape, errors.table.shape[1]]
    factors = graph.add("Reshape", [factors, graph.constant("se_shape", size, np.int64)], "se_factor_matrix")
    gradient = graph.add("MatMul", [weights, factors], "se_gradient")
    axes = graph.constant("se_axes", [2, 3], np.int64)
    return graph.add("ReduceL2", [gradient, axes], "logit_standard_error", keepdims=0)


def gradient(shape: Shape, factors: NDArray[np.float64]) -> Gradient:
    """A gradient whose polynomial rows are left out where all are constant."""
    constant = not np.any(factors[:, :3])
    return Gradient(shape, factors[:, 3:] if constant else factors)

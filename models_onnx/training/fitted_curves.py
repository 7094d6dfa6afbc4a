"""The curves of a fitted model's submodels, with the rows of their covariance roots in the same places."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.interpolate import BSpline, PPoly

from models_onnx.training.curves import ByLevel, ByPresence, Curve, Gradient, Piece, Shape, bounded
from models_onnx.training.monotone import (
    AGE,
    ASA,
    DECADE,
    NAMES,
    OPERATION,
    PIVOT,
    SEX,
    STEEPER,
    MonotoneAdditiveClassifier,
)
from models_onnx.training.penalised import Matrix
from models_onnx.training.standard_errors import gradient


class Submodel:
    """One submodel's curves, and the rows of its covariance root L (Σ = L·Lᵀ) in the same places."""

    def __init__(self, model: MonotoneAdditiveClassifier, *, known: bool) -> None:
        self.model = model
        self.known = known
        self.fit = model.with_asa_ if known else model.without_asa_
        self.blocks = model.blocks(with_asa=known)
        self.root = covariance_root(self.fit.covariance)
        width = max(len(model.with_asa_.coefficients), len(model.without_asa_.coefficients))
        self.root = np.pad(self.root, [(0, 0), (0, width - self.root.shape[1])])
        self.mean = model.mean_[0 if known else 1]

    def column(self, input_column: int) -> tuple[Matrix, Matrix]:
        """An input's coefficients and their rows of L."""
        block = self.blocks[input_column].columns
        return self.fit.coefficients[block], self.root[block]

    def operation(self, of_group: Matrix) -> tuple[Curve, Matrix]:
        """One level per number of the operation input; NaN outside the model. The factors hold the intercept's."""
        coefficients, root = self.column(OPERATION)
        safe = np.nan_to_num(of_group).astype(int)
        numbers = np.where(np.isnan(of_group), np.nan, coefficients[safe])
        pieces = tuple(Piece(c0=rounded(number)) for number in numbers)
        curve = Curve(NAMES[OPERATION], pieces, 0.0, len(pieces) - 1.0, indexed=True)
        return curve, _constants([*(root[safe] + self.root[0]), None])

    def sex(self) -> tuple[Curve, Matrix]:
        """Female and male about their mean, and the factor rows."""
        coefficients, root = self.column(SEX)
        mean = self.mean[SEX]
        pieces = (Piece(c0=rounded(-mean)), Piece(c0=rounded(coefficients[0] - mean)))
        missing = rounded(coefficients[1] - mean)
        curve = Curve(NAMES[SEX], pieces, 0.0, 1.0, indexed=True, missing=missing)
        return curve, _constants([None, root[0], root[1]], width=root.shape[1])

    def spline(self, column: int, *, steeper: bool = False) -> tuple[Curve, Matrix]:
        """An input's spline about its mean, and the factor rows of its pieces and its missing term."""
        coefficients, root = self.column(column)
        mean = self.mean[column]
        risen = coefficients if column == AGE else coefficients[:-1]
        missing = np.nan if column == AGE else rounded(coefficients[-1] - mean)
        knots, spline = _knots(self.model.splines_[column]), self.model.splines_[column]
        values, factor = _cubics(spline, risen[:, None])[:, :, 0], _cubics(spline, root[: len(risen)])
        if steeper:
            slope, slope_root = self.column(STEEPER)
            values[:, 2:] += _line(knots[:-1]) * slope
            factor[:, 2:] += _line(knots[:-1])[:, :, None] * slope_root
        pieces = [
            Piece(float(left), *(rounded(c) for c in (c3, c2, c1, c0 - mean)))
            for left, (c3, c2, c1, c0) in zip(knots[:-1], values, strict=True)
        ]
        last = _constants([None if column == AGE else root[-1]], width=root.shape[1])
        ends = _constants([factor[0, 3], _at(factor[-1], knots[-1] - knots[-2])])
        factors = np.concatenate([ends[:1], factor, ends[1:], last])
        return bounded(NAMES[column], pieces, tuple(map(float, knots)), missing=missing), factors

    def age(self, of_group: Matrix) -> tuple[Shape, Matrix]:
        """The spline of age; one per operation where it weighs more in some than in others."""
        if not self.model.steeper:
            return self.spline(AGE)
        both = {steeper: self.spline(AGE, steeper=steeper) for steeper in (False, True)}
        chosen = [both[bool(np.isin(group, self.model.steeper))] for group in of_group]
        shape = ByLevel(NAMES[OPERATION], tuple(curve for curve, _ in chosen))
        return shape, np.concatenate([factor for _, factor in chosen])


def by_asa(known: tuple[Shape, Matrix], unknown: tuple[Shape, Matrix]) -> tuple[Shape, Gradient]:
    """One submodel's shape where the ASA class is known, the other's where it is missing."""
    shape = ByPresence(NAMES[ASA], known[0], unknown[0])
    return shape, gradient(shape, np.concatenate([known[1], unknown[1]]))


def asa_shape(first: Submodel, second: Submodel, of_group: Matrix, unknown: float) -> tuple[Shape, Gradient]:
    """The steps at III and IV; not knowing the class is the change to the second submodel for this operation.

    The second submodel's gradients stand with its own inputs, so that not knowing the class adds nothing here.
    """
    coefficients, root = first.column(ASA)
    heights = [0.0, coefficients[0], coefficients.sum()]
    pieces = tuple(Piece(c0=rounded(height - first.mean[ASA])) for height in heights)
    steps = Curve(NAMES[ASA], pieces, 1.0, 5.0, breaks=(3.0, 4.0), missing=0.0)
    operations = zip(first.operation(of_group)[0].pieces, second.operation(of_group)[0].pieces, strict=True)
    changes = [rounded(unknown + other.c0 - own.c0) for own, other in operations]
    shape = ByLevel(NAMES[OPERATION], tuple(replace(steps, missing=change) for change in changes))
    rows = _constants([None, root[0], root.sum(axis=0), None], width=root.shape[1])
    return shape, gradient(steps, rows)


def operation_shape(first: Submodel, second: Submodel, of_group: Matrix) -> tuple[Shape, Gradient]:
    """The first submodel's operations, which are the reference; the gradients of both."""
    (known, own), (unknown, other) = first.operation(of_group), second.operation(of_group)
    return known, by_asa((known, own), (unknown, other))[1]


def _at(factor: Matrix, t: float) -> Matrix:
    """A piece's factors [4, Q] at `t` from its left end."""
    return np.asarray(t ** np.array([3.0, 2.0, 1.0, 0.0]) @ factor)


def _line(lefts: Matrix) -> Matrix:
    """c1 and c0 of (age - pivot) in decades, on pieces that begin at `lefts`."""
    return np.column_stack([np.full(len(lefts), 1 / DECADE), (lefts - PIVOT) / DECADE])


def _knots(spline: Any) -> Matrix:
    basis: BSpline = spline.bsplines_[0]
    return np.asarray(basis.t[basis.k : -basis.k])


def _cubics(spline: Any, risen: Matrix) -> Matrix:
    """Cubic coefficients [pieces, 4, columns] of Σ risen·(rise of each spline column).

    The rise of column i is the sum of the basis functions from i on, so basis function k weighs the sum of the
    rises up to k.
    """
    basis: BSpline = spline.bsplines_[0]
    weights = np.vstack([np.zeros((1, risen.shape[1])), np.cumsum(risen, axis=0)])
    inside = slice(basis.k, -basis.k)
    units = [PPoly.from_spline(BSpline(basis.t, unit, basis.k)).c[:, inside] for unit in np.eye(len(weights))]
    return np.asarray(np.einsum("bcp,bq->pcq", np.array(units), weights))


def _constants(rows: list[Matrix | None], *, width: int | None = None) -> Matrix:
    """Factor rows [R, 4, Q] that are constant: only c0 is not zero."""
    size = width if width is not None else next(len(row) for row in rows if row is not None)
    out = np.zeros((len(rows), 4, size))
    for position, row in enumerate(rows):
        if row is not None:
            out[position, 3] = row
    return out


def covariance_root(covariance: Matrix) -> Matrix:
    """L with L·Lᵀ = the covariance, by eigenvalues; columns in a fixed order and with a fixed sign."""
    eigenvalues, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.clip(eigenvalues, 0.0, None))
    signs = np.sign(root[np.abs(root).argmax(axis=0), np.arange(root.shape[1])])
    return np.asarray(root * np.where(signs == 0, 1.0, signs))


def rounded(number: float) -> float:
    """Twelve significant digits: the last bits of a spline differ from one processor to another."""
    return float(f"{number:.12g}")


def rounded_array(numbers: Matrix) -> Matrix:
    """Each number with twelve significant digits."""
    return np.array([rounded(number) for number in numbers.ravel()]).reshape(numbers.shape)

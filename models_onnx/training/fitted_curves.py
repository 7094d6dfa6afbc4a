"""The curves of a fitted model's submodels, with the rows of their covariance roots in the same places."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.interpolate import BSpline, PPoly

from models_onnx.training.curves import Curve, Piece
from models_onnx.training.monotone import AGE, ASA, NAMES, OPERATION, SEX, MonotoneAdditiveClassifier
from models_onnx.training.penalised import Matrix


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
        """One level per number of the operation input; NaN outside the model."""
        coefficients, root = self.column(OPERATION)
        safe = np.nan_to_num(of_group).astype(int)
        numbers = np.where(np.isnan(of_group), np.nan, coefficients[safe])
        pieces = tuple(Piece(c0=rounded(number)) for number in numbers)
        return Curve(NAMES[OPERATION], pieces, 0.0, len(pieces) - 1.0, indexed=True), _constants([*root[safe], None])

    def curve(self, column: int) -> tuple[Curve, Matrix]:
        """An input's curve about its mean, and the factor rows of its pieces and its missing term."""
        coefficients, root = self.column(column)
        mean = self.mean[column]
        if column == SEX:
            curve = Curve(
                "sex",
                (Piece(c0=rounded(-mean)), Piece(c0=rounded(coefficients[0] - mean))),
                0.0,
                1.0,
                indexed=True,
                missing=rounded(coefficients[1] - mean),
            )
            return curve, _constants([None, root[0], root[1]], width=root.shape[1])
        risen = coefficients if column == AGE else coefficients[:-1]
        missing = np.nan if column == AGE else rounded(coefficients[-1] - mean)
        values = _cubics(self.model.splines_[column], risen[:, None])[:, :, 0]
        knots, factor = _knots(self.model.splines_[column]), _cubics(self.model.splines_[column], root[: len(risen)])
        pieces = tuple(
            Piece(float(left), *(rounded(c) for c in (c3, c2, c1, c0 - mean)))
            for left, (c3, c2, c1, c0) in zip(knots[:-1], values, strict=True)
        )
        curve = Curve(
            NAMES[column],
            pieces,
            float(knots[0]),
            float(knots[-1]),
            breaks=tuple(map(float, knots[1:-1])),
            missing=missing,
        )
        last = _constants([None if column == AGE else root[-1]], width=root.shape[1])
        return curve, np.concatenate([factor, last])

    def curve_with(self, other: Submodel, column: int) -> tuple[Curve, Matrix]:
        """This submodel's curve, and the other's as its alternative while the ASA class is missing."""
        curve, factor = self.curve(column)
        alternative, other_factor = other.curve(column)
        both = Curve(
            curve.input,
            curve.pieces,
            curve.low,
            curve.high,
            breaks=curve.breaks,
            indexed=curve.indexed,
            missing=curve.missing,
            without=NAMES[ASA],
            alternative=alternative,
        )
        return both, np.concatenate([factor, other_factor])


def asa_curve(first: Submodel, second: Submodel, unknown: float) -> tuple[Curve, Matrix]:
    """The steps at III and IV; not knowing the class is the change to the second submodel."""
    coefficients, root = first.column(ASA)
    mean = first.mean[ASA]
    heights = [0.0, coefficients[0], coefficients.sum()]
    curve = Curve(
        NAMES[ASA],
        tuple(Piece(c0=rounded(height - mean)) for height in heights),
        1.0,
        5.0,
        breaks=(3.0, 4.0),
        missing=rounded(unknown),
    )
    change = second.root[0] - first.root[0]
    return curve, _constants([None, root[0], root.sum(axis=0), change], width=root.shape[1])


def joint_curve(first: Submodel, second: Submodel, of_group: Matrix) -> tuple[Curve, Matrix]:
    """What the operation adds beyond the reference while the ASA class is missing, told with the ASA class."""
    own, own_factor = first.operation(of_group)
    other, other_factor = second.operation(of_group)
    zeros = tuple(Piece() for _ in own.pieces)
    change = tuple(Piece(c0=rounded(b.c0 - a.c0)) for a, b in zip(own.pieces, other.pieces, strict=True))
    curve = Curve(
        own.input,
        zeros,
        own.low,
        own.high,
        indexed=True,
        without=NAMES[ASA],
        alternative=Curve(own.input, change, own.low, own.high, indexed=True),
        told_as=NAMES[ASA],
    )
    return curve, np.concatenate([np.zeros_like(own_factor), other_factor - own_factor])


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

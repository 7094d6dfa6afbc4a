"""The columns of a site's own fit, made of its declared inputs, and the terms of an equation made of coefficients.

A number is one straight line between its limits, over two standard deviations so that its penalty is that of a yes/no
(Gelman 2008, doi:10.1002/sim.3107); a yes/no is one column; a category one for each of its values, drawn together by
the penalty. An input that was missing somewhere has a column for that. All are centred, so that the penalty moves
nobody's average.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models_onnx.added_card import AddedInput
from models_onnx.training.equations import NAN, Levels, Linear, Term
from models_onnx.training.penalised import Matrix


@dataclass(frozen=True)
class InputColumns:
    """What one input became: its places in the matrix, the number at which its line is nought and its width.

    `missing`: the place of the column "not recorded"; None where it was recorded of everybody.
    """

    input: AddedInput
    places: tuple[int, ...]
    missing: int | None
    middle: float = 0.0
    width: float = 1.0


@dataclass(frozen=True)
class Design:
    """How rows of inputs (category numbers, 0/1 or numbers, NaN where missing) become columns of a fit."""

    columns: tuple[InputColumns, ...]
    means: Matrix

    def matrix(self, rows: Matrix) -> Matrix:
        """A column of ones, and the centred columns."""
        return np.column_stack([np.ones(len(rows)), _uncentred(rows, self.columns) - self.means])

    def terms(self, coefficients: Matrix) -> tuple[tuple[Term, ...], float]:
        """The same as terms of an equation, with its intercept; `coefficients` as of `matrix`."""
        slopes = coefficients[1:]
        found = [_term(one, slopes, self.means) for one in self.columns]
        intercept = float(coefficients[0] - self.means @ slopes) + sum(constant for _, constant in found)
        return tuple(term for term, _ in found), intercept


def design(rows: Matrix, inputs: Sequence[AddedInput]) -> Design:
    """The columns for these inputs, in their order; widths and means are those of `rows`, which are learned from."""
    columns: list[InputColumns] = []
    place = 0
    for number, entry in enumerate(inputs):
        known = rows[~np.isnan(rows[:, number]), number]
        count = len(entry.categories) if entry.kind == "category" else 1
        is_missing = len(known) < len(rows) and not entry.required
        middle, width = _scale(known) if entry.kind == "number" else (0.0, 1.0)
        last = place + count
        columns.append(InputColumns(entry, tuple(range(place, last)), last if is_missing else None, middle, width))
        place = last + is_missing
    made = tuple(columns)
    return Design(made, _uncentred(rows, made).mean(axis=0))


def _scale(known: Matrix) -> tuple[float, float]:
    if not len(known) or known.std() == 0:
        return (float(known[0]) if len(known) else 0.0), 1.0
    return float(known.mean()), float(2 * known.std())


def _uncentred(rows: Matrix, columns: Sequence[InputColumns]) -> Matrix:
    made = []
    for number, one in enumerate(columns):
        x = rows[:, number]
        if one.input.kind == "category":
            made += [(x == level).astype(float) for level in range(len(one.places))]
        else:
            made.append(np.where(np.isnan(x), 0.0, (x - one.middle) / one.width))
        if one.missing is not None:
            made.append(np.isnan(x).astype(float))
    return np.column_stack(made)


def _term(one: InputColumns, slopes: Matrix, means: Matrix) -> tuple[Term, float]:
    """The term, and what it leaves to the intercept. Never missing among those learned from: as the average person."""
    own = slopes[list(one.places)] / one.width
    missing = NAN if one.input.required else _missing(one, slopes, means)
    if one.input.kind == "number":
        slope, at_middle = float(own[0]), float(own[0] * one.middle)
        low, high = float(one.input.low or 0.0), float(one.input.high or 0.0)
        return Linear(one.input.name, slope, low, high, missing=missing + at_middle), -at_middle
    levels = tuple(map(float, own)) if one.input.kind == "category" else (0.0, float(own[0]))
    return Levels(one.input.name, levels, missing=missing), 0.0


def _missing(one: InputColumns, slopes: Matrix, means: Matrix) -> float:
    if one.missing is not None:
        return float(slopes[one.missing])
    places = list(one.places)
    return float(slopes[places] @ means[places])

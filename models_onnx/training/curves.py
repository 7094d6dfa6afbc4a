"""The one shape every model is exported from: per input a curve of cubic pieces, and a term for when it is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Link = Literal["logit", "points"]
# Slots over which the graph sums a model's contributions. One width for all graphs, single or stacked, so that
# both add the same numbers in the same order and agree to the last bit.
SLOTS = 20


@dataclass(frozen=True)
class Piece:
    """c3·t³ + c2·t² + c1·t + c0 with t = x - left, in log-odds (or points)."""

    left: float = 0.0
    c3: float = 0.0
    c2: float = 0.0
    c1: float = 0.0
    c0: float = 0.0

    def shifted(self, by: float) -> Piece:
        """The same piece, `by` log-odds higher."""
        return replace(self, c0=self.c0 + by)


@dataclass(frozen=True)
class Curve:
    """What one input adds to a model's logit.

    A number is clamped to [low, high] and falls into the piece after the last of `breaks` that it reaches; the
    value of a category or a yes/no (`indexed`) is the number of its piece. `missing` is added when the input is
    missing; NaN means that the model cannot be asked without it. `alternative`, with the same breaks, is used
    instead while the input `without` is missing (a pattern submodel). What a joint curve adds is told as part of
    the contribution of the input `told_as`.
    """

    input: str
    pieces: tuple[Piece, ...]
    low: float
    high: float
    breaks: tuple[float, ...] = ()
    indexed: bool = False
    missing: float = float("nan")
    without: str | None = None
    alternative: Curve | None = None
    told_as: str | None = None

    def __post_init__(self) -> None:
        """Refuse a curve that the graph would read wrongly."""
        inner = 0 if self.indexed else len(self.pieces) - 1
        if len(self.breaks) != inner or list(self.breaks) != sorted(set(self.breaks)):
            raise ValueError(f"{self.input}: the breaks do not separate the pieces")
        if self.alternative is not None and (
            self.alternative.breaks != self.breaks or len(self.alternative.pieces) != len(self.pieces)
        ):
            raise ValueError(f"{self.input}: both patterns need the same pieces")

    def shifted(self, by: float) -> Curve:
        """The same curve, `by` log-odds higher everywhere."""
        return replace(
            self,
            pieces=tuple(piece.shifted(by) for piece in self.pieces),
            missing=self.missing + by,
            alternative=self.alternative and self.alternative.shifted(by),
        )

    def rows(self) -> list[Piece]:
        """The table rows of this curve: its pieces, then the missing term, then the same of the alternative."""
        own = [*self.pieces, Piece(c0=self.missing)]
        return own + (self.alternative.rows() if self.alternative else [])


@dataclass(frozen=True)
class AdditiveModel:
    """logit (or points) = base + Σ curves; `operation`'s curve moves the reference, not a contribution.

    `factors`, where a fit gave a covariance Σ = L·Lᵀ: one matrix [rows, 4, Q] per curve with what each row's
    coefficients (c3..c0) contribute to Lᵀ·φ(x), and `base_factor` [Q]; the standard error of the logit is the
    length of their sum (delta method). `joint` are further curves, of two inputs together; their factors follow.
    `facts` go into the graph's metadata.
    """

    name: str
    version: str
    link: Link
    base: float
    curves: tuple[Curve, ...]
    operation: str | None = None
    joint: tuple[Curve, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False)
    factors: tuple[NDArray[np.float64], ...] = field(default=(), compare=False)
    base_factor: NDArray[np.float64] | None = field(default=None, compare=False)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, in the order of the graph's columns."""
        return tuple(curve.input for curve in self.curves)


def all_curves(models: Sequence[AdditiveModel]) -> list[Curve]:
    """Model after model the curve of each input; after all of these, model after model, the joint curves."""
    return [curve for model in models for curve in model.curves] + [curve for model in models for curve in model.joint]


def positions(models: Sequence[AdditiveModel]) -> list[tuple[range, range]]:
    """Per model where its inputs' curves and its joint curves lie in `all_curves`."""
    found, own, joint = [], 0, sum(len(model.curves) for model in models)
    for model in models:
        found.append((range(own, own + len(model.curves)), range(joint, joint + len(model.joint))))
        own += len(model.curves)
        joint += len(model.joint)
    return found

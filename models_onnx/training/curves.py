"""The one shape every model is exported from: per input a curve of cubic pieces, and a term for when it is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Link = Literal["logit", "points"]


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

    def value(self, x: float) -> float:
        """The piece at `x`."""
        t = x - self.left
        return ((self.c3 * t + self.c2) * t + self.c1) * t + self.c0

    @property
    def constant(self) -> bool:
        """Whether the piece is the same for every number."""
        return self.c3 == self.c2 == self.c1 == 0.0


@dataclass(frozen=True)
class Curve:
    """What one input adds to a model's logit.

    A number falls into the piece after the last of `breaks` that it reaches; the value of a category or a yes/no
    (`indexed`) is the number of its piece. Beyond [low, high] nothing changes: a curve with slopes begins and ends
    with a constant piece. `missing` is added when the input is missing; NaN means that the model cannot be asked
    without it.
    """

    input: str
    pieces: tuple[Piece, ...]
    low: float
    high: float
    breaks: tuple[float, ...] = ()
    indexed: bool = False
    missing: float = float("nan")

    def __post_init__(self) -> None:
        """Refuse a curve that the graph would read wrongly."""
        inner = 0 if self.indexed else len(self.pieces) - 1
        if len(self.breaks) != inner or list(self.breaks) != sorted(set(self.breaks)):
            raise ValueError(f"{self.input}: the breaks do not separate the pieces")
        if not (self.pieces[0].constant and self.pieces[-1].constant):
            raise ValueError(f"{self.input}: it is not bounded")

    def shifted(self, by: float) -> Curve:
        """The same curve, `by` log-odds higher everywhere."""
        pieces = tuple(piece.shifted(by) for piece in self.pieces)
        return replace(self, pieces=pieces, missing=self.missing + by)

    @property
    def sloping(self) -> bool:
        """Whether some piece is not constant."""
        return not all(piece.constant for piece in self.pieces)

    @property
    def inner(self) -> tuple[float, ...]:
        """The breaks, without those at which a curve with slopes begins and ends."""
        return self.breaks[1:-1] if self.sloping else self.breaks

    @property
    def cuts(self) -> tuple[float, ...]:
        """The numbers from which on each further piece holds."""
        return tuple(map(float, range(1, len(self.pieces)))) if self.indexed else self.breaks


@dataclass(frozen=True)
class ByPresence:
    """Another curve of the same input while the input `selector` is missing (a pattern submodel)."""

    selector: str
    present: Shape
    missing: Shape


@dataclass(frozen=True)
class ByLevel:
    """One curve of the same input per category of the input `selector` (an interaction); none while it is missing."""

    selector: str
    shapes: tuple[Shape, ...]


Shape = Curve | ByPresence | ByLevel


def bounded(name: str, pieces: Sequence[Piece], knots: Sequence[float], *, missing: float) -> Curve:
    """The curve of `pieces` between `knots`, level beyond the first and the last knot."""
    ends = Piece(c0=pieces[0].value(knots[0])), Piece(c0=pieces[-1].value(knots[-1]))
    every = (ends[0], *pieces, ends[1])
    return Curve(name, every, knots[0], knots[-1], breaks=tuple(knots), missing=missing)


def curves(shape: Shape) -> Iterator[Curve]:
    """Every curve of a shape, in the order in which its leaves are numbered."""
    if isinstance(shape, Curve):
        yield shape
    else:
        for inner in (shape.present, shape.missing) if isinstance(shape, ByPresence) else shape.shapes:
            yield from curves(inner)


def leaves(shape: Shape) -> list[Piece]:
    """Every piece of every curve, each curve's missing term after its pieces."""
    return [piece for curve in curves(shape) for piece in (*curve.pieces, Piece(c0=curve.missing))]


def own_curve(shape: Shape) -> Curve:
    """The first curve: its input is the one that the shape's contribution is told as; bounds and cuts are shared."""
    return next(curves(shape))


@dataclass(frozen=True)
class Gradient:
    """What one input adds to Lᵀ·φ(x), where Σ = L·Lᵀ is the covariance of a fit and logit = φ(x)·β.

    `factors` [leaves, 1, Q], or [leaves, 4, Q] for the coefficients c3 to c0 of a polynomial in the t of `shape`.
    """

    shape: Shape
    factors: NDArray[np.float64]


@dataclass(frozen=True)
class AdditiveModel:
    """logit (or points) = base + Σ shapes; `operation`'s curve moves the reference, not a contribution.

    With `gradients` the standard error of the logit is the length of their sum (delta method). `facts` go into the
    graph's metadata.
    """

    name: str
    version: str
    link: Link
    base: float
    shapes: tuple[Shape, ...]
    operation: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False)
    gradients: tuple[Gradient, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        """Refuse an interaction with another input than the operation: ranges are looked up by it
        (input_effects.py).
        """
        for shape in self.shapes:
            if not _levels(shape) <= {self.operation}:
                raise ValueError(f"{self.name}: a curve depends on the level of an input that is not the operation")

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, in the order of the graph's columns."""
        return tuple(own_curve(shape).input for shape in self.shapes)


def _levels(shape: Shape) -> set[str]:
    """The inputs on whose level a shape depends, beside its own."""
    if isinstance(shape, Curve):
        return set()
    if isinstance(shape, ByPresence):
        return _levels(shape.present) | _levels(shape.missing)
    return {shape.selector}.union(*map(_levels, shape.shapes))

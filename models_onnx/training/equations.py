"""An additive equation as a scikit-learn classifier: the reference that every exported graph is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from models_onnx.training.curves import AdditiveModel, Curve, Link, Piece, bounded

Values = NDArray[np.float64]
NAN = float("nan")


@dataclass(frozen=True)
class Levels:
    """One coefficient per category (or for no and yes), in the order of the input's categories."""

    input: str
    coefficients: tuple[float, ...]
    missing: float = NAN

    def value(self, x: Values) -> Values:
        """The coefficient of each category number in `x`; of the missing ones the missing term."""
        known = np.where(np.isnan(x), 0, x).astype(int).clip(0, len(self.coefficients) - 1)
        return np.where(np.isnan(x), self.missing, np.asarray(self.coefficients, dtype=float)[known])

    def curve(self) -> Curve:
        """One constant piece per category."""
        pieces = tuple(Piece(c0=coefficient) for coefficient in self.coefficients)
        return Curve(self.input, pieces, 0.0, len(pieces) - 1.0, indexed=True, missing=self.missing)


@dataclass(frozen=True)
class Steps:
    """One coefficient between each two cut-points; a value that equals a cut-point is above it."""

    input: str
    cuts: tuple[float, ...]
    coefficients: tuple[float, ...]
    low: float
    high: float
    missing: float = NAN

    def value(self, x: Values) -> Values:
        """The coefficient of the step on which each number stands."""
        step = np.searchsorted(self.cuts, np.where(np.isnan(x), self.low, x), side="right")
        return np.where(np.isnan(x), self.missing, np.asarray(self.coefficients, dtype=float)[step])

    def curve(self) -> Curve:
        """One constant piece per step."""
        pieces = tuple(Piece(c0=coefficient) for coefficient in self.coefficients)
        return Curve(self.input, pieces, self.low, self.high, breaks=self.cuts, missing=self.missing)


@dataclass(frozen=True)
class Linear:
    """A slope per unit, held constant outside [low, high]."""

    input: str
    slope: float
    low: float
    high: float
    missing: float = NAN

    def value(self, x: Values) -> Values:
        """Slope times the clamped number."""
        return np.where(np.isnan(x), self.missing, self.slope * np.clip(x, self.low, self.high))

    def curve(self) -> Curve:
        """One straight piece from `low` to `high`."""
        piece = Piece(left=self.low, c1=self.slope, c0=self.slope * self.low)
        return bounded(self.input, [piece], (self.low, self.high), missing=self.missing)


Term = Levels | Steps | Linear


class AdditiveEquation(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A published equation: probability = 1 / (1 + e^-(intercept + Σ terms)), or points = intercept + Σ terms.

    `reference` is the person (category numbers, 0/1 or numbers by input) against whom contributions are told;
    `operation` names the input that belongs to the reference itself. There is nothing to learn: `fit` only
    declares the classes.
    """

    def __init__(
        self,
        terms: tuple[Term, ...] = (),
        intercept: float = 0.0,
        *,
        link: Link = "logit",
        operation: str | None = None,
        reference: Mapping[str, float] | None = None,
    ) -> None:
        self.terms = terms
        self.intercept = intercept
        self.link = link
        self.operation = operation
        self.reference = reference

    def fit(self, X: Any = None, y: Any = None) -> Self:  # noqa: ARG002, N803
        """Declare the classes 0 and 1; every coefficient is published. Names as scikit-learn has them."""
        self.classes_ = np.array([0, 1])
        self.feature_names_in_ = np.array([term.input for term in self.terms], dtype=object)
        self.n_features_in_ = len(self.terms)
        return self

    def contributions(self, X: Values) -> Values:  # noqa: N803
        """Per row and input the log-odds (or points) away from the reference; 0 for the operation."""
        columns = [
            np.zeros(len(X)) if term.input == self.operation else term.value(X[:, j]) - self._at_reference(term)
            for j, term in enumerate(self.terms)
        ]
        return np.column_stack(columns)

    def decision_function(self, X: Values) -> Values:  # noqa: N803
        """The logit (or the points) of each row; NaN where a required input is missing."""
        total = np.full(len(X), self.intercept)
        for j, term in enumerate(self.terms):
            total = total + term.value(X[:, j])
        return total

    def predict_proba(self, X: Values) -> Values:  # noqa: N803
        """Probability of no event and of the event, per row."""
        event = 1.0 / (1.0 + np.exp(-self.decision_function(X)))
        return np.column_stack([1.0 - event, event])

    def predict(self, X: Values) -> NDArray[np.int64]:  # noqa: N803
        """The likelier class: not used by the product, which tells probabilities."""
        return (self.predict_proba(X)[:, 1] >= 0.5).astype(np.int64)

    def _at_reference(self, term: Term) -> float:
        value = (self.reference or {}).get(term.input)
        return 0.0 if value is None else float(term.value(np.array([value]))[0])

    def additive_model(self, name: str, version: str) -> AdditiveModel:
        """This equation in the shape that is exported."""
        away = {term.input: 0.0 if term.input == self.operation else self._at_reference(term) for term in self.terms}
        return AdditiveModel(
            name=name,
            version=version,
            link=self.link,
            base=self.intercept + sum(away.values()),
            shapes=tuple(term.curve().shifted(-away[term.input]) for term in self.terms),
            operation=self.operation,
        )

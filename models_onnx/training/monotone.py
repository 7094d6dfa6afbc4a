"""The fitted model: an additive logistic classifier, monotone in age and ASA class, made to be asked with gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import SplineTransformer

from models_onnx.training import penalised
from models_onnx.training.penalised import Matrix

# Columns of X: the operation's category number, completed years, 0/1 female/male, 0/1/2 for ASA I-II/III/IV-VI, kg/m2.
OPERATION, AGE, SEX, ASA, BMI = range(5)
NAMES = ("procedure_group", "age", "sex", "asa_class", "bmi")
# A further block of the design matrix: age once more, for the operations in which it may weigh more.
STEEPER = len(NAMES)
# The age at which it adds nothing, near the mean of the training data, and the years in one unit.
PIVOT, DECADE = 58.0, 10.0
# Share of the likelihood that each copy of a row carries: as recorded, without sex, without BMI, without both.
COPIES = ((0.7, ()), (0.1, (SEX,)), (0.1, (BMI,)), (0.1, (SEX, BMI)))


@dataclass(frozen=True)
class Block:
    """The columns of one input in the design matrix."""

    start: int
    stop: int

    @property
    def columns(self) -> slice:
        """As a slice."""
        return slice(self.start, self.stop)


class MonotoneAdditiveClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Pattern submodel of two additive logistic models: one for a known ASA class, one fitted without it.

    Each has a ridge-pooled term per operation, a cubic spline of age that never falls, terms for sex and BMI
    (cubic spline) and for each of these being missing, fitted on masked copies; the first also ASA steps that
    never fall. A missing ASA class is thus answered by the calibrated average over it. `smoothness` weighs the
    wiggliness of both splines, `pooling` draws operations towards their mean. In the operations `steeper` age may
    weigh more than elsewhere, in a straight line; `evenness` draws that towards nothing.
    """

    def __init__(
        self,
        operations: int = 23,
        *,
        age_knots: tuple[float, ...] = (18, 35, 50, 60, 70, 80, 90),
        bmi_knots: tuple[float, ...] = (17, 22, 26, 30, 35, 42, 52),
        smoothness: float = 1.0,
        pooling: float = 1.0,
        steeper: tuple[int, ...] = (),
        evenness: float = 1.0,
        covariance: bool = False,
    ) -> None:
        self.operations = operations
        self.age_knots = age_knots
        self.bmi_knots = bmi_knots
        self.smoothness = smoothness
        self.pooling = pooling
        self.steeper = steeper
        self.evenness = evenness
        self.covariance = covariance

    def fit(self, X: Matrix, y: Matrix) -> Self:  # noqa: N803
        """Fit both submodels; rows without ASA class serve only the second."""
        self._declare()
        known = ~np.isnan(X[:, ASA])
        self.with_asa_ = self._fit(X[known], y[known], with_asa=True)
        self.without_asa_ = self._fit(X, y, with_asa=False)
        self.mean_ = self._mean_terms(X[known])
        return self

    def _declare(self) -> None:
        self.classes_ = np.array([0, 1])
        self.n_features_in_ = len(NAMES)
        self.splines_ = {AGE: _spline(self.age_knots), BMI: _spline(self.bmi_knots)}

    def restore(self, with_asa: penalised.Fit, without_asa: penalised.Fit, *, mean: Matrix) -> Self:
        """The state after `fit`, from coefficients that were saved."""
        self._declare()
        self.with_asa_, self.without_asa_, self.mean_ = with_asa, without_asa, mean
        return self

    def _fit(self, rows: Matrix, y: Matrix, *, with_asa: bool) -> penalised.Fit:
        copies = []
        for _, masked in COPIES:
            copy = rows.copy()
            copy[:, list(masked)] = np.nan
            copies.append(copy)
        design = self.design(np.vstack(copies), with_asa=with_asa)
        weights = np.repeat([share for share, _ in COPIES], len(rows))
        return penalised.fit(
            design,
            np.tile(y, len(COPIES)),
            weights,
            self._penalty(with_asa=with_asa),
            at_least_zero=self._monotone(with_asa=with_asa),
            clusters=np.tile(np.arange(len(rows), dtype=float), len(COPIES)) if self.covariance else None,
        )

    def blocks(self, *, with_asa: bool) -> dict[int, Block]:
        """Where each input's columns lie; column 0 is the intercept, a missing term is its block's last column."""
        sizes = {
            OPERATION: self.operations,
            AGE: self.splines_[AGE].n_features_out_ - 1,
            SEX: 2,
            ASA: 2 if with_asa else 0,
            BMI: self.splines_[BMI].n_features_out_,
            STEEPER: 1 if self.steeper else 0,
        }
        blocks, start = {}, 1
        for column, size in sizes.items():
            blocks[column] = Block(start, start + size)
            start += size
        return blocks

    def design(self, rows: Matrix, *, with_asa: bool) -> Matrix:
        """The design matrix; operation and age must be known.

        Spline columns count how far a value has come, so that with weights ≥ 0 a curve never falls.
        """
        blocks = self.blocks(with_asa=with_asa)
        out = np.zeros((len(rows), max(block.stop for block in blocks.values())))
        out[:, 0] = 1.0
        out[np.arange(len(rows)), blocks[OPERATION].start + rows[:, OPERATION].astype(int)] = 1.0
        out[:, blocks[AGE].columns] = _risen(self.splines_[AGE], rows[:, AGE])
        out[:, blocks[SEX].columns] = _or_missing(rows[:, [SEX]])
        if with_asa:
            out[:, blocks[ASA].columns] = rows[:, [ASA]] >= np.array([1.0, 2.0])
        bmi = rows[:, BMI]
        risen = _risen(self.splines_[BMI], np.where(np.isnan(bmi), self.bmi_knots[0], bmi))
        out[:, blocks[BMI].columns] = np.column_stack([np.where(np.isnan(bmi)[:, None], 0.0, risen), np.isnan(bmi)])
        if self.steeper:
            decades = (rows[:, AGE].clip(self.age_knots[0], self.age_knots[-1]) - PIVOT) / DECADE
            out[:, blocks[STEEPER].start] = np.where(np.isin(rows[:, OPERATION], self.steeper), decades, 0.0)
        return out

    def _penalty(self, *, with_asa: bool) -> Matrix:
        blocks = self.blocks(with_asa=with_asa)
        size = max(block.stop for block in blocks.values())
        penalty = np.eye(size) * 1e-3
        penalty[0, 0] = 0.0
        operations = blocks[OPERATION].columns
        penalty[operations, operations] += np.eye(self.operations) * self.pooling
        for column, last in ((AGE, 0), (BMI, 1)):
            inside = slice(blocks[column].start, blocks[column].stop - last)
            penalty[inside, inside] += self.smoothness * _roughness(inside.stop - inside.start)
        steeper = blocks[STEEPER].columns
        penalty[steeper, steeper] += self.evenness
        return penalty

    def _monotone(self, *, with_asa: bool) -> NDArray[np.bool_]:
        blocks = self.blocks(with_asa=with_asa)
        bound = np.zeros(max(block.stop for block in blocks.values()), dtype=bool)
        bound[blocks[AGE].columns] = True
        bound[blocks[ASA].columns] = True
        bound[blocks[STEEPER].columns] = True
        return bound

    def terms(self, rows: Matrix, *, with_asa: bool) -> Matrix:
        """Per row and input what the submodel adds, without its intercept."""
        found = self._block_terms(rows, with_asa=with_asa)
        found[:, AGE] += found[:, STEEPER]
        return found[:, :STEEPER]

    def _block_terms(self, rows: Matrix, *, with_asa: bool) -> Matrix:
        fitted = self.with_asa_ if with_asa else self.without_asa_
        design = self.design(rows, with_asa=with_asa)
        blocks = self.blocks(with_asa=with_asa)
        return np.column_stack(
            [design[:, blocks[c].columns] @ fitted.coefficients[blocks[c].columns] for c in range(len(NAMES) + 1)]
        )

    def _mean_terms(self, rows: Matrix) -> Matrix:
        """Both submodels' average terms over the training rows: what contributions compare with.

        Where age weighs more, the comparison is with somebody of the age at which that adds nothing.
        """
        return np.array([self._block_terms(rows, with_asa=k).mean(axis=0)[:STEEPER] for k in (True, False)])

    def decision_function(self, X: Matrix) -> Matrix:  # noqa: N803
        """The logit of each row; operation and age must be known, else NaN."""
        out = np.full(len(X), np.nan)
        answerable = ~np.isnan(X[:, [OPERATION, AGE]]).any(axis=1)
        for known in (True, False):
            rows = answerable & (np.isnan(X[:, ASA]) != known)
            if rows.any():
                fitted = self.with_asa_ if known else self.without_asa_
                out[rows] = self.design(X[rows], with_asa=known) @ fitted.coefficients
        return out

    def predict_proba(self, X: Matrix) -> Matrix:  # noqa: N803
        """Probability of no event and of the event, per row."""
        event = penalised.logistic(self.decision_function(X))
        return np.column_stack([1.0 - event, event])

    def predict(self, X: Matrix) -> NDArray[np.int64]:  # noqa: N803
        """The likelier class: not used by the product, which tells probabilities."""
        return (self.predict_proba(X)[:, 1] >= 0.5).astype(np.int64)


def _spline(knots: tuple[float, ...]) -> Any:
    transformer = SplineTransformer(degree=3, knots=np.array(knots, dtype=float)[:, None], extrapolation="constant")
    return transformer.fit(np.array([[knots[0]], [knots[-1]]], dtype=float))


def _risen(spline: Any, values: Matrix) -> Matrix:
    """For each spline column but the first, the sum of it and all later ones: rises from 0 to 1 with the value."""
    basis = spline.transform(values[:, None])
    return np.asarray(np.cumsum(basis[:, ::-1], axis=1)[:, ::-1][:, 1:])


def _or_missing(column: Matrix) -> Matrix:
    return np.column_stack([np.nan_to_num(column), np.isnan(column)])


def _roughness(size: int) -> Matrix:
    """Squared differences between neighbouring rises: zero for a straight line in equal knots."""
    difference = np.diff(np.eye(size), axis=0)
    return np.asarray(difference.T @ difference)

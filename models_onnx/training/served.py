"""A fitted model as the service asks it: by procedure group and ASA class 1 to 5; and as curves for the graph."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline, PPoly
from sklearn.base import BaseEstimator, ClassifierMixin

from models_onnx.training.curves import AdditiveModel, Curve, Piece
from models_onnx.training.inputs import procedure_groups
from models_onnx.training.monotone import AGE, ASA, BMI, NAMES, OPERATION, SEX, MonotoneAdditiveClassifier
from models_onnx.training.penalised import Fit, Matrix, logistic

FITTED = Path(__file__).with_name("fitted")
OUTSIDE = "no operation of this kind is among those that the model was fitted on"
MIXTURE = "the operations that the model was fitted on do not tell this one from others of its category"


def levels(categories: tuple[str, ...]) -> NDArray[np.float64]:
    """For each number of the graph's operation input the number of its AHRQ-CCS category, NaN where it has none.

    First the procedure groups, as in the features; after them every category by itself, for files that hold
    categories (`evaluate`).
    """
    known = {name: float(number) for number, name in enumerate(categories)}
    groups = [known.get(group["ccs"], np.nan) if group["peers_from_ccs"] else np.nan for group in procedure_groups()]
    return np.array([*groups, *range(len(categories))])


def refused() -> tuple[dict[str, str], dict[str, str]]:
    """The procedure groups outside the model, and those that it cannot tell from others, with the reason."""
    outside = {group["name"]: OUTSIDE for group in procedure_groups() if group["ccs"] is None}
    mixed = {g["name"]: MIXTURE for g in procedure_groups() if g["ccs"] is not None and not g["peers_from_ccs"]}
    return outside, mixed


class ServedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A MonotoneAdditiveClassifier behind the inputs of the service; contributions as the graph tells them."""

    def __init__(self, fitted: MonotoneAdditiveClassifier, categories: tuple[str, ...]) -> None:
        self.fitted = fitted
        self.categories = categories

    def fit(self, X: Any = None, y: Any = None) -> Self:  # noqa: ARG002, N803
        """Nothing is left to learn; declares the classes."""
        self.classes_ = np.array([0, 1])
        return self

    def translated(self, rows: Matrix) -> Matrix:
        """The same rows with AHRQ-CCS category and ASA level 0 (I-II), 1 (III), 2 (IV-VI); numbers within bounds."""
        out = rows.copy()
        of_group = levels(self.categories)
        group = np.where(np.isnan(rows[:, OPERATION]), 0, rows[:, OPERATION]).astype(int).clip(0, len(of_group) - 1)
        out[:, OPERATION] = np.where(np.isnan(rows[:, OPERATION]), np.nan, of_group[group])
        asa = rows[:, ASA]
        out[:, ASA] = np.where(np.isnan(asa), np.nan, (asa >= 3).astype(float) + (asa >= 4))
        return out

    def decision_function(self, X: Matrix) -> Matrix:  # noqa: N803
        """The logit; NaN without operation or age, or for an operation outside the model."""
        return self.fitted.decision_function(self.translated(X))

    def predict_proba(self, X: Matrix) -> Matrix:  # noqa: N803
        """Probability of no event and of the event."""
        event = logistic(self.decision_function(X))
        return np.column_stack([1.0 - event, event])

    def predict(self, X: Matrix) -> NDArray[np.int64]:  # noqa: N803
        """The likelier class."""
        return (self.predict_proba(X)[:, 1] >= 0.5).astype(np.int64)

    def contributions(self, X: Matrix) -> Matrix:  # noqa: N803
        """Log-odds away from the average person of the training data having the same operation; 0 for the operation.

        Without ASA class, "not knowing it" carries whatever the second submodel says differently on average and
        for this operation.
        """
        rows = self.translated(X)
        answerable = ~np.isnan(rows[:, [OPERATION, AGE]]).any(axis=1)
        out = np.full(rows.shape, np.nan)
        safe = rows[answerable]
        known = ~np.isnan(safe[:, ASA])
        first = self.fitted.terms(safe, with_asa=True)
        second = self.fitted.terms(safe, with_asa=False)
        mean_first, mean_second = self.fitted.mean_
        told = np.where(known[:, None], first - mean_first, second - mean_second)
        unknown = self._unknown_asa() + second[:, OPERATION] - first[:, OPERATION]
        told[:, ASA] = np.where(known, told[:, ASA], unknown)
        told[:, OPERATION] = 0.0
        out[answerable] = told
        return out

    def _unknown_asa(self) -> float:
        first, second = self.fitted.with_asa_.coefficients[0], self.fitted.without_asa_.coefficients[0]
        mean_first, mean_second = self.fitted.mean_[:, [AGE, SEX, ASA, BMI]]
        return float(second + mean_second.sum() - first - mean_first.sum())

    def category_levels(self) -> dict[str, int]:
        """The number by which the graph's operation input knows each AHRQ-CCS category itself."""
        first = len(levels(self.categories)) - len(self.categories)
        return {category: first + position for position, category in enumerate(self.categories)}

    def additive_model(self, name: str, version: str) -> AdditiveModel:
        """The fitted model in the shape that is exported, intervals included."""
        first, second = _Submodel(self.fitted, known=True), _Submodel(self.fitted, known=False)
        of_group = levels(self.categories)
        mean = self.fitted.mean_[0]
        base = float(self.fitted.with_asa_.coefficients[0] + mean[[AGE, SEX, ASA, BMI]].sum())
        operation, operation_factor = first.operation(of_group)
        joint, joint_factor = _joint(first, second, of_group)
        asa, asa_factor = _asa(first, second, self._unknown_asa())
        pairs = [first.curve_with(second, column) for column in (AGE, SEX, BMI)]
        curves = (operation, pairs[0][0], pairs[1][0], asa, pairs[2][0])
        factors = (operation_factor, pairs[0][1], pairs[1][1], asa_factor, pairs[2][1], joint_factor)
        return AdditiveModel(
            name=name,
            version=version,
            link="logit",
            base=_rounded(base),
            curves=curves,
            operation=NAMES[OPERATION],
            joint=(joint,),
            facts={"ccs_levels": self.category_levels()},
            factors=tuple(_rounded_array(factor) for factor in factors),
            base_factor=_rounded_array(first.root[0]),
        )


class _Submodel:
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
        pieces = tuple(Piece(c0=_rounded(number)) for number in numbers)
        return Curve(NAMES[OPERATION], pieces, 0.0, len(pieces) - 1.0, indexed=True), _constants([*root[safe], None])

    def curve(self, column: int) -> tuple[Curve, Matrix]:
        """An input's curve about its mean, and the factor rows of its pieces and its missing term."""
        coefficients, root = self.column(column)
        mean = self.mean[column]
        if column == SEX:
            curve = Curve(
                "sex",
                (Piece(c0=_rounded(-mean)), Piece(c0=_rounded(coefficients[0] - mean))),
                0.0,
                1.0,
                indexed=True,
                missing=_rounded(coefficients[1] - mean),
            )
            return curve, _constants([None, root[0], root[1]], width=root.shape[1])
        risen = coefficients if column == AGE else coefficients[:-1]
        missing = np.nan if column == AGE else _rounded(coefficients[-1] - mean)
        values = _cubics(self.model.splines_[column], risen[:, None])[:, :, 0]
        knots, factor = _knots(self.model.splines_[column]), _cubics(self.model.splines_[column], root[: len(risen)])
        pieces = tuple(
            Piece(float(left), *(_rounded(c) for c in (c3, c2, c1, c0 - mean)))
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

    def curve_with(self, other: _Submodel, column: int) -> tuple[Curve, Matrix]:
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


def _asa(first: _Submodel, second: _Submodel, unknown: float) -> tuple[Curve, Matrix]:
    """The steps at III and IV; not knowing the class is the change to the second submodel."""
    coefficients, root = first.column(ASA)
    mean = first.mean[ASA]
    heights = [0.0, coefficients[0], coefficients.sum()]
    curve = Curve(
        NAMES[ASA],
        tuple(Piece(c0=_rounded(height - mean)) for height in heights),
        1.0,
        5.0,
        breaks=(3.0, 4.0),
        missing=_rounded(unknown),
    )
    change = second.root[0] - first.root[0]
    return curve, _constants([None, root[0], root.sum(axis=0), change], width=root.shape[1])


def _joint(first: _Submodel, second: _Submodel, of_group: Matrix) -> tuple[Curve, Matrix]:
    """What the operation adds beyond the reference while the ASA class is missing, told with the ASA class."""
    own, own_factor = first.operation(of_group)
    other, other_factor = second.operation(of_group)
    zeros = tuple(Piece() for _ in own.pieces)
    change = tuple(Piece(c0=_rounded(b.c0 - a.c0)) for a, b in zip(own.pieces, other.pieces, strict=True))
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


def _rounded(number: float) -> float:
    """Twelve significant digits: the last bits of a spline differ from one processor to another."""
    return float(f"{number:.12g}")


def _rounded_array(numbers: Matrix) -> Matrix:
    return np.array([_rounded(number) for number in numbers.ravel()]).reshape(numbers.shape)


def save(model: MonotoneAdditiveClassifier, categories: tuple[str, ...], path: Path, facts: Mapping[str, Any]) -> None:
    """Write what was fitted: coefficients and covariances, no rows."""

    def told(fit: Fit) -> dict[str, Any]:
        covariance = [[float(f"{number:.8g}") for number in row] for row in fit.covariance]
        return {"coefficients": [_rounded(c) for c in fit.coefficients], "covariance": covariance}

    document = {
        **facts,
        "categories": list(categories),
        "parameters": {name: value for name, value in model.get_params().items() if name != "covariance"},
        "mean_terms": [[_rounded(term) for term in row] for row in model.mean_],
        "with_asa": told(model.with_asa_),
        "without_asa": told(model.without_asa_),
    }
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(document, indent=1)
    path.write_text(text.replace(",\n    ", ", ").replace("[\n    ", "[") + "\n", encoding="utf-8")


def restored(path: Path) -> ServedClassifier:
    """The fitted model that `save` wrote, as the service asks it."""
    saved = json.loads(path.read_text(encoding="utf-8"))
    parameters: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in saved["parameters"].items()
    }
    fits = [
        Fit(np.array(saved[key]["coefficients"]), np.array(saved[key]["covariance"]))
        for key in ("with_asa", "without_asa")
    ]
    model = MonotoneAdditiveClassifier(**parameters).restore(*fits, mean=np.array(saved["mean_terms"]))
    return ServedClassifier(model, tuple(saved["categories"])).fit()

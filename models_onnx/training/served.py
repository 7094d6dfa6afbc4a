"""A fitted model as the service asks it: by procedure group and ASA class 1 to 5; and as curves for the graph."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from models_onnx import data_files
from models_onnx.training.curves import AdditiveModel, Gradient
from models_onnx.training.fitted_curves import Submodel, asa_shape, by_asa, operation_shape, rounded, rounded_array
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
        first, second = Submodel(self.fitted, known=True), Submodel(self.fitted, known=False)
        of_group = levels(self.categories)
        mean = self.fitted.mean_[0]
        base = float(self.fitted.with_asa_.coefficients[0] + mean[[AGE, SEX, ASA, BMI]].sum())
        made = (
            operation_shape(first, second, of_group),
            by_asa(first.age(of_group), second.age(of_group)),
            by_asa(first.sex(), second.sex()),
            asa_shape(first, second, of_group, self._unknown_asa()),
            by_asa(first.spline(BMI), second.spline(BMI)),
        )
        gradients = (gradient for _, gradient in made)
        return AdditiveModel(
            name=name,
            version=version,
            link="logit",
            base=rounded(base),
            shapes=tuple(shape for shape, _ in made),
            operation=NAMES[OPERATION],
            facts={"ccs_levels": self.category_levels()},
            gradients=tuple(Gradient(g.shape, rounded_array(g.factors)) for g in gradients),
        )


def save(model: MonotoneAdditiveClassifier, categories: tuple[str, ...], path: Path, facts: Mapping[str, Any]) -> None:
    """Write what was fitted: coefficients and covariances, no rows."""

    def told(fit: Fit) -> dict[str, Any]:
        covariance = [[float(f"{number:.8g}") for number in row] for row in fit.covariance]
        return {"coefficients": [rounded(c) for c in fit.coefficients], "covariance": covariance}

    document = {
        **facts,
        "categories": list(categories),
        "parameters": {name: value for name, value in model.get_params().items() if name != "covariance"},
        "mean_terms": [[rounded(term) for term in row] for row in model.mean_],
        "with_asa": told(model.with_asa_),
        "without_asa": told(model.without_asa_),
    }
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(document, indent=1)
    path.write_text(text.replace(",\n    ", ", ").replace("[\n    ", "[") + "\n", encoding="utf-8")


def restored(path: Path) -> ServedClassifier:
    """The fitted model that `save` wrote, as the service asks it."""
    saved = data_files.read_json(path, dict)
    parameters: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in saved["parameters"].items()
    }
    fits = [
        Fit(np.array(saved[key]["coefficients"]), np.array(saved[key]["covariance"]))
        for key in ("with_asa", "without_asa")
    ]
    model = MonotoneAdditiveClassifier(**parameters).restore(*fits, mean=np.array(saved["mean_terms"]))
    return ServedClassifier(model, tuple(saved["categories"])).fit()

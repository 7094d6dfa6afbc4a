"""What a fitted model has to beat: procedure mean, ASA and age, plain logistic, boosting, and SORT as published."""

from __future__ import annotations

import warnings

import numpy as np
from interpret.glassbox import ExplainableBoostingClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import SplineTransformer

from models_onnx.training.fitting import Predict
from models_onnx.training.inputs import encoded, procedure_groups
from models_onnx.training.monotone import AGE, ASA, BMI, OPERATION, SEX, MonotoneAdditiveClassifier
from models_onnx.training.penalised import Matrix
from models_onnx.training.published import published
from models_onnx.training.surgery_timing import Operations


def procedure_mean(x: Matrix, y: Matrix, test: Matrix) -> Matrix:
    """The share of events after the same operation, drawn to the whole by one event's worth of people."""
    overall = y.mean()
    number = x[:, OPERATION].astype(int)
    size = int(max(number.max(), test[:, OPERATION].max())) + 1
    events = np.bincount(number, y, minlength=size)
    people = np.bincount(number, minlength=size)
    weight = 1 / overall
    share = (events + overall * weight) / (people + weight)
    return np.asarray(share[test[:, OPERATION].astype(int)])


def asa_and_age(x: Matrix, y: Matrix, test: Matrix) -> Matrix:
    """Logistic regression on ASA class and age alone."""
    return _logistic(_asa_age(x), y, _asa_age(test))


def plain_logistic(x: Matrix, y: Matrix, test: Matrix) -> Matrix:
    """Logistic regression on all five inputs, each a straight line, missing numbers at the mean with an indicator."""
    return _logistic(_plain(x, x), y, _plain(test, x))


def boosting(x: Matrix, y: Matrix, test: Matrix) -> Matrix:
    """Histogram gradient boosting on the same five inputs, monotone in age and ASA class."""
    model = HistGradientBoostingClassifier(
        max_depth=3,
        learning_rate=0.05,
        max_iter=200,
        min_samples_leaf=50,
        l2_regularization=1.0,
        categorical_features=[OPERATION],
        monotonic_cst=[0, 1, 0, 1, 0],
        random_state=0,
    )
    return np.asarray(model.fit(x, y).predict_proba(test)[:, 1])


def spline_logistic(x: Matrix, y: Matrix, test: Matrix) -> Matrix:
    """Logistic regression on all five inputs, natural shapes of age and BMI by cubic splines, nothing monotone."""
    numbers = [AGE, BMI]
    middle = np.nanmedian(x[:, numbers], axis=0)
    spline = SplineTransformer(n_knots=6, degree=3, knots="quantile", extrapolation="constant", include_bias=False)
    filled = [np.where(np.isnan(rows[:, numbers]), middle, rows[:, numbers]) for rows in (x, test)]
    spline.fit(filled[0])
    own, other = (
        np.column_stack([_plain(rows, x), spline.transform(numbers)])
        for rows, numbers in zip((x, test), filled, strict=True)
    )
    return _logistic(own, y, other)


def explainable_boosting(x: Matrix, y: Matrix, test: Matrix) -> Matrix:
    """An explainable boosting machine on the same five inputs with five pairs, monotone in age and ASA class."""
    model = ExplainableBoostingClassifier(
        feature_types=["nominal", "continuous", "nominal", "continuous", "continuous"],
        interactions=5,
        outer_bags=4,
        monotone_constraints=[0, 1, 0, 1, 0],
        random_state=0,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        # Its pictures cannot show missing values; none is drawn here.
        warnings.filterwarnings("ignore", message="Missing values detected")
        return np.asarray(model.fit(x, y).predict_proba(test)[:, 1])


def age_alike(x: Matrix, y: Matrix, test: Matrix) -> Matrix:
    """The model that is served but for its one interaction: age weighs the same in every operation."""
    model = MonotoneAdditiveClassifier(int(x[:, OPERATION].max()) + 1, smoothness=3.0, pooling=1.0)
    return np.asarray(model.fit(x, y).predict_proba(test)[:, 1])


COMPARED: dict[str, Predict] = {
    "procedure mean": procedure_mean,
    "ASA class and age": asa_and_age,
    "logistic, five inputs": plain_logistic,
    "spline logistic, five inputs": spline_logistic,
    "explainable boosting machine, five inputs": explainable_boosting,
    "gradient boosting, five inputs": boosting,
    "this model, age alike in all operations": age_alike,
}


def _logistic(x: Matrix, y: Matrix, test: Matrix) -> Matrix:
    return np.asarray(LogisticRegression(C=1.0, max_iter=2000).fit(x, y).predict_proba(test)[:, 1])


def _asa_age(rows: Matrix) -> Matrix:
    asa = np.nan_to_num(rows[:, ASA])
    return np.column_stack([rows[:, AGE] / 10, asa >= 1, asa >= 2])


def _plain(rows: Matrix, train: Matrix) -> Matrix:
    operations = np.eye(int(train[:, OPERATION].max()) + 1)[rows[:, OPERATION].astype(int)]
    columns = [operations, _asa_age(rows), np.nan_to_num(rows[:, [SEX]])]
    bmi = np.where(np.isnan(rows[:, BMI]), np.nanmean(train[:, BMI]), rows[:, BMI])
    return np.column_stack([*columns, bmi / 5, np.isnan(rows[:, BMI]), np.isnan(rows[:, ASA])])


def sort_2014(operations: Operations) -> Matrix:
    """SORT as published, unfitted; NaN where it cannot grade the operation or ASA class is missing.

    ASA I-II is scored as II, IV-VI as IV; all are elective; the billing flag stands for cancer, which understates
    what SORT means by it (data README).
    """
    group_of = {group["ccs"]: group["name"] for group in procedure_groups() if group["peers_from_ccs"]}
    number = [encoded("procedure_group", group_of[ccs]) if ccs in group_of else np.nan for ccs in operations.ccs]
    elective = np.zeros(len(operations))
    rows = np.column_stack([number, operations.asa + 2, elective, operations.cancer, operations.age])
    return np.asarray(published()["sort-2014"].estimator.predict_proba(rows)[:, 1])

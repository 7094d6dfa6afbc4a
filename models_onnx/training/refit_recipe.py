"""How a site's own model is fitted: a weak ridge, then uniform shrinkage by the factor that the bootstrap finds.

Fitted on one hospital's few events, predictions lie too far apart. How far is measured: the same fit on operations
drawn anew (by patient), held against the operations as they are, has a calibration slope; all log-odds are drawn about
their mean by its average (uniform shrinkage by bootstrap: Steyerberg et al. 2001, doi:10.1016/S0895-4356(01)00341-9).
Chosen over a penalty by cross-validation, which at 150 events was tried and is less steady: docs/learning.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

from models_onnx.added_card import AddedInput
from models_onnx.training import metrics, penalised
from models_onnx.training.equations import AdditiveEquation
from models_onnx.training.penalised import Matrix
from models_onnx.training.refit_terms import Design, design

# Requirements R-E02; Collins, Ogundimu & Altman 2016, doi:10.1002/sim.6787 (100 events and 100 without, to judge by).
LEAST_EVENTS = 100
# In columns of one width (refit_terms.py): a normal prior of standard deviation 0.3 on what a yes/no does.
PENALTY = 10.0
# Inside of folds fewer will do: only what is shipped hangs on the last percent of its factor.
BOOTSTRAPS, BOOTSTRAPS_IN_FOLDS, FOLDS, SEED = 100, 20, 5, 20261129
_CLOSE = 1e-10
Persons = NDArray[np.int64]


class RefitError(Exception):
    """Operations of which no model can be made; the message says why, and holds nothing of a patient."""


@dataclass(frozen=True)
class Refit:
    """A fitted equation, and the factor by which all log-odds were drawn about their mean."""

    estimator: AdditiveEquation
    shrinkage: float


def refuse_too_few(y: Matrix) -> None:
    """Raise RefitError below 100 events, or 100 operations without."""
    events = int(y.sum())
    if min(events, len(y) - events) < LEAST_EVENTS:
        raise RefitError(
            f"{len(y)} operations with {events} events: at least {LEAST_EVENTS} events and as many operations without "
            "are needed (R-E02)"
        )


def fit(rows: Matrix, y: Matrix, inputs: Sequence[AddedInput], persons: Persons) -> Refit:
    """The model of these operations; `persons` numbers the patients, of whom none is on both sides of a fold.

    Raises RefitError below 100 events.
    """
    refuse_too_few(y)
    with threadpool_limits(1):  # matrices this small are 15 times slower on several
        return _fitted(rows, y, inputs, persons, bootstraps=BOOTSTRAPS)


def out_of_fold(rows: Matrix, y: Matrix, inputs: Sequence[AddedInput], persons: Persons) -> Matrix:
    """Probabilities for each operation by a fit that did not see its patient; the factor found inside it."""
    found = np.zeros(len(y))
    with threadpool_limits(1):
        for train, test in _folds(y, persons):
            made = _fitted(rows[train], y[train], inputs, persons[train], bootstraps=BOOTSTRAPS_IN_FOLDS)
            found[test] = made.estimator.predict_proba(rows[test])[:, 1]
    refuse_telling_nothing(y, found)
    return found


def refuse_telling_nothing(y: Matrix, unseen: Matrix) -> None:
    """Raise RefitError where predictions for unseen operations may rank them no better than chance (95 %)."""
    found = metrics.with_interval(lambda weights: metrics.auroc(y, unseen, weights), len(y))[0]
    if found["low"] is None or found["low"] <= 0.5:
        raise RefitError(
            f"the inputs do not tell these operations apart: AUROC {found['value']} ({found['low']} to {found['high']})"
        )


def _fitted(rows: Matrix, y: Matrix, inputs: Sequence[AddedInput], persons: Persons, *, bootstraps: int) -> Refit:
    made = design(rows, inputs)
    x = made.matrix(rows)
    coefficients = _ridge(x, y, np.ones(len(y)))
    factor = _shrinkage(x, y, persons, bootstraps)
    coefficients[1:] *= factor
    coefficients[0] = _intercept(x[:, 1:] @ coefficients[1:], y)
    return Refit(_equation(made, coefficients), factor)


def _shrinkage(x: Matrix, y: Matrix, persons: Persons, bootstraps: int) -> float:
    """The average calibration slope, on these operations, of fits on patients drawn anew from them."""
    draw = np.random.default_rng(SEED)
    who, number = np.unique(persons, return_inverse=True)
    slopes = []
    for _ in range(bootstraps):
        times = np.bincount(draw.integers(0, len(who), len(who)), minlength=len(who))[number]
        drawn = times > 0
        again = _ridge(x[drawn], y[drawn], times[drawn].astype(float))
        slopes.append(metrics.calibration(y, penalised.logistic(x @ again))[0])
    return float(np.mean(slopes))


def _equation(made: Design, coefficients: Matrix) -> AdditiveEquation:
    terms, intercept = made.terms(coefficients)
    return AdditiveEquation(terms, intercept).fit()


def _folds(y: Matrix, persons: Persons) -> Iterator[tuple[Persons, Persons]]:
    yield from StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED).split(np.zeros((len(y), 1)), y, persons)


def _ridge(x: Matrix, y: Matrix, weights: Matrix) -> Matrix:
    penalty = np.full(x.shape[1], PENALTY)
    penalty[0] = 0.0
    free = np.zeros(x.shape[1], dtype=bool)
    return np.array(penalised.fit(x, y, weights, np.diag(penalty), at_least_zero=free, clusters=None).coefficients)


def _intercept(z: Matrix, y: Matrix) -> float:
    """The intercept with which the expected events are those observed."""
    low, high = -30.0, 30.0
    while high - low > _CLOSE:
        middle = (low + high) / 2
        low, high = (middle, high) if penalised.logistic(z + middle).sum() < y.sum() else (low, middle)
    return (low + high) / 2


def group_shares(groups: NDArray[np.object_], y: Matrix) -> dict[str, float]:
    """By procedure group the share of events, drawn to the whole by one event's worth of operations."""
    overall = float(y.mean())
    weight = 1 / overall if overall else 0.0
    return {
        str(name): float((y[groups == name].sum() + overall * weight) / ((groups == name).sum() + weight))
        for name in sorted(set(groups))
    }


def usual_out_of_fold(groups: NDArray[np.object_], y: Matrix, persons: Persons) -> Matrix:
    """What the share of its group says of each operation, counted on the other patients."""
    found = np.zeros(len(y))
    for train, test in _folds(y, persons):
        shares = group_shares(groups[train], y[train])
        found[test] = [shares.get(str(name), float(y[train].mean())) for name in groups[test]]
    return found

"""What little would do as well: the mean of a group, or a logistic regression on one or two facts, out of fold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cds_service.measures.intervals import Values

FOLDS = 10
SEED = 20261129
_RIDGE = 1e-3  # of standardised facts: enough to keep a fold that separates its cases finite
_PRIOR = 10.0  # operations of the whole hospital that a group's mean is mixed with


def folds(happened: Values) -> NDArray[np.int64]:
    """In which of FOLDS parts each case lies, events spread evenly over them: the same every time.

    Of folds that are not even, the one with more events has the lower mean in the others: noise would look worse than
    chance.
    """
    random, part = np.random.default_rng(SEED), np.empty(len(happened), np.int64)
    for outcome in (0, 1):
        at = np.flatnonzero(happened == outcome)
        part[random.permutation(at)] = np.arange(len(at)) % FOLDS
    return part


def mean_of_group(happened: Values, group: Sequence[str]) -> Values:
    """For each case how often it happened in its group among the other folds, drawn to the mean of all."""
    part = folds(happened)
    _, which = np.unique(np.asarray(group), return_inverse=True)
    most = int(which.max(initial=0)) + 1
    events, cases = np.zeros((FOLDS, most)), np.zeros((FOLDS, most))
    np.add.at(events, (part, which), happened)
    np.add.at(cases, (part, which), 1.0)
    events, cases = events.sum(axis=0) - events, cases.sum(axis=0) - cases
    n = cases.sum(axis=1)
    whole = np.where(n > 0, events.sum(axis=1) / np.maximum(n, 1.0), 0.5)
    return np.asarray((events[part, which] + _PRIOR * whole[part]) / (cases[part, which] + _PRIOR))


def logistic_out_of_fold(happened: Values, facts: Values) -> Values | None:
    """Predictions of a logistic regression on the columns of `facts`, each case by the other folds.

    None where a fold has no event, or no case without.
    """
    part, found = folds(happened), np.empty(len(happened))
    for fold in range(FOLDS):
        held = part == fold
        events = happened[~held].sum()
        if not 0 < events < (~held).sum():
            return None
        centre, spread = facts[~held].mean(axis=0), facts[~held].std(axis=0)
        scaled = (facts - centre) / np.where(spread > 0, spread, 1.0)
        design = np.column_stack([np.ones(len(scaled)), scaled])
        found[held] = _logistic(design[held] @ _coefficients(design[~held], happened[~held]))
    return found


def _coefficients(x: Values, happened: Values) -> Values:
    ridge = np.diag([0.0, *[_RIDGE] * (x.shape[1] - 1)])
    beta = np.zeros(x.shape[1])
    for _ in range(25):
        p = _logistic(x @ beta)
        step = np.linalg.solve(x.T @ (x * (p * (1 - p))[:, None]) + ridge, x.T @ (happened - p) - ridge @ beta)
        beta = beta + step
        if np.abs(step).max() < 1e-9:
            break
    return beta


def _logistic(z: Values) -> Values:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(z, -500, 500))))

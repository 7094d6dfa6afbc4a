"""Whether what was predicted is what happened: observed to expected, slope and intercept, Brier score."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from cds_service.measures.intervals import NONE, Figure, Values, around, mean, on_log, proportion

_CLIP = 1e-12
_STEPS = 50
_CONDITION = 1e12


class Calibration(msgspec.Struct, frozen=True):
    """Slope of the outcome on the predicted logit, and the intercept at slope 1 (calibration in the large)."""

    slope: Figure
    intercept: Figure


class RiskGroup(msgspec.Struct, frozen=True):
    """Operations of neighbouring risk: the mean predicted, the share that happened, how many there were."""

    predicted: float
    observed: Figure
    n: int
    events: int


def logit(predicted: Values) -> Values:
    """The logit of each probability."""
    clipped = np.clip(predicted, _CLIP, 1 - _CLIP)
    return np.asarray(np.log(clipped / (1 - clipped)))


def observed_to_expected(happened: Values, predicted: Values) -> Figure:
    """Events observed per event expected, with the interval of the ratio estimator on the logarithm."""
    observed, expected = float(happened.sum()), float(predicted.sum())
    if expected <= 0:
        return NONE
    ratio = observed / expected
    if observed == 0:
        return Figure(0.0)
    return on_log(ratio, math.sqrt(float(np.square(happened - ratio * predicted).sum())) / observed)


def calibration(happened: Values, predicted: Values) -> Calibration:
    """Both figures with Wald's intervals; none where the cases cannot tell (no event, or all of one prediction)."""
    z = logit(predicted)
    both = _fitted(np.column_stack([np.ones_like(z), z]), happened, np.zeros_like(z))
    large = _fitted(np.ones((len(z), 1)), happened, z)
    return Calibration(
        slope=NONE if both is None else around(float(both[0][1]), float(both[1][1, 1])),
        intercept=NONE if large is None else around(float(large[0][0]), float(large[1][0, 0])),
    )


def brier(happened: Values, predicted: Values) -> Figure:
    """The mean squared difference between outcome (0 or 1) and probability."""
    return mean(np.square(happened - predicted))


def groups(happened: Values, predicted: Values, *, least: int, most: int = 10) -> tuple[RiskGroup, ...]:
    """At most `most` groups by rising risk, each with at least `least` events and as many operations without.

    One group where there are not enough for two, none where there are not enough for one.
    """
    order = np.argsort(predicted, kind="stable")
    happened, predicted = happened[order], predicted[order]
    found: list[RiskGroup] = []
    start, size = 0, len(predicted) / most
    for end in _ends(predicted):
        events = float(happened[start:end].sum())
        left = float(happened[end:].sum())
        enough = min(events, end - start - events) >= least and end >= size * (len(found) + 1)
        last = end == len(predicted)
        if (enough and (last or min(left, len(predicted) - end - left) >= least)) or (last and enough):
            found.append(_group(happened[start:end], predicted[start:end]))
            start = end
    return tuple(found)


def _ends(predicted: Values) -> list[int]:
    """Where a group may end: never between two equal predictions."""
    return [*(np.flatnonzero(np.diff(predicted)) + 1).tolist(), len(predicted)] if len(predicted) else []


def _group(happened: Values, predicted: Values) -> RiskGroup:
    events = int(happened.sum())
    return RiskGroup(float(predicted.mean()), proportion(events, len(happened)), len(happened), events)


def _fitted(x: Values, happened: Values, offset: Values) -> tuple[Values, Values] | None:
    """The coefficients of a logistic regression and their covariance; None where there are none."""
    beta = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ beta + offset, -500, 500)))
        information = x.T @ (x * (p * (1 - p))[:, None])
        if not np.isfinite(information).all() or np.linalg.cond(information) > _CONDITION:
            return None
        step = np.linalg.solve(information, x.T @ (happened - p))
        beta = beta + step
        if np.abs(step).max() < 1e-11:
            return beta, np.asarray(np.linalg.inv(information))
    return None

"""How good predictions are: discrimination, calibration, net benefit, each with a bootstrap interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_onnx.training.penalised import logistic

Values = NDArray[np.float64]
RESAMPLES = 200
SEED = 20261124


def auroc(y: Values, p: Values, weights: Values | None = None) -> float:
    """The chance that an event has the higher prediction of an event and a non-event; ties count half."""
    weights = np.ones(len(y)) if weights is None else weights
    _, place = np.unique(p, return_inverse=True)
    events = np.bincount(place, weights * y)
    others = np.bincount(place, weights * (1 - y))
    below = np.cumsum(others) - others
    pairs = events.sum() * others.sum()
    return float((events * (below + 0.5 * others)).sum() / pairs) if pairs else float("nan")


def brier(y: Values, p: Values, weights: Values | None = None) -> float:
    """The mean squared difference between outcome (0 or 1) and probability."""
    return float(np.average((y - p) ** 2, weights=weights))


def logit(p: Values) -> Values:
    """The logit of each probability."""
    clipped = np.clip(p, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(clipped / (1 - clipped)))


def calibration(y: Values, p: Values, weights: Values | None = None) -> tuple[float, float]:
    """Slope, and intercept at slope 1 (calibration in the large), of the outcome on the predicted logit."""
    weights = np.ones(len(y)) if weights is None else weights
    z = logit(p)
    slope = _newton(np.column_stack([np.ones(len(z)), z]), y, weights, np.zeros(len(z)))[1]
    return float(slope), float(_newton(np.ones((len(z), 1)), y, weights, z)[0])


def _newton(x: Values, y: Values, weights: Values, offset: Values) -> Values:
    beta = np.zeros(x.shape[1])
    if x.shape[1] == 2:
        beta[1] = 1.0
    for _ in range(30):
        p = logistic(x @ beta + offset)
        curvature = x.T @ ((weights * p * (1 - p))[:, None] * x)
        if np.linalg.cond(curvature) > 1e12:
            # Predictions that separate the outcomes, or a resample without events: there is no such figure.
            return np.full(len(beta), np.nan)
        step = np.linalg.solve(curvature, x.T @ (weights * (y - p)))
        beta = beta + step
        if np.abs(step).max() < 1e-8:
            break
    return beta


def net_benefit(y: Values, p: Values, threshold: float, weights: Values | None = None) -> float:
    """True positives minus false positives weighed by the threshold's odds, per person."""
    chosen = (p >= threshold).astype(float)
    odds = threshold / (1 - threshold)
    return float(np.average(chosen * (y - (1 - y) * odds), weights=weights))


def with_interval(measure: Callable[[Values], float | tuple[float, ...]], n: int) -> list[dict[str, float | None]]:
    """A measure of bootstrap weights with its 95 % percentile interval; one entry per number it gives."""
    random = np.random.default_rng(SEED)
    value = np.atleast_1d(measure(np.ones(n)))
    drawn = np.array(
        [
            np.atleast_1d(measure(np.bincount(random.integers(0, n, n), minlength=n).astype(float)))
            for _ in range(RESAMPLES)
        ]
    )
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    if not len(drawn) or not np.isfinite(value).all():
        return [{"value": _short(v), "low": None, "high": None} for v in value]
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return [{"value": _short(v), "low": _short(a), "high": _short(b)} for v, a, b in zip(value, low, high, strict=True)]


def summary(y: Values, p: Values) -> dict[str, Any]:
    """AUROC, Brier score, calibration slope and intercept with intervals, beside what they are to be held against."""

    def measure(weights: Values) -> tuple[float, ...]:
        return auroc(y, p, weights), brier(y, p, weights), *calibration(y, p, weights)

    names = ("auroc", "brier", "slope", "intercept")
    rate = float(y.mean())
    return {
        "n": len(y),
        "events": int(y.sum()),
        "observed": _short(rate),
        "expected": _short(float(p.mean())),
        "brier_null": _short(rate * (1 - rate)),
        **dict(zip(names, with_interval(measure, len(y)), strict=True)),
    }


def _short(number: float) -> float | None:
    return float(f"{number:.6g}") if np.isfinite(number) else None

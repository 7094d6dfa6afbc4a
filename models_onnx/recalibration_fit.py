"""Fitting a hospital's recalibration from its own cases: maximum likelihood, with intervals and a least number."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from models_onnx.recalibrated import log_odds
from models_onnx.recalibration import RecalibrationError

# Requirements R-E02: 100 events for calibration (Collins, Ogundimu & Altman 2016, doi:10.1002/sim.6787: at least 100
# events and 100 non-events).
LEAST_EVENTS = 100
# As for the peers' figures themselves (peers.py).
LEAST_PEER_EVENTS = 10
INTERVAL_95 = 1.959963984540054
_STEPS = 50
_FARTHEST = 10.0
_FARTHEST_LOGIT = 500.0

Values = NDArray[np.float64]


class CalibrationCase(msgspec.Struct, frozen=True):
    """One operation: the model's own probability, the peers' figure where there is one, and whether it happened."""

    probability: float
    peer: float | None
    occurred: bool


class RecalibrationFit(msgspec.Struct, frozen=True, kw_only=True):
    """Intercept (log-odds), slope, their covariance, and the shift of the peers' figures; `expected` by the model."""

    intercept: float
    slope: float
    covariance: tuple[float, float, float]
    peer_shift: float | None
    n: int
    events: int
    expected: float

    @property
    def intercept_interval(self) -> tuple[float, float]:
        """95 %, log-odds."""
        return _interval(self.intercept, self.covariance[0])

    @property
    def slope_interval(self) -> tuple[float, float]:
        """95 %."""
        return _interval(self.slope, self.covariance[2])


def fit(cases: Sequence[CalibrationCase]) -> RecalibrationFit:
    """The logistic regression of what happened on the model's logit.

    Raises RecalibrationError with fewer than 100 events or 100 operations without, and where the model does not
    rank this hospital's cases: a slope that may be zero would make everybody's risk the same.
    """
    events = sum(case.occurred for case in cases)
    if min(events, len(cases) - events) < LEAST_EVENTS:
        raise RecalibrationError(
            f"{len(cases)} operations with {events} events: at least {LEAST_EVENTS} events and as many operations"
            " without are needed (R-E02)"
        )
    logits = np.array([log_odds(case.probability) for case in cases])
    happened = np.array([float(case.occurred) for case in cases])
    beta, covariance = _newton(logits, happened)
    found = RecalibrationFit(
        intercept=float(beta[0]),
        slope=float(beta[1]),
        covariance=(float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])),
        peer_shift=_peer_shift(cases),
        n=len(cases),
        events=events,
        expected=math.fsum(case.probability for case in cases),
    )
    if found.slope_interval[0] <= 0:
        raise RecalibrationError(
            f"the slope is {found.slope:.2f} ({found.slope_interval[0]:.2f} to {found.slope_interval[1]:.2f}):"
            " the model does not tell these cases apart, and no recalibration mends that"
        )
    return found


def _newton(logits: Values, happened: Values) -> tuple[Values, Values]:
    design = np.column_stack([np.ones_like(logits), logits])
    beta = np.array([log_odds(float(happened.mean())), 0.0])
    for _ in range(_STEPS):
        probability = 1.0 / (1.0 + np.exp(-np.clip(design @ beta, -_FARTHEST_LOGIT, _FARTHEST_LOGIT)))
        information = design.T @ (design * (probability * (1.0 - probability))[:, None])
        try:
            step = np.linalg.solve(information, design.T @ (happened - probability))
        except np.linalg.LinAlgError:
            break
        beta = beta + step
        if not np.isfinite(beta).all():
            break
        if np.abs(step).max() < 1e-10:
            return beta, np.linalg.inv(information)
    raise RecalibrationError("intercept and slope cannot be found: the model says nearly the same of every case")


def _peer_shift(cases: Sequence[CalibrationCase]) -> float | None:
    """The log-odds by which the peers' figures add up to the events observed; None with fewer than 10 of these."""
    compared = [(case.peer, case.occurred) for case in cases if case.peer is not None]
    observed = sum(occurred for _, occurred in compared)
    if min(observed, len(compared) - observed) < LEAST_PEER_EVENTS:
        return None
    logits = np.array([log_odds(peer) for peer, _ in compared])
    low, high = -_FARTHEST, _FARTHEST
    while high - low > 1e-12:
        middle = (low + high) / 2
        if float((1.0 / (1.0 + np.exp(-(logits + middle)))).sum()) < observed:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _interval(value: float, variance: float) -> tuple[float, float]:
    half = INTERVAL_95 * math.sqrt(variance)
    return value - half, value + half

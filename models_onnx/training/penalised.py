"""Penalised logistic regression under sign constraints: weighted, quick, deterministic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import lsq_linear

Matrix = NDArray[np.float64]
ITERATIONS = 60
SETTLED = 1e-9


@dataclass(frozen=True)
class Fit:
    """Coefficients, and the covariance of those that no constraint holds (zero for the others)."""

    coefficients: Matrix
    covariance: Matrix


def logistic(z: Matrix) -> Matrix:
    """Probabilities of logits."""
    out: Matrix = 0.5 * (1.0 + np.tanh(0.5 * z))
    return out


def fit(
    x: Matrix, y: Matrix, weights: Matrix, penalty: Matrix, *, at_least_zero: NDArray[np.bool_], clusters: Matrix | None
) -> Fit:
    """Minimise the weighted log loss + ½ βᵀ·penalty·β with some coefficients at or above zero.

    Newton steps, each a bounded least-squares problem. The covariance is the sandwich estimate, where `clusters`
    numbers the copies of one row so that copies do not count as people; None leaves it out.
    """
    lower = np.where(at_least_zero, 0.0, -np.inf)
    beta = np.zeros(x.shape[1])
    rate = float(np.average(y, weights=weights))
    beta[0] = np.log(rate / (1 - rate))
    for _ in range(ITERATIONS):
        probability = logistic(x @ beta)
        gradient = x.T @ (weights * (probability - y)) + penalty @ beta
        curvature = x.T @ ((weights * probability * (1 - probability))[:, None] * x) + penalty
        step = _bounded_step(curvature, gradient, beta, lower)
        if np.abs(step).max() < SETTLED:
            break
        # A full Newton step overshoots where events are rare: halve it until the loss falls.
        loss = _loss(x @ beta, y, weights, penalty, beta)
        while _loss(x @ (beta + step), y, weights, penalty, beta + step) > loss and np.abs(step).max() > SETTLED:
            step = 0.5 * step
        beta = beta + step
    else:
        raise ArithmeticError("the fit did not settle")
    if clusters is None:
        return Fit(beta, np.zeros((len(beta), len(beta))))
    return Fit(beta, _sandwich(x, y, weights, penalty, beta, free=~(at_least_zero & (beta <= 1e-8)), clusters=clusters))


def _loss(z: Matrix, y: Matrix, weights: Matrix, penalty: Matrix, beta: Matrix) -> float:
    return float(weights @ (np.logaddexp(0.0, z) - y * z) + 0.5 * beta @ penalty @ beta)


def _bounded_step(curvature: Matrix, gradient: Matrix, beta: Matrix, lower: Matrix) -> Matrix:
    """The Newton step that stays within the bounds: min ½ sᵀHs + gᵀs, as least squares with H = RᵀR."""
    factor = cholesky(curvature)
    target = -solve_triangular(factor, gradient, trans="T")
    step = solve_triangular(factor, target)
    if (beta + step >= lower).all():
        return np.asarray(step)
    found = lsq_linear(factor, target, bounds=(np.minimum(lower - beta, -1e-300), np.inf), method="bvls", tol=1e-14)
    return np.asarray(found.x)


def _sandwich(
    x: Matrix, y: Matrix, weights: Matrix, penalty: Matrix, beta: Matrix, *, free: NDArray[np.bool_], clusters: Matrix
) -> Matrix:
    probability = logistic(x @ beta)
    used = x[:, free]
    bread = np.linalg.inv(
        used.T @ ((weights * probability * (1 - probability))[:, None] * used) + penalty[np.ix_(free, free)]
    )
    scores = (weights * (y - probability))[:, None] * used
    together = np.zeros((int(clusters.max()) + 1, used.shape[1]))
    np.add.at(together, clusters.astype(int), scores)
    covariance = np.zeros((len(beta), len(beta)))
    covariance[np.ix_(free, free)] = bread @ (together.T @ together) @ bread
    return covariance

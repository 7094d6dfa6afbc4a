"""Scores of weeks, smoothed: an EWMA chart with the limit of a wanted run length; with weight 1 a Shewhart chart.

Source of the run length (an integral equation over the values of the chart, at the nodes of a Gauss rule):
Crowder SV. A simple method for studying run-length distributions of exponentially weighted moving average charts.
Technometrics 1987;29:401-7, https://doi.org/10.1080/00401706.1987.10488267.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

import msgspec
import numpy as np
from numpy.typing import NDArray

from cds_service.monitoring import markov
from cds_service.monitoring.markov import Values

_NODES = 64
_HIGHEST = 8.0
# From so many values on it is known how far they go, and a value far out teaches no more than this many deviations.
_LEARNT = 12
# What is learnt of a value is used so much later, else a shift would hide itself.
_LATER = 6
_TEACHES = 3.0


class Smoothed(msgspec.Struct, frozen=True):
    """The chart after each score (a row for each stream), and where it signalled; it begins at 0 again after it."""

    values: Values
    signals: NDArray[np.bool_]
    limit: float


def run_length(weight: float, limit_: float, *, shift: float = 0.0) -> float:
    """Mean number of scores until the chart leaves plus or minus the limit, from 0; their mean is `shift`."""
    if weight >= 1:
        inside = NormalDist(shift).cdf(limit_) - NormalDist(shift).cdf(-limit_)
        return 1 / (1 - inside) if inside < 1 else math.inf
    nodes, parts = np.polynomial.legendre.leggauss(_NODES)
    y, share = nodes * limit_, parts * limit_

    def kernel(u: Values) -> Values:
        z = (y[None, :] - (1 - weight) * u[:, None]) / weight - shift
        return np.asarray(np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) / weight * share[None, :])

    length = np.linalg.solve(np.eye(_NODES) - kernel(y), np.ones(_NODES))
    return float(1 + (kernel(np.zeros(1)) @ length)[0])


@lru_cache(maxsize=256)
def limit(weight: float, nominal: float) -> float:
    """The limit that is passed once in `nominal` scores on average, where nothing has changed."""
    if weight >= 1:
        return NormalDist().inv_cdf(1 - 1 / (2 * nominal))
    spread = math.sqrt(weight / (2 - weight))
    return markov.bisected(lambda high: run_length(weight, high), nominal, 0.5 * spread, _HIGHEST * spread)


def smoothed(scores: Values, *, weight: float, limit_: float, memory: float) -> Smoothed:
    """The chart of the scores; a week without a score leaves it where it was.

    Values are divided by how far earlier ones went beyond what chance gives, where they did: a season moves one week
    like the next, which scores that are normal one by one do not tell.
    """
    value, chance = np.zeros(scores.shape[0]), weight / (2 - weight)
    squares, judged = np.zeros(scores.shape[0]), np.zeros(scores.shape[0])
    values, taught, signals = np.zeros_like(scores), np.zeros_like(scores), np.zeros(scores.shape, dtype=bool)
    for week in range(scores.shape[1]):
        one = scores[:, week]
        is_there = ~np.isnan(one)
        value = np.where(is_there, (1 - weight) * value + weight * np.nan_to_num(one), value)
        known = judged > _LEARNT
        beyond = np.where(known, np.sqrt(np.maximum(squares / np.maximum(judged, 1), 1.0)), 1.0)
        values[:, week] = value / beyond
        signals[:, week] = is_there & (np.abs(values[:, week]) >= limit_)
        taught[:, week] = np.where(is_there, np.minimum(value**2 / chance, _TEACHES**2 * beyond**2), np.nan)
        if week >= _LATER:
            before = taught[:, week - _LATER]
            was_there = ~np.isnan(before)
            keep = 1 - was_there / memory
            squares, judged = keep * squares + np.nan_to_num(before), keep * judged + was_there
        value = np.where(signals[:, week], 0.0, value)
    return Smoothed(values, signals, limit_)


@lru_cache(maxsize=256)
def smallest_shift(weight: float, limit_: float, weeks: float) -> float:
    """The smallest shift, in deviations of a week, that is told within so many weeks on average."""
    return markov.bisected(lambda shift: -run_length(weight, limit_, shift=shift), -weeks, 0.0, 12.0)

"""How soon a rise of 0.3 in the predicted logit can be told at all, and how soon the chart of severity tells it.

The best possible: the CUSUM over single operations that knows the mean, the spread and the rise itself. Of all charts
with its run length none has a shorter mean delay in the worst case (Moustakides GV. Optimal stopping times for
detecting changes in distributions. Ann Stat 1986;14:1379-87, https://doi.org/10.1214/aos/1176350164).
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from cds_service.monitoring import ewma, markov
from cds_service.monitoring.judging import judged
from cds_service.monitoring.markov import LatticeSteps, Values
from cds_service.monitoring.monitors import WEIGHTS, monitors
from tests.simulations.faults import AFTER, BEFORE, first_after
from tests.simulations.hospitals import SPREAD, Hospital

RISE = 0.3
_WEEKS = 40  # after which the chance that nothing was told is below one in a million


class Soon(msgspec.Struct, frozen=True):
    """The chance that the rise is told by the end of a week, from the first on."""

    by_week: Values

    def within(self, weeks: int) -> float:
        return float(self.by_week[weeks - 1])

    @property
    def mean(self) -> float:
        """Mean number of weeks, the last one whole."""
        return float(1 + np.sum(1 - self.by_week))


def best(volume: int) -> Soon:
    """Of the CUSUM that knows all, one way of two, with the part of the false alarms that severity has.

    It has run for a year in which nothing changed and nothing was told.
    """
    shift = RISE / SPREAD
    nominal = 2 * monitors().nominal("severity", 2) * volume
    limit = markov.limit(lambda width: _steps(shift, 0.0, width), nominal)
    quiet, risen = (
        markov.transitions(_steps(shift, mean, markov.WIDTH), max(1, round(limit / markov.WIDTH)))
        for mean in (0.0, shift)
    )
    value = np.eye(1, len(quiet))[0]
    for _ in range(BEFORE * volume):
        value = value @ quiet
    value, left = value / value.sum(), []
    for _ in range(_WEEKS):
        for _ in range(volume):
            value = value @ risen
        left.append(value.sum())
    return Soon(1 - np.array(left))


def _steps(shift: float, mean: float, width: float) -> LatticeSteps:
    """What an operation adds to the logarithm of the likelihood ratio; its logit is normal."""
    z = np.linspace(-6, 6, 2401)
    chance = np.exp(-(z**2) / 2)
    return markov.steps(shift * (z + mean) - shift**2 / 2, chance / chance.sum(), width=width)


def told_the_usual(volume: int, *, hospitals: int = 20_000, seed: int = 6) -> Soon:
    """Of the EWMA in use, were it told the mean and the spread instead of having to learn them."""
    weight, random = WEIGHTS["ewma"], np.random.default_rng(seed)
    limit = ewma.limit(weight, monitors().nominal("severity", 2))
    scores = random.normal(size=(hospitals, BEFORE + AFTER))
    scores[:, BEFORE:] += RISE / SPREAD * math.sqrt(volume)
    signals, value = np.zeros(scores.shape, dtype=bool), np.zeros(hospitals)
    for week in range(scores.shape[1]):
        value = (1 - weight) * value + weight * scores[:, week]
        signals[:, week] = np.abs(value) >= limit
        value = np.where(signals[:, week], 0.0, value)
    return _soon(signals)


def ours(volume: int, *, hospitals: int, seed: int = 5) -> Soon:
    """Of the chart in use, which learns both from a year."""
    of = Hospital(hospitals=hospitals, weeks=BEFORE + AFTER, volume=volume, varies=False, seed=seed)
    changed = np.where(np.arange(of.weeks) >= BEFORE, RISE, 0.0)
    return _soon(judged(of.level(SPREAD, changed), "ewma", nominal=monitors().nominal("severity", 2)).signals)


def _soon(signals: Values) -> Soon:
    first = first_after(signals, BEFORE)
    return Soon(np.array([np.mean(first <= week) for week in range(1, AFTER + 1)]))

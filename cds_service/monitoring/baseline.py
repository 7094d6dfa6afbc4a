"""Each week held against the weeks before it: a score that is normal (0, 1) while nothing changes.

The usual value and how much weeks differ are both learnt from the earlier weeks, which are slowly forgotten; so a
stream that is over-dispersed (Laney's p' chart) or has a season widens its own limits, and a hospital needs no
figures of another one. Of few weeks the score is Student's, brought to a normal one.
Sources: Hawkins DM. Self-starting CUSUM charts for location and scale. Statistician 1987;36:299-315,
https://doi.org/10.2307/2348827; Laney DB. Improved control charts for attributes. Qual Eng 2002;14:531-7,
https://doi.org/10.1081/QEN-120003555; Wallace DL. Bounds on normal approximations to Student's and the chi-square
distributions. Ann Math Stat 1959;30:1121-30, https://doi.org/10.1214/aoms/1177706100.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cds_service.monitoring.markov import Values

# What is forgotten of an earlier week each week: half of it counts after 36 weeks.
MEMORY_WEEKS = 52.0
# From so many earlier weeks on a week is judged.
FEWEST = 12
# A week far out teaches as much about how weeks differ as one this many deviations out.
_TEACHES = 3.0
_BEGINS = 3
# What is learnt of how weeks differ is used so much later, else a shift would hide itself.
_LATER = 6
_FEW = 3.0
_PART, _HALF_OF_CHANCE = 1e-3, 0.5

_Residual = Callable[[Values, Values, Values, Values], Values]


def shares(events: Values, totals: Values, *, memory: float = MEMORY_WEEKS, alone: bool = False) -> Values:
    """Scores of so many of so many, a row for each stream; not a number where nothing was there or too little before.

    The signed root of the deviance of a binomial share, of which the tail is nearly normal at small counts too.
    `alone`: each score is judged by itself, so that a count has the score of all that are as far out or farther.
    """
    return _scores(events, totals, _of_share_alone if alone else _of_share, memory)


def counts(numbers: Values, *, memory: float = MEMORY_WEEKS) -> Values:
    """Scores of a number of things in a week: the signed root of the deviance of a Poisson count."""
    return _scores(numbers, np.ones_like(numbers), _of_count, memory)


def levels(sums: Values, totals: Values, *, memory: float = MEMORY_WEEKS) -> Values:
    """Scores of a mean, given as the sum of so many values: how weeks differ is learnt, weighed by their size."""
    return _scores(sums, totals, _of_level, memory)


def _scores(first: Values, totals: Values, residual: _Residual, memory: float) -> Values:
    rows, columns = first.shape
    found, teaches, keep = np.full((rows, columns), np.nan), np.zeros((rows, columns)), 1 - 1 / memory
    events, size, squares_size, seen = (np.zeros(rows) for _ in range(4))
    squared, weight, weight_squares = (np.zeros(rows) for _ in range(3))
    for week in range(columns):
        x, n = first[:, week], totals[:, week]
        is_there = n > 0
        known = is_there & (seen >= _BEGINS)
        with np.errstate(divide="ignore", invalid="ignore"):
            raw = residual(x, n, events, size) / np.sqrt(1 + n * squares_size / size**2)
            spread = np.sqrt(squared / weight)
            spread = np.maximum(spread, _least(residual, events, size, n))
            freedom = np.maximum(weight**2 / weight_squares, 1.0)
            score = _normal(raw / spread, freedom)
            reach = _TEACHES * np.where(weight > _BEGINS, spread, 1.0)
            taught = np.clip(raw, -reach, reach) if residual is not _of_level else _clipped(raw, reach, weight)
        judged = known & (seen >= FEWEST) & (weight > _BEGINS)
        found[judged, week] = score[judged]
        teaches[:, week] = np.where(known, taught**2, np.nan)
        if week >= _LATER:
            before = teaches[:, week - _LATER]
            is_known = ~np.isnan(before)
            squared = np.where(is_known, keep * squared + before, squared)
            weight_squares = np.where(is_known, keep**2 * weight_squares + 1, weight_squares)
            weight = np.where(is_known, keep * weight + 1, weight)
        events = np.where(is_there, keep * events + x, events)
        size = np.where(is_there, keep * size + n, size)
        squares_size = np.where(is_there, keep**2 * squares_size + n, squares_size)
        seen = seen + is_there
    return found


def _clipped(raw: Values, reach: Values, weight: Values) -> Values:
    """Of a level nothing is known of its spread before some weeks are."""
    return np.asarray(np.where(weight > _BEGINS, np.clip(raw, -reach, reach), raw))


def _least(residual: _Residual, events: Values, size: Values, n: Values) -> Values:
    """How far weeks differ at least: a stream that never moved has taught nothing of how far it may.

    A level by a thousandth of its mean; counts and shares by half of what chance gives, and by all of it where fewer
    than three are expected or each score is judged alone.
    """
    if residual is _of_level:
        return np.asarray(_PART * np.maximum(np.abs(events / size), _PART) * np.sqrt(n))
    whole = np.logical_or(n * events / size < _FEW, residual is _of_share_alone)
    return np.asarray(np.where(whole, 1.0, _HALF_OF_CHANCE))


def _normal(student: Values, freedom: Values) -> Values:
    """Student's t with so many degrees of freedom as a normal score (Wallace 1959)."""
    size = np.sqrt(freedom * np.log1p(student**2 / freedom))
    return np.asarray(np.sign(student) * (8 * freedom + 1) / (8 * freedom + 3) * size)


def _of_share(x: Values, n: Values, events: Values, size: Values) -> Values:
    return _share(x, n, (events + 0.5) / (size + 1), 0.0)


def _of_share_alone(x: Values, n: Values, events: Values, size: Values) -> Values:
    return _share(x, n, (events + 0.5) / (size + 1), 0.5)


def _share(x: Values, n: Values, p: Values, nearer: float) -> Values:
    x = np.where(x > n * p, np.maximum(x - nearer, n * p), np.minimum(x + nearer, n * p))
    deviance = _part(x, n * p) + _part(n - x, n * (1 - p))
    return np.asarray(np.sign(x - n * p) * np.sqrt(2 * np.maximum(deviance, 0)))


def _of_count(x: Values, n: Values, events: Values, size: Values) -> Values:
    mean = np.maximum(n * events / size, 0.5)
    return np.asarray(np.sign(x - mean) * np.sqrt(2 * np.maximum(_part(x, mean) - (x - mean), 0)))


def _of_level(x: Values, n: Values, events: Values, size: Values) -> Values:
    return np.asarray((x / n - events / size) * np.sqrt(n))


def _part(x: Values, mean: Values) -> Values:
    """x log(x / mean), which is 0 where x is."""
    return np.asarray(np.where(x > 0, x * np.log(np.where(x > 0, x, 1) / mean), 0.0))

"""A figure with its 95 % interval, and the intervals that more than one measure needs."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Z_95 = 1.959963984540054


class Figure(msgspec.Struct, frozen=True):
    """A number with its 95 % interval; no interval where these cases allow none, no value where they allow no number.

    None of the three ever stands for zero.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None


NONE = Figure()


def proportion(events: float, n: float) -> Figure:
    """A share with Wilson's score interval (1927, doi:10.1080/01621459.1927.10502953)."""
    if n <= 0:
        return NONE
    share, square = events / n, Z_95 * Z_95
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = Z_95 * math.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    return Figure(share, max(0.0, centre - half), min(1.0, centre + half))


def mean(values: Values) -> Figure:
    """The mean with the interval of the central limit; without an interval for a single value."""
    n = len(values)
    if n == 0:
        return NONE
    value = float(values.mean())
    if n == 1:
        return Figure(value)
    half = Z_95 * float(values.std(ddof=1)) / math.sqrt(n)
    return Figure(value, value - half, value + half)


def on_logit(value: float, variance: float) -> Figure:
    """A share between 0 and 1 whose interval is symmetric on the logit, so that it never leaves 0 to 1."""
    if not 0.0 < value < 1.0 or not math.isfinite(variance) or variance <= 0:
        return Figure(value)
    centre = math.log(value / (1 - value))
    half = Z_95 * math.sqrt(variance) / (value * (1 - value))
    return Figure(value, _logistic(centre - half), _logistic(centre + half))


def on_log(value: float, standard_error: float) -> Figure:
    """A ratio whose interval is symmetric on the logarithm, where its standard error is given."""
    if value <= 0 or not math.isfinite(standard_error):
        return Figure(value)
    factor = math.exp(Z_95 * standard_error)
    return Figure(value, value / factor, value * factor)


def around(value: float, variance: float) -> Figure:
    """A number with the interval of its variance."""
    if not math.isfinite(variance) or variance < 0:
        return Figure(value)
    half = Z_95 * math.sqrt(variance)
    return Figure(value, value - half, value + half)


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))

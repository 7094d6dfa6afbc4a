"""How long a CUSUM runs until it signals, from a Markov chain over its values (Brook and Evans 1972).

Source: Brook D, Evans DA. An approach to the probability distribution of cusum run length. Biometrika 1972;59:539-49,
https://doi.org/10.1093/biomet/59.3.539. The states are multiples of a width; a step that lies between two multiples
goes to both, in the shares that keep its mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
WIDTH = 0.02
_WIDE = 0.1
_MOST_STATES = 400


class LatticeSteps(msgspec.Struct, frozen=True):
    """What one step adds, in multiples of the width: `probabilities[k]` of k - `origin`."""

    width: float
    probabilities: Values
    origin: int


def steps(sizes: Values, probabilities: Values, *, width: float) -> LatticeSteps:
    """The sizes on the lattice, each split over its two neighbours so that the mean stays."""
    places = sizes / width
    low = np.floor(places).astype(int)
    origin = -int(low.min())
    found = np.zeros(int(low.max()) + origin + 2)
    above = places - low
    np.add.at(found, low + origin, probabilities * (1 - above))
    np.add.at(found, low + origin + 1, probabilities * above)
    return LatticeSteps(width, found / found.sum(), origin)


def transitions(of: LatticeSteps, states: int) -> Values:
    """From each of so many values to each, the chance of one step of max(0, sum); what is missing of 1 is a signal."""
    place = np.arange(states)
    by = place[None, :] - place[:, None] + of.origin
    known = (by >= 0) & (by < len(of.probabilities))
    to = np.where(known, of.probabilities[np.clip(by, 0, len(of.probabilities) - 1)], 0.0)
    below = np.concatenate([[0.0], np.cumsum(of.probabilities)])
    to[:, 0] = below[np.clip(of.origin - place + 1, 0, len(of.probabilities))]
    return to


def run_length(of: LatticeSteps, states: int) -> float:
    """Mean number of steps from 0 until max(0, sum) reaches `states` widths."""
    return float(np.linalg.solve(np.eye(states) - transitions(of, states), np.ones(states))[0])


def limit(of: Callable[[float], LatticeSteps], nominal: float) -> float:
    """From which value the chart signals once in `nominal` steps on average, where nothing has changed.

    `of` gives the steps on a lattice of a width. The logarithm of the run length grows evenly with the limit: a wide
    lattice says about where, and two run lengths of the narrow one there say the rest.
    """
    wide, narrow = of(_WIDE), of(WIDTH)
    about = _WIDE * _states(wide, nominal)
    low, high = max(1, round((about - 0.2) / WIDTH)), round((about + 0.2) / WIDTH)
    before, after = (math.log(run_length(narrow, states)) for states in (low, high))
    return WIDTH * (low + (high - low) * (math.log(nominal) - before) / (after - before))


def _states(of: LatticeSteps, nominal: float) -> int:
    low, high = 1, 16
    while run_length(of, high) < nominal:
        if high >= _MOST_STATES:
            raise ValueError(f"no limit below {_MOST_STATES * of.width} gives {nominal:g} steps")
        low, high = high, min(2 * high, _MOST_STATES)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if run_length(of, middle) < nominal else (low, middle)
    return high


def bisected(grows: Callable[[float], float], wanted: float, low: float, high: float, *, halvings: int = 40) -> float:
    """Where a growing function of one number reaches what is wanted."""
    for _ in range(halvings):
        middle = (low + high) / 2
        low, high = (middle, high) if grows(middle) < wanted else (low, middle)
    return (low + high) / 2

"""What deciding by predictions is worth beside treating everyone and no one: decision curve analysis.

Vickers & Elkin 2006, doi:10.1177/0272989X06295361.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np

from cds_service.measures.intervals import Figure, Values, mean


class Benefit(msgspec.Struct, frozen=True):
    """Net benefit at one threshold, and that of acting for everyone; acting for no one has 0."""

    threshold: float
    model: Figure
    everyone: float


def net_benefit(happened: Values, predicted: Values, threshold: float) -> Figure:
    """True positives less false positives weighed by the odds of the threshold (0 to 1, without 1), per operation."""
    chosen = predicted >= threshold
    return mean(np.where(chosen, happened - (1 - happened) * threshold / (1 - threshold), 0.0))


def curve(happened: Values, predicted: Values, thresholds: Iterable[float]) -> tuple[Benefit, ...]:
    """The decision curve at these thresholds."""
    rate = float(happened.mean())
    return tuple(
        Benefit(at, net_benefit(happened, predicted, at), rate - (1 - rate) * at / (1 - at)) for at in thresholds
    )

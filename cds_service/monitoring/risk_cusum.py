"""The risk-adjusted CUSUM of outcomes: is the odds ratio of what happens to what is predicted 1, or another?

Source: Steiner SH, Cook RJ, Farewell VT, Treasure T. Monitoring surgical performance using risk-adjusted cumulative
sum charts. Biostatistics 2000;1:441-52, https://doi.org/10.1093/biostatistics/1.4.441. Each operation adds the log of
the likelihood ratio of its outcome; sicker patients make no alarm, for each is held against its own risk.
"""

from __future__ import annotations

import math
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from cds_service.monitoring import markov
from cds_service.monitoring.markov import Values

# A shift of the logit by 0.5: the odds are 1.65 times, or 0.61 times, what was predicted.
SHIFT = 0.5
# Risks of a tenant in so many steps: the run length differs by less than 1 % from that of all of them.
_STRATA = 20
# What weeks differ beyond chance comes in part from seasons, which move one week like the next (docs/monitoring.md).
_SEASON = 2.0


class Cusum(msgspec.Struct, frozen=True):
    """The chart after each operation (a row for each stream), and at which of them it signalled.

    It begins at 0 again after a signal.
    """

    values: Values
    signals: NDArray[np.bool_]
    limit: float | Values


def weights(risks: Values, *, shift: float = SHIFT) -> tuple[Values, Values]:
    """What an operation of each risk adds: where the outcome happened, and where it did not."""
    ratio = math.exp(shift)
    without = -np.log1p((ratio - 1) * risks)
    return without + shift, without


def shifted(risks: Values, by: float | Values) -> Values:
    """The risks with their logit moved."""
    odds = risks / (1 - risks) * np.exp(by)
    return np.asarray(odds / (1 + odds))


def strata(risks: Values) -> tuple[float, ...]:
    """The risks of a tenant as means of equal parts of it, which a limit depends on."""
    parts = np.array_split(np.sort(np.clip(risks, 1e-4, 1 - 1e-4)), min(_STRATA, len(risks)))
    return tuple(round(float(part.mean()), 5) for part in parts)


@lru_cache(maxsize=256)
def limit(of: tuple[float, ...], operations: float, shift: float = SHIFT) -> float:
    """The limit whose run length is so many operations, by the tenant's own risks (`strata`)."""
    return markov.limit(lambda width: _steps(of, shift, 0.0, width), operations)


@lru_cache(maxsize=256)
def delay(of: tuple[float, ...], limit_: float, *, by: float, shift: float = SHIFT) -> float:
    """Mean number of operations until the chart signals, from the moment when all logits moved by `by`."""
    return markov.run_length(_steps(of, shift, by, markov.WIDTH), max(1, round(limit_ / markov.WIDTH)))


def _steps(of: tuple[float, ...], shift: float, by: float, width: float) -> markov.LatticeSteps:
    risks = np.asarray(of)
    happens = shifted(risks, by)
    sizes = np.concatenate(weights(risks, shift=shift))
    return markov.steps(sizes, np.concatenate([happens, 1 - happens]) / len(risks), width=width)


def chart(risks: Values, happened: Values, *, limit_: float | Values, shift: float = SHIFT) -> Cusum:
    """The chart of operations in the order of their days, a row for each stream."""
    up, down = weights(risks, shift=shift)
    added = np.where(happened > 0, up, down)
    values, signals = np.zeros_like(added), np.zeros(added.shape, dtype=bool)
    value = np.zeros(len(added))
    for number in range(added.shape[1]):
        value = np.maximum(0.0, value + added[:, number])
        values[:, number] = value
        signals[:, number] = value >= limit_
        value = np.where(signals[:, number], 0.0, value)
    return Cusum(values, signals, limit_)


def chart_of_one(risks: Values, happened: Values, *, limit_: float, shift: float = SHIFT) -> Cusum:
    """The same of one stream, fifteen times as fast: 0.2 s for a million operations."""
    up, down = weights(risks, shift=shift)
    values, signals, value = np.zeros(len(risks)), np.zeros(len(risks), dtype=bool), 0.0
    for number, added in enumerate(np.where(happened > 0, up, down).tolist()):
        value = max(0.0, value + added)
        values[number] = value
        if value >= limit_:
            signals[number], value = True, 0.0
    return Cusum(values, signals, limit_)


def dispersion(risks: Values, happened: Values, weeks: Values) -> float:
    """How much more the weeks differ than chance alone lets them, at least 1; that all have more or less is none of it.

    The limit is that many times as high, for a quasi-likelihood is the likelihood to the power of 1 divided by it.
    """
    if happened.sum() == 0:
        return 1.0
    own = np.minimum(risks * happened.sum() / risks.sum(), 0.99)
    _, place = np.unique(weeks, return_inverse=True)
    surplus, variance = np.bincount(place, happened - own), np.bincount(place, own * (1 - own))
    freedom = max(1, len(variance) - 1)
    beyond = max(0.0, float(np.sum(surplus**2 / variance) / freedom) - 1)
    return 1 + _SEASON * beyond

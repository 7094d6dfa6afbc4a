"""Run lengths of the risk-adjusted CUSUM, over charts that are simulated operation by operation."""

from __future__ import annotations

import numpy as np

from cds_service.monitoring import risk_cusum
from cds_service.monitoring.markov import Values

BASE_RATE = np.array([0.13])
# The tenths of the shipped model of any complication (elective-complication, evaluation.json): their mean is 13 %.
SHIPPED = np.array([0.0220, 0.0487, 0.0665, 0.0847, 0.0994, 0.1168, 0.1387, 0.1722, 0.2271, 0.3543])
_BLOCK = 500


def run_lengths(
    risks: Values, limit: float, *, by: float, charts: int, seed: int, weekly: tuple[int, float] | None = None
) -> Values:
    """Operations until each chart signals, from 0, all logits moved by `by` from the first on.

    `weekly`: (operations of a week, deviation of a week's own effect on the logit), for streams that vary more.
    """
    random = np.random.default_rng(seed)
    up, down = risk_cusum.weights(risks)
    value, lengths = np.zeros(charts), np.zeros(charts)
    index, done = np.arange(charts), 0
    effect = np.zeros(charts)
    while len(index):
        person = random.integers(0, len(risks), (_BLOCK, len(index)))
        chance = random.random((_BLOCK, len(index)))
        moved = risk_cusum.shifted(risks, by)
        crossed = np.full(len(index), -1)
        for step in range(_BLOCK):
            if weekly and (done + step) % weekly[0] == 0:
                effect = random.normal(0, weekly[1], len(index))
            happens = risk_cusum.shifted(risks[person[step]], by + effect) if weekly else moved[person[step]]
            value = np.maximum(0, value + np.where(chance[step] < happens, up[person[step]], down[person[step]]))
            crossed = np.where((crossed < 0) & (value >= limit), done + step + 1, crossed)
        lengths[index[crossed > 0]] = crossed[crossed > 0]
        alive = crossed < 0
        index, value, effect = index[alive], value[alive], effect[alive] if weekly else np.zeros(int(alive.sum()))
        done += _BLOCK
    return lengths


def mean_weeks(risks: Values, *, volume: int, nominal_weeks: float, by: float, charts: int, seed: int = 1) -> float:
    """The mean run length in weeks of charts whose limit has this nominal run length, alone."""
    limit = risk_cusum.limit(risk_cusum.strata(risks), nominal_weeks * volume)
    return float(run_lengths(risks, limit, by=by, charts=charts, seed=seed).mean() / volume)

"""A figure's streams held against the limits of their charts: the same functions for the page and for simulations."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from cds_service.monitoring import baseline, ewma, input_drift, risk_cusum
from cds_service.monitoring.markov import Values
from cds_service.monitoring.monitors import DAYS, WEIGHTS, Chart

# Weeks of a chart of outcomes from which it is learnt how much weeks differ; before so many nothing is learnt.
_LEARNS_WEEKS = 52


class Streams(msgspec.Struct, frozen=True):
    """What was counted, a row for each stream and a column for each week (day), of a `psi` a third for each bin.

    share: so many (`first`) of so many (`totals`). count: so many. level: the sum of a value over so many.
    """

    kind: Literal["share", "count", "level", "bins"]
    first: Values
    totals: Values


class JudgedStreams(msgspec.Struct, frozen=True):
    """What the chart draws, where it signals, and its limit on both sides (of `bins` above, as a multiple: 1)."""

    values: Values
    signals: NDArray[np.bool_]
    limit: float


def judged(of: Streams, chart: Chart, *, nominal: float) -> JudgedStreams:
    """The chart of streams; where a week cannot be judged its value is not a number."""
    memory = baseline.MEMORY_WEEKS * (DAYS if chart == "daily" else 1)
    if of.kind == "bins":
        ratios = input_drift.drifts(of.first, nominal=nominal, memory=memory)
        return JudgedStreams(ratios, ratios >= 1, 1.0)
    weight = WEIGHTS[chart]
    scores = _scores(of, memory, alone=weight == 1)
    limit = ewma.limit(weight, nominal)
    found = ewma.smoothed(scores, weight=weight, limit_=limit, memory=memory)
    return JudgedStreams(np.where(np.isnan(scores), np.nan, found.values), found.signals, limit)


def _scores(of: Streams, memory: float, *, alone: bool) -> Values:
    if of.kind == "share":
        return baseline.shares(of.first, of.totals, memory=memory, alone=alone)
    if of.kind == "count":
        return baseline.counts(of.first, memory=memory)
    return baseline.levels(of.first, of.totals, memory=memory)


def outcomes(
    risks: Values, happened: Values, weeks: NDArray[np.int64], *, nominal: float, shift: float
) -> JudgedStreams:
    """The CUSUM of the operations of one stream, oldest first, as a multiple of its limit, which is 1.

    `nominal` in weeks; the operations of a week are those that there were on average.
    """
    limit = outcome_limit(risks, happened, weeks, nominal=nominal, shift=shift)
    found = risk_cusum.chart_of_one(risks, happened, limit_=limit, shift=shift)
    return JudgedStreams(found.values / limit, found.signals, 1.0)


def outcome_limit(risks: Values, happened: Values, weeks: NDArray[np.int64], *, nominal: float, shift: float) -> float:
    """The limit of that chart, as many times higher as its weeks differ more than chance lets them."""
    volume = len(risks) / max(1, len(np.unique(weeks)))
    early = weeks < weeks.min() + _LEARNS_WEEKS
    dispersion = risk_cusum.dispersion(risks[early], happened[early], weeks[early])
    return risk_cusum.limit(risk_cusum.strata(risks), round(nominal * volume), shift) * dispersion

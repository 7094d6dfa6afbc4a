"""What a chart cannot see at its volume, in words: the smallest change told in a month, or how long one takes."""

from __future__ import annotations

import numpy as np

from cds_service.measures import small_cells
from cds_service.measures.small_cells import LEAST
from cds_service.monitoring import baseline, ewma, input_drift, outcome_series
from cds_service.monitoring.judging import Streams
from cds_service.monitoring.monitors import WEIGHTS
from cds_service.monitoring.outcome_series import Outcomes

_SOON = 4.0  # weeks
_WEEKS_OF_YEAR = 52


def usual(of: Streams) -> str:
    """What the stream is on average, in words."""
    if of.kind == "share":
        return f"{100 * of.first.sum() / max(of.totals.sum(), 1):.1f} % of {of.totals.mean():.0f}"
    if of.kind == "count":
        return f"{of.first.mean():.0f}"
    if of.kind == "level":
        return f"{of.first.sum() / max(of.totals.sum(), 1):.2f}"
    return f"{of.totals.mean():.0f} values a week"


def latest(of: Streams) -> str:
    """The same of the last period in which there was anything."""
    there = np.flatnonzero(of.totals[0] > 0)
    if not len(there):
        return "nothing yet"
    first, total = of.first[0, there[-1]], of.totals[0, there[-1]]
    if total < LEAST:
        return f"fewer than {LEAST}: too few to be told"
    if of.kind == "share":
        if small_cells.is_told(round(total), round(first)):
            return f"{first:.0f} of {total:.0f}"
        return f"fewer than {LEAST}, or all but fewer than {LEAST}, of {total:.0f}"
    if of.kind == "level":
        return f"{first / total:.2f}"
    return f"{total:.0f}"


def of_stream(of: Streams, chart: str, limit: float, nominal: float) -> str:
    """What the chart of a stream tells too late or not at all."""
    there = int((of.totals[0] > 0).sum())
    if there <= baseline.FEWEST:
        return f"Anything: it has {there} periods with data and needs {baseline.FEWEST + 1}"
    n = float(of.totals[0][of.totals[0] > 0].mean())
    if of.kind == "bins":
        if n < input_drift.FEWEST:
            return f"Anything: {n:.0f} values a week, and {input_drift.FEWEST} are needed"
        least = input_drift.limit(n, of.totals.sum(), bins=of.first.shape[2], nominal=nominal)
        return f"A PSI below {least:.2f}, which chance gives at {n:.0f} values a week"
    periods = 1.0 if chart == "daily" else _SOON
    shift = ewma.smallest_shift(WEIGHTS[chart], limit, periods + (0.2 if chart == "daily" else 0))
    return _smallest(of, n, shift, "on the day itself" if chart == "daily" else "within 4 weeks")


def _smallest(of: Streams, n: float, shift: float, soon: str) -> str:
    if of.kind == "count":
        by = 100 * shift * _spread(of.first[0], np.ones_like(of.first[0])) / max(float(of.first.mean()), 1e-9)
        return f"A change by less than {by:.0f} % {soon}"
    there = of.totals[0] > 0
    first, totals = of.first[0][there], of.totals[0][there]
    if of.kind == "level":
        return f"A change of the mean by less than {shift * _spread(first / totals, totals) / np.sqrt(n):.2f} {soon}"
    p = (first.sum() + 0.5) / (totals.sum() + 1)
    high = p + shift * np.sqrt(p * (1 - p) / n)
    if high >= 1:
        return f"Any rise from {100 * p:.1f} % {soon}: {n:.0f} of a period are too few"
    return f"A rise from {100 * p:.1f} % to less than {100 * high:.1f} % {soon}"


def _spread(values: np.ndarray, sizes: np.ndarray) -> float:
    """The deviation of one operation that these periods have."""
    return float(np.sqrt(np.mean(sizes * (values - np.average(values, weights=sizes)) ** 2)))


def of_outcomes(of: Outcomes, nominal: float, shift: float) -> str:
    """How long a shift of the odds takes, with the time until an outcome may be counted."""
    weeks = outcome_series.delay_weeks(of, nominal, shift)
    sundays = of.first_monday.toordinal() + 7 * of.weeks + 6
    waits = float(np.max(of.countable - sundays)) / 7
    odds = "1.65 times" if shift > 0 else "0.61 times"
    told = f"{weeks:.0f} weeks" if weeks < 2 * _WEEKS_OF_YEAR else f"{weeks / _WEEKS_OF_YEAR:.0f} years"
    return f"Odds of {odds} the predicted for {told} of operations on average, and {waits:.0f} weeks until they count"

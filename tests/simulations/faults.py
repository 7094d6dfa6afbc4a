"""How soon a fault is told, under the limits of the family, by hospitals whose other weeks are quiet."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from cds_service.monitoring import input_drift, risk_cusum
from cds_service.monitoring.judging import Streams, judged
from cds_service.monitoring.markov import Values
from cds_service.monitoring.monitors import DAYS, monitors
from tests.simulations.hospitals import DRIFT_SERIES, LISTS, SPREAD, Hospital
from tests.simulations.outcome_charts import SHIPPED

BEFORE, AFTER = 52, 30
# An input's values in the unit of the record, and the factor of the unit that a feed may change to unseen.
UNITS: Mapping[str, tuple[float, float, float]] = {
    "creatinine, mg/dL to umol/L": (1.0, 0.3, 88.4),
    "haemoglobin, g/dL to mmol/L": (13.3, 1.7, 0.6206),
    "haemoglobin, g/dL to g/L": (13.3, 1.7, 10.0),
    "glucose, mg/dL to mmol/L": (115.0, 35.0, 1 / 18.0),
    "albumin, g/dL to g/L": (4.0, 0.45, 10.0),
    "weight, kg to lb": (82.0, 18.0, 2.2046),
    "height, cm to in": (170.0, 10.0, 1 / 2.54),
}


def _hospital(hospitals: int, volume: int, seed: int) -> Hospital:
    return Hospital(hospitals=hospitals, weeks=BEFORE + AFTER, volume=volume, varies=False, seed=seed)


def first_after(signals: Values, begun: int) -> Values:
    """Periods until the first alarm at or after the change, 1 for the period of the change itself; inf for none."""
    after = np.asarray(signals[:, begun:], dtype=bool)
    return np.where(after.any(axis=1), after.argmax(axis=1) + 1.0, np.inf)


def new_order_code(*, hospitals: int, volume: int, seed: int = 2) -> Values:
    """Weeks until a code that stands in 20 % of the orders, in no procedure group, is told."""
    of = _hospital(hospitals, volume, seed)
    changed = np.where(np.arange(of.weeks) >= BEFORE, 0.20, 0.0)
    found = judged(of.share(0.03, 1.0, changed), "swift", nominal=monitors().nominal("unmapped", 1))
    return first_after(found.signals, BEFORE)


def broken_prefetch_key(*, hospitals: int, volume: int, seed: int = 3) -> Values:
    """Days until a list that is empty for everybody is told."""
    of, worst = _hospital(hospitals, volume, seed), max(LISTS)
    changed = np.where(np.arange(of.weeks * DAYS) >= BEFORE * DAYS, 1.0, 0.0)
    found = judged(of.by_day(worst, changed), "daily", nominal=monitors().nominal("lists", len(LISTS)))
    return first_after(found.signals, BEFORE * DAYS)


def unit_change(unit: str, *, hospitals: int, volume: int, seed: int = 4) -> Values:
    """Weeks until values of another unit, taken for the old one, are told."""
    of = _hospital(hospitals, volume, seed)
    mean, spread, factor = UNITS[unit]
    measured = of.random.binomial(of.operations.astype(int), 0.6)
    binned = np.zeros((hospitals, of.weeks, input_drift.BINS))
    for row in range(hospitals):
        drawn = [of.random.normal(mean, spread, n) for n in measured[row]]
        cuts = input_drift.edges(np.concatenate(drawn[:12]))
        for week, values in enumerate(drawn):
            binned[row, week] = input_drift.binned(values * (factor if week >= BEFORE else 1.0), cuts)
    streams = Streams("bins", binned, measured.astype(float))
    return first_after(judged(streams, "psi", nominal=monitors().nominal("drift", DRIFT_SERIES)).signals, BEFORE)


def sicker_patients(*, hospitals: int, volume: int, by: float = 0.3, seed: int = 5) -> tuple[Values, Values]:
    """Weeks until a rise of the predicted logit is told as such; and whether a calibration chart alarms in 30 weeks.

    What happens is what is predicted, of the sicker patients too.
    """
    of = _hospital(hospitals, volume, seed)
    changed = np.where(np.arange(of.weeks) >= BEFORE, by, 0.0)
    found = judged(of.level(SPREAD, changed), "ewma", nominal=monitors().nominal("severity", 2))
    risks = SHIPPED[of.random.integers(0, len(SHIPPED), (hospitals, of.weeks * volume))]
    risks = risk_cusum.shifted(risks, np.repeat(changed, volume)[None, :])
    happened = (of.random.random(risks.shape) < risks).astype(float)
    alarms = np.zeros((hospitals, of.weeks * volume), dtype=bool)
    for shift in (risk_cusum.SHIFT, -risk_cusum.SHIFT):
        nominal = round(monitors().nominal("calibration", 4) * volume)
        limit = risk_cusum.limit(risk_cusum.strata(SHIPPED), nominal, shift)
        alarms |= risk_cusum.chart(risks, happened, limit_=limit, shift=shift).signals
    return first_after(found.signals, BEFORE), alarms[:, BEFORE * volume :].any(axis=1)


FAULTS: Mapping[str, tuple[Callable[..., Values], str, float]] = {
    "a new order code in 20 % of orders": (new_order_code, "weeks", 2),
    "a broken prefetch key": (broken_prefetch_key, "days", 1),
    **{
        f"a unit change in a feed: {unit}": (lambda unit=unit, **of: unit_change(unit, **of), "weeks", 1)
        for unit in UNITS
    },
}

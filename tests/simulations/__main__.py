"""The tables of docs/monitoring.md and the rules for Prometheus anew: `python -m tests.simulations [TABLE]`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

from tests.simulations import document, faults, hospitals, outcome_charts, severity
from tests.simulations.outcome_charts import BASE_RATE, SHIPPED

CHARTS, SITES = 10_000, 200
_NAMES = ((BASE_RATE, "13 % for everybody"), (SHIPPED, "the shipped model's, mean 13 %"))


def alone() -> Iterator[tuple[str, ...]]:
    """One chart of outcomes alone."""
    for risks, name in _NAMES:
        for nominal in (104, 867) if risks is SHIPPED else (104,):
            found = outcome_charts.mean_weeks(risks, volume=50, nominal_weeks=nominal, by=0.0, charts=CHARTS)
            yield f"nothing changed, nominal {nominal:,} weeks", name, "50", f"{found:.0f} weeks"
        for volume in (50, 200):
            found = outcome_charts.mean_weeks(risks, volume=volume, nominal_weeks=10_000, by=0.5, charts=CHARTS)
            yield "+0.5 logit, nominal 10,000 weeks", name, str(volume), f"{found:.1f} weeks"
        for volume in (50, 200):
            nominal = hospitals.monitors().nominal("calibration", 4)
            found = outcome_charts.mean_weeks(risks, volume=volume, nominal_weeks=nominal, by=0.5, charts=CHARTS)
            yield f"+0.5 logit, every chart on ({nominal:,.0f} weeks)", name, str(volume), f"{found:.1f} weeks"


def family() -> Iterator[tuple[str, ...]]:
    """All charts of a hospital together."""
    for varies in (False, True):
        for volume in (50, 200):
            found = hospitals.weeks_for_each_alarm(sites=SITES, volume=volume, varies=varies)
            yield "over-dispersed and seasonal" if varies else "chance alone", str(volume), f"{found:.0f} weeks"


def told() -> Iterator[tuple[str, ...]]:
    """How soon faults are told, with every chart on."""
    for name, (delay, unit, most) in faults.FAULTS.items():
        for volume in (50, 200):
            yield name, str(volume), *_soon(delay(hospitals=100, volume=volume), unit, most)
    for volume in (50, 200):
        rising, calibration = faults.sicker_patients(hospitals=300, volume=volume)
        yield "a rise in case severity of 0.3 logit", str(volume), *_soon(rising, "weeks", 4)
        yield "the same: a calibration alarm within 30 weeks", str(volume), f"{100 * calibration.mean():.0f} %", ""


def rise() -> Iterator[tuple[str, ...]]:
    """A rise in severity: what can be reached at all, and what the chart in use reaches."""
    for volume in (30, 50, 70, 100, 200):
        found = (severity.best(volume), severity.told_the_usual(volume), severity.ours(volume, hospitals=4_000))
        yield str(volume), *(f"{100 * one.within(4):.0f} %, mean {one.mean:.1f} weeks" for one in found)


def _soon(delays: np.ndarray, unit: str, most: float) -> tuple[str, str]:
    return f"median {np.median(delays):.0f} {unit}", f"{100 * np.mean(delays <= most):.0f} % within {most:g}"


if __name__ == "__main__":
    tables = {"alone": alone, "family": family, "told": told, "rise": rise}
    for name in sys.argv[1:] or tables:
        document.write(**{name: tuple(tables[name]())})

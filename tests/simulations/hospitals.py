"""A hospital's streams with a known truth, each chart on under the limits of the family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from cds_service.monitoring import risk_cusum
from cds_service.monitoring.judging import Streams, judged
from cds_service.monitoring.markov import Values
from cds_service.monitoring.monitors import DAYS, monitors
from tests.simulations.outcome_charts import SHIPPED

# The tenths of the shipped model of death within 30 days (elective-death, evaluation.json).
DEATH = np.array([0.00014, 0.00023, 0.00031, 0.00044, 0.00079, 0.0016, 0.00252, 0.00369, 0.00624, 0.0263])
SPREAD = 0.86  # of the logit of SHIPPED
BURNED_IN = 52
# Of each figure the shares of its streams, of so many of a week's operations.
SHARES: Mapping[str, tuple[tuple[float, ...], float]] = {
    "errors": ((0.01,), 3.0),
    "silence": ((0.10,), 3.0),
    "unmapped": ((0.03,), 1.0),
    "missing": ((0.02, 0.05, 0.08, 0.10, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6, 0.8), 1.0),
    "firing": ((0.3,), 1.0),
    "acceptance": ((0.35,), 0.2),
    "suggestions": ((0.1, 0.2, 0.3, 0.4, 0.5), 0.1),
}
LISTS = (0.02, 0.05, 0.1, 0.15)  # of a day's operations those without any input of the list
LEVELS: Mapping[str, tuple[float, ...]] = {
    "latency": (0.5,),
    "not-understood": (0.8,),
    "severity": (SPREAD, 1.57),
}
DRIFT_SERIES, MEASURED = 8, 0.6
GROUPS = (0.5, 0.5, 0.2, 0.3, 0.4, 0.1)


class Hospital:
    """So many hospitals of one volume; `varies`: weeks differ more than chance lets them, and the year has a season."""

    def __init__(self, *, hospitals: int, weeks: int, volume: int, varies: bool, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.hospitals, self.weeks, self.volume, self.varies = hospitals, weeks, volume, varies
        self.operations = self.random.poisson(self._volumes()).astype(float)

    def _volumes(self) -> Values:
        usual = np.full((self.hospitals, self.weeks), float(self.volume))
        if not self.varies:
            return usual
        own = self.random.gamma(50.0, 1 / 50.0, usual.shape)
        return np.maximum(usual * own * np.exp(self.season(0.15)), 1)

    def season(self, size: float, periods: int = 52) -> Values:
        """A year's wave, begun anywhere for each hospital."""
        begun = self.random.random((self.hospitals, 1))
        length = self.weeks * periods // 52
        return np.asarray(size * np.sin(2 * np.pi * (np.arange(length)[None, :] / periods + begun)))

    def effect(self, deviation: float, periods: int = 52) -> Values:
        """What a week adds to a logit: chance and season where weeks vary, else nothing."""
        if not self.varies:
            return np.zeros((self.hospitals, self.weeks * periods // 52))
        wave = self.season(deviation, periods)
        return np.asarray(wave + self.random.normal(0, deviation, wave.shape))

    def share(self, p: float, of: float, added: Values | float = 0.0) -> Streams:
        """So many of the operations (or of several calls of each)."""
        totals = self.random.poisson(self.operations * of).astype(float) if of != 1 else self.operations
        chance = np.clip(risk_cusum.shifted(np.full_like(totals, p), self.effect(0.2)) + added, 0, 1)
        return Streams("share", self.random.binomial(totals.astype(int), chance).astype(float), totals)

    def by_day(self, p: float, added: Values | float = 0.0) -> Streams:
        """So many of a day's operations."""
        totals = self.random.poisson(np.repeat(self.operations / DAYS, DAYS, axis=1)).astype(float)
        chance = np.clip(risk_cusum.shifted(np.full_like(totals, p), self.effect(0.2, 52 * DAYS)) + added, 0, 1)
        return Streams("share", self.random.binomial(totals.astype(int), chance).astype(float), totals)

    def level(self, deviation: float, added: Values | float = 0.0) -> Streams:
        """The sum of a value over the operations."""
        mean = self.effect(0.1 * deviation) + added
        sums = self.operations * mean + self.random.normal(0, 1, mean.shape) * deviation * np.sqrt(self.operations)
        return Streams("level", sums, self.operations)

    def bins(self, bins: int = 5) -> Streams:
        """How many measured values lie in each part, by week."""
        n = self.random.binomial(self.operations.astype(int), MEASURED)
        tilt = np.exp(self.effect(0.05)[..., None] * (np.arange(bins) - (bins - 1) / 2))
        share = tilt / tilt.sum(axis=-1, keepdims=True)
        return Streams("bins", self.random.multinomial(n, share).astype(float), n.astype(float))


def family(of: Hospital) -> Iterator[tuple[str, Values]]:
    """The alarms of every chart, by figure: hospital by week."""
    limits = monitors()
    for name, (shares, of_each) in SHARES.items():
        for p in shares:
            yield (
                name,
                judged(
                    of.share(p, of_each), limits.figure(name).chart, nominal=limits.nominal(name, len(shares))
                ).signals,
            )
    for p in LISTS:
        found = judged(of.by_day(p), "daily", nominal=limits.nominal("lists", len(LISTS))).signals
        yield "lists", found.reshape(of.hospitals, of.weeks, DAYS).any(axis=2)
    for name, spreads in LEVELS.items():
        for one in spreads:
            yield name, judged(of.level(one), "ewma", nominal=limits.nominal(name, len(spreads))).signals
    count = Streams("count", of.operations, of.operations)
    yield "volume", judged(count, "ewma", nominal=limits.nominal("volume", 1)).signals
    for _ in range(DRIFT_SERIES):
        yield "drift", judged(of.bins(), "psi", nominal=limits.nominal("drift", DRIFT_SERIES)).signals
    yield from outcome_charts(of)


def outcome_charts(of: Hospital) -> Iterator[tuple[str, Values]]:
    """The CUSUMs of two outcomes, both ways, and of the groups of one."""
    streams = [("calibration", SHIPPED, 1.0), ("calibration", DEATH, 1.0)]
    streams += [("subgroups", SHIPPED, part) for part in GROUPS]
    for name, risks, part in streams:
        series = 2 * sum(one == name for one, _, _ in streams)
        for shift in (risk_cusum.SHIFT, -risk_cusum.SHIFT):
            yield name, _outcomes(of, risks, part, monitors().nominal(name, series), shift)


def _outcomes(of: Hospital, risks: Values, part: float, nominal: float, shift: float) -> Values:
    volume = max(1, round(of.volume * part))
    person = of.random.integers(0, len(risks), (of.hospitals, of.weeks * volume))
    risk = risks[person]
    effect = np.repeat(of.effect(0.1), volume, axis=1)
    happened = (of.random.random(risk.shape) < risk_cusum.shifted(risk, effect)).astype(float)
    week = np.repeat(np.arange(of.weeks), volume)
    early = week < BURNED_IN
    limit = risk_cusum.limit(risk_cusum.strata(risks), round(nominal * volume), shift)
    wide = [risk_cusum.dispersion(a[early], b[early], week[early]) for a, b in zip(risk, happened, strict=True)]
    chart = risk_cusum.chart(risk, happened, limit_=limit * np.array(wide), shift=shift)
    return chart.signals.reshape(of.hospitals, of.weeks, volume).any(axis=2)


def weeks_for_each_alarm(*, sites: int, volume: int, varies: bool, seed: int = 5) -> float:
    """Weeks for each week of a hospital in which any chart alarms, in two years after the first."""
    of = Hospital(hospitals=sites, weeks=BURNED_IN + 104, volume=volume, varies=varies, seed=seed)
    alarms = np.zeros((sites, of.weeks), dtype=bool)
    for _, signals in family(of):
        alarms |= signals
    return float(sites * 104 / max(1, alarms[:, BURNED_IN:].sum()))

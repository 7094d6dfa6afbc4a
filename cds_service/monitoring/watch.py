"""Every figure of one tenant with its chart, its alarms and what it cannot see at this tenant's volume."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from cds_service.monitoring import blind_spots, judging, reading
from cds_service.monitoring.monitors import Monitors
from cds_service.monitoring.outcome_series import Outcomes
from cds_service.monitoring.outcome_tally import OutcomeTally
from cds_service.monitoring.risk_cusum import SHIFT
from cds_service.monitoring.weeks import Series, Weeks

# A picture is 320 pixels wide.
MOST_POINTS = 400
# An outcome, a group of it, its operations, how often it happened, and how often that was predicted.
Observed = tuple[str, str, int, int, float]


class WatchedChart(msgspec.Struct, frozen=True, kw_only=True):
    """One chart: days and values of its line, as many as a picture shows, and the days and `heights` of its alarms.

    `usual`, `latest`: what was counted, in words.
    `since`: by alarm the day from which it could be known. Outcomes are known long after the week of their operations.
    """

    figure: str
    label: str
    days: tuple[date, ...]
    values: tuple[float, ...]
    limit: float
    two_sided: bool
    alarms: tuple[date, ...]
    heights: tuple[float, ...]
    since: tuple[date, ...]
    usual: str
    latest: str
    cannot_see: str


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant: its charts by figure, and what there is to tell beside them."""

    tenant: str
    made_on: date
    weeks: Weeks
    calls: int
    operations: int
    charts: Mapping[str, tuple[WatchedChart, ...]]
    silences: tuple[tuple[str, int], ...]
    overrides: tuple[tuple[str, int], ...]
    never_had: tuple[str, ...]
    standings: Mapping[str, Mapping[str, int]]
    observed: tuple[Observed, ...]

    def alarms(self, figure: str) -> tuple[tuple[date, str], ...]:
        """Every alarm of a figure, the latest first, with the label of its chart."""
        return self.known_since(figure, date.min)

    def known_since(self, figure: str, day: date) -> tuple[tuple[date, str], ...]:
        """The alarms that could not be known before that day, in the same way."""
        charts = self.charts.get(figure, ())
        known = [(on, of.label, since) for of in charts for on, since in zip(of.alarms, of.since, strict=True)]
        return tuple(sorted(((on, label) for on, label, since in known if since >= day), reverse=True))


def of_tenant(
    engine: Any,
    tenant: str,
    *,
    today: date,
    horizons: Mapping[str, int | None],
    limits: Monitors,
    zone: ZoneInfo | None = None,
) -> Watched:
    """What the record of one tenant says on that day; whole weeks only, outcomes only of mature ones.

    `horizons`: by outcome, for rows that do not say with the prediction how long its model looks ahead.
    `zone`: the hospital's, where somebody knows it: in which the days of operations are.
    """
    found = reading.weekly_reading(engine, tenant, today=today, horizons=horizons, zone=zone)
    charts, observed = outcome_charts(found.outcomes, limits)
    return Watched(
        tenant=tenant,
        made_on=today,
        weeks=found.over,
        calls=found.calls,
        operations=found.operations,
        charts={**drawn(tuple(found.series()), found.over, limits), **charts},
        silences=tuple(found.silences.most_common()),
        overrides=tuple(found.overrides.most_common()),
        never_had=found.never_had,
        standings=found.outcomes.standings(),
        observed=observed,
    )


def drawn(found: Sequence[Series], over: Weeks, limits: Monitors) -> dict[str, tuple[WatchedChart, ...]]:
    """The charts by figure; the series of one figure share its part of the alarms."""
    charts: defaultdict[str, list[WatchedChart]] = defaultdict(list)
    number = Counter(one.figure for one in found)
    for one in found:
        charts[one.figure].append(_chart(one, over, limits.nominal(one.figure, number[one.figure]), limits))
    return {name: tuple(of) for name, of in charts.items()}


def outcome_charts(
    of: OutcomeTally, limits: Monitors
) -> tuple[dict[str, tuple[WatchedChart, ...]], tuple[Observed, ...]]:
    """The charts of outcomes by figure, which share its part in both ways, and what each counts in all."""
    charts: defaultdict[str, list[WatchedChart]] = defaultdict(list)
    observed: list[Observed] = []
    number = of.numbers()
    for one in of.charts():
        nominal = limits.nominal(one.figure, 2 * number[one.figure])
        charts[one.figure] += [_outcome_chart(one, nominal, shift) for shift in (SHIFT, -SHIFT)]
        observed.append((one.outcome, one.label, len(one.risks), int(one.happened.sum()), float(one.risks.sum())))
    return {name: tuple(charts) for name, charts in charts.items()}, tuple(observed)


def _chart(of: Series, over: Weeks, nominal: float, limits: Monitors) -> WatchedChart:
    kind = limits.figure(of.figure).chart
    judged = judging.judged(of.streams, kind, nominal=nominal)
    days = over.first.toordinal() + np.arange(judged.values.shape[1]) * (1 if of.by_day else 7)
    alarms = tuple(date.fromordinal(int(day)) for day in days[judged.signals[0]])
    there = np.flatnonzero(~np.isnan(judged.values[0]))
    return WatchedChart(
        figure=of.figure,
        label=of.label,
        **_line(days[there], judged.values[0][there], judged.signals[0][there]),
        limit=judged.limit,
        two_sided=kind != "psi",
        since=alarms,
        usual=blind_spots.usual(of.streams),
        latest=blind_spots.latest(of.streams),
        cannot_see=blind_spots.of_stream(of.streams, kind, judged.limit, nominal),
    )


def _outcome_chart(of: Outcomes, nominal: float, shift: float) -> WatchedChart:
    judged = judging.outcomes(of.risks, of.happened, of.weeks, nominal=nominal, shift=shift)
    way = "more than predicted" if shift > 0 else "less than predicted"
    return WatchedChart(
        figure=of.figure,
        label=", ".join(one for one in (of.outcome, of.label, way) if one),
        **_line(of.first_monday.toordinal() + 7 * of.weeks, judged.values, judged.signals),
        limit=judged.limit,
        two_sided=False,
        since=tuple(date.fromordinal(int(day)) for day in of.countable[judged.signals]),
        usual=f"{of.risks.sum():.1f} predicted of {len(of.risks)}",
        latest=f"{int(of.happened.sum())} happened",
        cannot_see=blind_spots.of_outcomes(of, nominal, shift),
    )


def _line(days: Any, values: Any, signals: Any) -> dict[str, Any]:
    """Of all that was judged what a picture shows: points at equal distances, the last one, and the alarms."""
    shown = sorted({*range(0, len(days), max(1, len(days) // MOST_POINTS)), *range(len(days))[-1:]})
    return {
        "days": tuple(date.fromordinal(int(days[place])) for place in shown),
        "values": tuple(float(values[place]) for place in shown),
        "alarms": tuple(date.fromordinal(int(day)) for day in days[signals]),
        "heights": tuple(float(value) for value in values[signals]),
    }

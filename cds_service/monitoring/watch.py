"""Every figure of one tenant with its chart, its alarms and what it cannot see at this tenant's volume."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from cds_service.follow_up.planned_operations import PlannedOperation, planned_operations
from cds_service.monitoring import blind_spots, judging, outcome_series, series
from cds_service.monitoring.monitors import Monitors
from cds_service.monitoring.outcome_series import Outcomes, Scored
from cds_service.monitoring.risk_cusum import SHIFT
from cds_service.monitoring.series import SeenCall, Series, Weeks
from cds_service.records import export, scores
from cds_service.records.asked_calls import asked_calls
from cds_service.records.card_answers import CardAnswer, card_answers

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class WatchedChart(msgspec.Struct, frozen=True, kw_only=True):
    """One chart: a place and a value for each period that could be judged, and the days of its alarms.

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
    observed: tuple[tuple[str, str, int, int, float], ...]

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
    calls = {row.id: series.seen(row) for row in export.evaluations(engine, tenant, since=_EVER)}
    over = series.weeks((one.day for one in calls.values()), today=today)
    planned = planned_operations(asked_calls(engine, tenant), zone=zone)
    operations = [calls[of.last_before.evaluation_id] for of in planned if of.last_before.evaluation_id in calls]
    answers = card_answers(engine, tenant, since=_EVER)
    found = [
        *series.of_calls(tuple(calls.values()), over),
        *series.of_operations(operations, _carded(planned, calls, answers), over),
        *series.of_cards(answers, over),
    ]
    scored = outcome_series.scored(scores.scores(engine, tenant, since=_EVER, zone=zone), horizons)
    found += severity(scored, over)
    outcomes = tuple(outcome_series.charts(scored, today=today))
    return Watched(
        tenant=tenant,
        made_on=today,
        weeks=over,
        calls=len(calls),
        operations=len(planned),
        charts=drawn(found, outcomes, over, limits),
        silences=_counted(one.reason for one in calls.values() if one.decision == "silence"),
        overrides=_counted(one.reason or "no reason given" for one in answers if one.outcome == "overridden"),
        never_had=series.never_had(operations),
        standings=outcome_series.standings(scored, today=today),
        observed=tuple(
            (of.outcome, of.label, len(of.risks), int(of.happened.sum()), float(of.risks.sum())) for of in outcomes
        ),
    )


def _counted(of: Any) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(of).most_common())


def _carded(
    planned: Sequence[PlannedOperation], calls: Mapping[str, SeenCall], answers: Sequence[CardAnswer]
) -> dict[str, bool]:
    """By the call that stands for an operation, whether any call about it had a card, shown or withheld by a mode."""
    having = {one.evaluation_id for one in answers}
    again = {one.id for one in calls.values() if one.decision == "again"}
    return {
        of.last_before.evaluation_id: any(call.evaluation_id in having | again for call in of.calls) for of in planned
    }


def severity(scored: Sequence[Scored], over: Weeks) -> list[Series]:
    """The mean logit of the models' own risks by outcome: a recalibration makes no patient sicker."""
    by_outcome: defaultdict[str, list[tuple[date, float]]] = defaultdict(list)
    for one in scored:
        by_outcome[one.outcome].append((one.asked, float(np.log(one.own / (1 - one.own)))))
    return [series.levels("severity", outcome, of, over) for outcome, of in by_outcome.items()]


def drawn(
    found: Sequence[Series], outcomes: Sequence[Outcomes], over: Weeks, limits: Monitors
) -> dict[str, tuple[WatchedChart, ...]]:
    """The charts by figure; the series of one figure, and its outcomes in both ways, share its part of the alarms."""
    charts: defaultdict[str, list[WatchedChart]] = defaultdict(list)
    number = Counter(one.figure for one in found)
    for one in found:
        charts[one.figure].append(_chart(one, over, limits.nominal(one.figure, number[one.figure]), limits))
    ways = Counter(of.figure for of in outcomes)
    for of in outcomes:
        nominal = limits.nominal(of.figure, 2 * ways[of.figure])
        charts[of.figure] += [_outcome_chart(of, nominal, shift) for shift in (SHIFT, -SHIFT)]
    return {name: tuple(of) for name, of in charts.items()}


def _chart(of: Series, over: Weeks, nominal: float, limits: Monitors) -> WatchedChart:
    kind = limits.figure(of.figure).chart
    judged = judging.judged(of.streams, kind, nominal=nominal)
    days = [date.fromordinal(over.first.toordinal() + place * (1 if of.by_day else 7)) for place in _places(judged)]
    places = _places(judged)
    alarms = tuple(day for day, place in zip(days, places, strict=True) if judged.signals[0, place])
    return WatchedChart(
        figure=of.figure,
        label=of.label,
        days=tuple(days),
        values=tuple(float(judged.values[0, place]) for place in places),
        limit=judged.limit,
        two_sided=kind != "psi",
        alarms=alarms,
        since=alarms,
        usual=blind_spots.usual(of.streams),
        latest=blind_spots.latest(of.streams),
        cannot_see=blind_spots.of_stream(of.streams, kind, judged.limit, nominal),
    )


def _places(judged: judging.JudgedStreams) -> list[int]:
    return [int(place) for place in np.flatnonzero(~np.isnan(judged.values[0]))]


def _outcome_chart(of: Outcomes, nominal: float, shift: float) -> WatchedChart:
    judged = judging.outcomes(of.risks, of.happened, of.weeks, nominal=nominal, shift=shift)
    first = of.first_monday.toordinal()
    days = tuple(date.fromordinal(first + 7 * int(week)) for week in of.weeks)
    alarms = np.flatnonzero(judged.signals)
    way = "more than predicted" if shift > 0 else "less than predicted"
    return WatchedChart(
        figure=of.figure,
        label=", ".join(one for one in (of.outcome, of.label, way) if one),
        days=days,
        values=tuple(float(value) for value in judged.values),
        limit=judged.limit,
        two_sided=False,
        alarms=tuple(days[int(place)] for place in alarms),
        since=tuple(date.fromordinal(int(of.countable[place])) for place in alarms),
        usual=f"{of.risks.sum():.1f} predicted of {len(of.risks)}",
        latest=f"{int(of.happened.sum())} happened",
        cannot_see=blind_spots.of_outcomes(of, nominal, shift),
    )

"""One pass over a tenant's record, week by week: what is held is sums of weeks, and the operations still open."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cds_service.follow_up.planned_operations import WINDOW, OpenOperations, PlannedOperation
from cds_service.monitoring import outcome_series, series
from cds_service.monitoring.input_bins import InputBins
from cds_service.monitoring.outcome_series import Scored
from cds_service.monitoring.outcome_tally import OutcomeTally
from cds_service.monitoring.series import SeenCall
from cds_service.monitoring.weeks import Series, Sums, Weeks, monday_of, weeks
from cds_service.records import watched_calls
from cds_service.records.card_answers import CardAnswer, card_answers
from cds_service.records.outcome_changes import Statement
from cds_service.records.watched_calls import WatchedCall

_WEEK = timedelta(days=7)


def weekly_reading(
    engine: Any, tenant: str, *, today: date, horizons: Mapping[str, int | None], zone: ZoneInfo | None
) -> WeeklyReading:
    """The whole record of a tenant, a week at a time."""
    span = watched_calls.span(engine, tenant)
    over = weeks(span and span[0].date(), today=today)
    later = watched_calls.named_much_later(engine, tenant, window=WINDOW) if span else {}
    found = WeeklyReading(over, today=today, horizons=horizons, operations=OpenOperations(zone=zone, later=later))
    for since in _mondays(*span) if span else ():
        between = {"since": since, "until": since + _WEEK}
        for call in watched_calls.watched_calls(engine, tenant, **between):
            found.call(call)
        found.cards(card_answers(engine, tenant, **between))
        found.close(since + _WEEK)
    found.close(None)
    return found


def _mondays(first: datetime, last: datetime) -> Iterator[datetime]:
    monday = datetime.combine(monday_of(first.date()), time(), UTC)
    while monday <= last:
        yield monday
        monday += _WEEK


class WeeklyReading:
    """What is counted so far. Calls come in the order of time, and the cards of each before its operations close."""

    def __init__(
        self, over: Weeks, *, today: date, horizons: Mapping[str, int | None], operations: OpenOperations
    ) -> None:
        self.over = over
        self.calls = self.operations = 0
        self.silences: Counter[str] = Counter()
        self.overrides: Counter[str] = Counter()
        self.outcomes = OutcomeTally(today)
        self._sums = Sums(over)
        self._bins: defaultdict[str, InputBins] = defaultdict(lambda: InputBins(over.count))
        self._named: set[str] = set()
        self._had: set[str] = set()
        self._horizons = horizons
        self._open = operations
        self._seen: dict[str, SeenCall] = {}
        self._carded: set[str] = set()
        series.named(self._sums)

    def call(self, call: WatchedCall) -> None:
        """The next call."""
        self.calls += 1
        series.count_call(self._sums, call)
        if call.decision == "silence":
            self.silences[call.reason] += 1
        if call.asked is not None:
            self._open.add(call.asked)
            risks = outcome_series.told_risks(call, self._horizons)
            self._seen[call.id] = series.seen(call, self.calls, risks)
            if call.decision == "again":
                self._carded.add(call.id)

    def cards(self, answers: Iterable[CardAnswer]) -> None:
        """The cards of calls that came, shown or withheld by a mode."""
        for one in answers:
            if one.evaluation_id in self._seen:
                self._carded.add(one.evaluation_id)
            if one.outcome == "overridden":
                self.overrides[one.reason or "no reason given"] += 1
            series.count_card(self._sums, one)

    def close(self, before: datetime | None) -> None:
        """Count the operations that no call from then on can be about; None: there are no more calls."""
        for of in self._open.closed(before):
            self._operation(of)
        if before is not None:
            first = min(self._open.first_held() or before, before)
            settled = (first.date() - self.over.first) // _WEEK
            for bins in self._bins.values():
                bins.settle(settled)

    def _operation(self, of: PlannedOperation) -> None:
        calls = {one.evaluation_id: self._seen.pop(one.evaluation_id) for one in of.calls}
        carded = self._carded & calls.keys()
        self._carded -= carded
        stands = calls[of.last_before.evaluation_id]
        self.operations += 1
        self._had.update(stands.had)
        self._named.update(stands.had, stands.lacked)
        series.count_operation(self._sums, stands, carded=bool(carded))
        if (place := self.over.place(stands.day)) is not None:
            order = (place, of.calls[0].at, of.calls[0].evaluation_id)
            for name, value in stands.values.items():
                self._bins[name].add(order, value)
        for one in _scored(of, calls, stands):
            self._sums.name("severity", one.outcome, kind="level")
            self._sums.add("severity", one.outcome, one.asked, math.log(one.own / (1 - one.own)))
            self.outcomes.add(one, stands.number)

    @property
    def never_had(self) -> tuple[str, ...]:
        """The inputs that no operation had: there is nothing to watch, and that is told."""
        return tuple(sorted(self._named - self._had))

    def series(self) -> Iterator[Series]:
        """The streams of all figures but those of outcomes."""
        sums = self._sums
        for figure in ("errors", "silence", "unmapped", "latency", "volume", "not-understood", "firing", "acceptance"):
            yield from (sums.series(figure, label) for label in sums.labels(figure))
        yield from (sums.series("lists", label) for label in sums.labels("lists"))
        yield from (sums.series("suggestions", rule) for rule in sorted(sums.labels("suggestions")))
        yield from (sums.series("missing", name) for name in sorted(sums.labels("missing")) if name in self._had)
        yield from (sums.series("severity", outcome) for outcome in self.outcomes.outcomes())
        for name in sorted(self._bins):
            if (streams := self._bins[name].streams()) is not None:
                yield Series(figure="drift", label=name, streams=streams)


def _scored(of: PlannedOperation, calls: Mapping[str, SeenCall], stands: SeenCall) -> Iterator[Scored]:
    """The operation as each champion saw it at the call that stands for it."""
    day = of.operated_on or stands.day
    for one in stands.risks:
        said: list[Statement] = []
        for call in calls.values():
            statement = call.said.get(one.outcome)
            if statement is not None and statement not in said:
                said.append(statement)
        yield Scored(
            day=day,
            asked=stands.day,
            outcome=one.outcome,
            risk=one.risk,
            own=one.own,
            sex=stands.sex,
            age_band=stands.age_band,
            known=outcome_series.followed(day, said),
            horizon_days=one.horizon_days,
            is_horizon_known=one.is_horizon_known,
        )

"""The operations whose outcome may be counted, with the risk that was predicted: mature weeks only, each once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
import numpy as np

from cds_service.follow_up import maturity
from cds_service.follow_up.maturity import Followed
from cds_service.monitoring import judging, risk_cusum
from cds_service.records.outcome_changes import Statement, agreed

NO_HORIZON = "horizon not known"
_FEWEST = 50  # operations of a group before it has a chart


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """One operation as one model saw it: its day, the risk that was told, its group, and what is known of the outcome.

    `own`: the model's own risk, before any recalibration; it tells the patients, whatever the hospital makes of it.

    `asked`: the day of the call that stands for it. `horizon_days`: how far that model looks, None: until discharge;
    `is_horizon_known`: nothing can be counted where it is not.
    """

    day: date
    asked: date
    outcome: str
    risk: float
    own: float
    sex: str
    age_band: str
    known: Followed
    horizon_days: int | None
    is_horizon_known: bool

    def standing(self, today: date) -> str:
        """Whether it counts on that day, and if not, why."""
        if not self.is_horizon_known:
            return NO_HORIZON
        return maturity.standing(self.known, horizon_days=self.horizon_days, as_of=today)


class Outcomes(msgspec.Struct, frozen=True, kw_only=True):
    """The operations of one chart, oldest first: risk, whether it happened (1, 0), and the week (from 0).

    `countable`: the day from which the chart could be drawn up to each of them, as an ordinal.
    """

    figure: str
    outcome: str
    label: str
    risks: Any
    happened: Any
    weeks: Any
    countable: Any
    first_monday: date


def scored(rows: Iterator[dict[str, Any]], horizons: Mapping[str, int | None]) -> tuple[Scored, ...]:
    """Of the rows of the scores' export (records/scores.py) each operation once, by the champion of its outcome.

    The horizon is that of the prediction, so that models of one outcome may differ; `horizons` where none is told.
    """
    standing: dict[tuple[str, str], dict[str, Any]] = {}
    said: defaultdict[tuple[str, str], list[Statement]] = defaultdict(list)
    for row in rows:
        if not row.get("operation") or row["state"] != "champion":
            continue
        key = (row["operation"], row["outcome"])
        if row.get("occurred") is not None:
            days = (row.get("occurred_on"), row.get("observed_through"), row.get("operated_on"))
            if (one := Statement(bool(row["occurred"]), *days)) not in said[key]:
                said[key].append(one)
        if row["of_operation"] and _is_risk(row["probability"]) and _is_risk(row["raw_probability"]):
            standing.setdefault(key, row)
    return tuple(
        sorted(
            (_scored(row, said.get(key, []), horizons) for key, row in standing.items()),
            key=lambda one: (one.day, one.risk),
        )
    )


def _is_risk(probability: float | None) -> bool:
    return probability is not None and 0.0 < probability < 1.0


def _scored(row: Mapping[str, Any], said: Sequence[Statement], horizons: Mapping[str, int | None]) -> Scored:
    asked = datetime.fromisoformat(row["received_at"]).date()
    day = row.get("operated_on") or asked
    known = agreed(said) if said else None
    followed = Followed(day=day, contradicted=bool(said) and known is None)
    if known is not None:
        followed = Followed(
            day=day,
            occurred=known.occurred,
            occurred_on=known.occurred_on,
            observed_through=known.observed_through,
        )
    return Scored(
        day=day,
        asked=asked,
        outcome=row["outcome"],
        risk=row["probability"],
        own=row["raw_probability"],
        sex=str(row.get("sex") or "not known"),
        age_band=str(row.get("age_band") or "not known"),
        known=followed,
        horizon_days=row["horizon_days"] if "horizon_days" in row else horizons.get(row["outcome"]),
        is_horizon_known="horizon_days" in row or row["outcome"] in horizons,
    )


def standings(of: Sequence[Scored], *, today: date) -> dict[str, dict[str, int]]:
    """By outcome how many operations count, and how many do not and why."""
    return {
        outcome: dict(Counter(one.standing(today) for one in of if one.outcome == outcome))
        for outcome in dict.fromkeys(one.outcome for one in of)
    }


def charts(of: Sequence[Scored], *, today: date) -> Iterator[Outcomes]:
    """The streams of each outcome, and of its groups by sex and by age, that have enough operations and an event."""
    for outcome in dict.fromkeys(one.outcome for one in of):
        counting = [one for one in of if one.outcome == outcome and one.standing(today) == "counts"]
        groups = {("calibration", ""): counting}
        for one in counting:
            for name in (one.sex, one.age_band):
                groups.setdefault(("subgroups", name), []).append(one)
        for (figure, label), members in groups.items():
            if len(members) >= _FEWEST:
                yield _outcomes(figure, outcome, label, members)


def _outcomes(figure: str, outcome: str, label: str, of: Sequence[Scored]) -> Outcomes:
    first = of[0].day.toordinal() - of[0].day.weekday()
    countable = [maturity.countable_from(one.day, horizon_days=one.horizon_days).toordinal() for one in of]
    return Outcomes(
        figure=figure,
        outcome=outcome,
        label=label,
        risks=np.array([one.risk for one in of]),
        happened=np.array([float(maturity.happened(one.known, horizon_days=one.horizon_days)) for one in of]),
        weeks=np.array([(one.day.toordinal() - first) // 7 for one in of]),
        countable=np.maximum.accumulate(countable),
        first_monday=date.fromordinal(first),
    )


def delay_weeks(of: Outcomes, nominal_weeks: float, shift: float) -> float:
    """Mean weeks of operations until the chart tells that shift, without the time until outcomes are mature."""
    volume = len(of.risks) / max(1, len(np.unique(of.weeks)))
    limit = judging.outcome_limit(of.risks, of.happened, of.weeks, nominal=nominal_weeks, shift=shift)
    return risk_cusum.delay(risk_cusum.strata(of.risks), limit, by=shift, shift=shift) / volume

"""The operations whose outcome may be counted, with the risk that was predicted: mature weeks only, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeGuard

import msgspec
import numpy as np

from cds_service.follow_up import maturity
from cds_service.follow_up.maturity import Followed
from cds_service.monitoring import judging, risk_cusum
from cds_service.records.outcome_changes import Statement, agreed
from cds_service.records.watched_calls import WatchedCall

NO_HORIZON = "horizon not known"


class ToldRisk(msgspec.Struct, frozen=True, gc=False):
    """What the champion of an outcome said in one call: the risk that was told, and its own before recalibration.

    `horizon_days`: how far that model looks, None: until discharge; nothing counts where it is not known.
    """

    outcome: str
    risk: float
    own: float
    horizon_days: int | None
    is_horizon_known: bool


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


def told_risks(call: WatchedCall, horizons: Mapping[str, int | None]) -> tuple[ToldRisk, ...]:
    """By outcome the risk of its champion, where it gave one.

    The horizon is that of the prediction, so that models of one outcome may differ; `horizons` where none is told.
    """
    of_models, found = call.result.horizons, dict[str, ToldRisk]()
    for one in call.models:
        if one.state == "champion" and _is_risk(one.probability) and _is_risk(own := one.own):
            key, outcome = (one.outcome, one.model, one.version), str(one.outcome)
            horizon = of_models[key] if key in of_models else horizons.get(outcome)
            known = key in of_models or outcome in horizons
            found.setdefault(outcome, ToldRisk(outcome, one.probability, own, horizon, known))
    return tuple(found.values())


def _is_risk(probability: float | None) -> TypeGuard[float]:
    return probability is not None and 0.0 < probability < 1.0


def followed(day: date, said: Sequence[Statement]) -> Followed:
    """What is known of one outcome of an operation of that day, from all that was said of the calls about it."""
    known = agreed(said) if said else None
    if known is None:
        return Followed(day=day, contradicted=bool(said))
    return Followed(
        day=day,
        occurred=known.occurred,
        occurred_on=known.occurred_on,
        observed_through=known.observed_through,
    )


def delay_weeks(of: Outcomes, nominal_weeks: float, shift: float) -> float:
    """Mean weeks of operations until the chart tells that shift, without the time until outcomes are mature."""
    volume = len(of.risks) / max(1, len(np.unique(of.weeks)))
    limit = judging.outcome_limit(of.risks, of.happened, of.weeks, nominal=nominal_weeks, shift=shift)
    return risk_cusum.delay(risk_cusum.strata(of.risks), limit, by=shift, shift=shift) / volume

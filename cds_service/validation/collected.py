"""What a tenant's record holds of a window: its calls counted one by one, and the operations that they were about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from cds_service.follow_up import maturity
from cds_service.follow_up.maturity import Followed
from cds_service.follow_up.planned_operations import PlannedOperation, planned_operations
from cds_service.records import scores
from cds_service.records.answered_calls import AnsweredCall, InputTold, KeptResult, PredictionTold, answered_calls
from cds_service.records.asked_calls import asked_calls
from cds_service.records.outcome_changes import Statement, agreed
from cds_service.records.scores import AGE_BANDS
from cds_service.tenants.speech import Speech

NOT_RECORDED = "not recorded"
# What can be read of a person in the record; everything else a report may be asked by comes in a file of the site's.
IN_RECORD = ("procedure group", "sex", "age band")
ONLY_IN_A_FILE = ("race", "ethnicity", "language", "payer")


class Window(msgspec.Struct, frozen=True):
    """Calls from `since` to before `until` (UTC); outcomes as known on the day `as_of`, reported in `lag_days`."""

    since: datetime
    until: datetime
    as_of: date
    lag_days: int = maturity.LAG_DAYS


class ValidatedOperation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One operation as it was last asked about before it was done; `followed` by outcome, where anything was said.

    `person`: whose, to count people; it is told nowhere. None where the record does not keep it.
    """

    evaluation_id: str
    asked_at: datetime
    day: date
    procedure_group: str
    calls: int
    band: str | None
    indicator: str | None
    reason: str | None
    inputs: Mapping[str, InputTold]
    predictions: tuple[PredictionTold, ...]
    entries_missed: Mapping[str, int]
    speech: Speech | None
    followed: Mapping[str, Followed]
    cohorts: Mapping[str, str]
    person: str | None = None

    @property
    def told(self) -> Mapping[str, PredictionTold]:
        """By outcome the prediction that was told of it."""
        return {one.outcome: one for one in self.predictions if one.shown}

    def number(self, name: str) -> float | None:
        """The value of an input that is an exact number."""
        one = self.inputs.get(name)
        value = None if one is None or one.comparator else one.value
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


class Collected(msgspec.Struct, frozen=True):
    """The window and its operations, oldest first."""

    window: Window
    operations: tuple[ValidatedOperation, ...]


def collect(
    engine: Any,
    tenant_id: str,
    window: Window,
    *,
    zone: ZoneInfo,
    count: Callable[[AnsweredCall], None],
    cohorts: Mapping[str, Mapping[str, str]],
) -> Collected:
    """The operations of the window, with days of `zone`; `count` is given each call.

    `cohorts`: by evaluation, what a site's file adds.
    """
    between = {"since": window.since, "until": window.until}
    found = planned_operations(asked_calls(engine, tenant_id, **between), zone=zone)
    wanted = {of.last_before.evaluation_id for of in found}
    kept: dict[str, AnsweredCall] = {}
    for call in answered_calls(engine, tenant_id, **between):
        count(call)
        if call.id in wanted:
            kept[call.id] = call
    said = _by_evaluation(scores.statements(engine, tenant_id))
    return Collected(
        window,
        tuple(
            _operation(of, kept[of.last_before.evaluation_id], said, cohorts)
            for of in found
            if of.last_before.evaluation_id in kept
        ),
    )


def _by_evaluation(said: Mapping[tuple[str, str], Statement]) -> dict[str, dict[str, Statement]]:
    found: dict[str, dict[str, Statement]] = {}
    for (evaluation_id, outcome), one in said.items():
        found.setdefault(evaluation_id, {})[outcome] = one
    return found


def _operation(
    of: PlannedOperation,
    call: AnsweredCall,
    said: Mapping[str, Mapping[str, Statement]],
    cohorts: Mapping[str, Mapping[str, str]],
) -> ValidatedOperation:
    result = call.result or KeptResult()
    inputs = {one.name: one for one in result.inputs}
    known = [said.get(one.evaluation_id, {}) for one in of.calls]
    outcomes = sorted({outcome for one in known for outcome in one})
    own = next((found for one in of.calls if (found := cohorts.get(one.evaluation_id))), {})
    return ValidatedOperation(
        evaluation_id=call.id,
        asked_at=call.at,
        day=of.day,
        procedure_group=of.last_before.procedure_group,
        calls=len(of.calls),
        band=call.band,
        indicator=call.indicator,
        reason=call.reason,
        inputs=inputs,
        predictions=result.predictions,
        entries_missed={one.list: one.entries for one in result.not_understood if one.entries},
        speech=result.speech,
        followed={name: _followed(of.day, [one[name] for one in known if name in one]) for name in outcomes},
        cohorts={"procedure group": of.last_before.procedure_group, **_person(inputs), **own},
        person=of.calls[0].patient_id,
    )


def _followed(day: date, said: Sequence[Statement]) -> Followed:
    together = agreed(said)
    if together is None:
        return Followed(day=day, contradicted=True)
    return Followed(
        day=day,
        occurred=together.occurred,
        occurred_on=together.occurred_on,
        observed_through=together.observed_through,
    )


def _person(inputs: Mapping[str, InputTold]) -> dict[str, str]:
    sex, age = (inputs[name].value if name in inputs else None for name in ("sex", "age"))
    band = next((name for below, name in AGE_BANDS if age < below), None) if isinstance(age, int | float) else None
    return {"sex": str(sex or NOT_RECORDED), "age band": band or NOT_RECORDED}

"""The calls of a tenant as monitoring reads them: a week at a time, with the outcomes that are known of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Engine, Row, func, select

from cds_service.follow_up.planned_operations import Asked
from cds_service.records import tables
from cds_service.records.asked_calls import LOOKED_AT
from cds_service.records.outcome_changes import Statement
from cds_service.records.scores import AGE_BANDS

_AT_ONCE = 500


class GivenInput(msgspec.Struct, frozen=True, gc=False):
    """How one input stood."""

    name: str
    status: str


class KnownInput(msgspec.Struct, frozen=True, gc=False):
    """The value of one input, where there was one."""

    name: str
    status: str
    value: Any = None


class LookedAhead(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """How far one model looked ahead; None: until discharge."""

    outcome: str | None = None
    model: str | None = None
    version: str | None = None
    horizon_days: int | None = None


class MissedEntries(msgspec.Struct, frozen=True, gc=False):
    """How many entries of a list were not understood."""

    entries: int


class KnownResult(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What monitoring needs of the discrete result."""

    predictions: tuple[LookedAhead, ...] = ()
    inputs: tuple[KnownInput, ...] = ()
    not_understood: tuple[MissedEntries, ...] = ()

    @property
    def horizons(self) -> dict[tuple[str | None, str | None, str | None], int | None]:
        """By outcome, model and version how far it looked ahead."""
        return {(one.outcome, one.model, one.version): one.horizon_days for one in self.predictions}

    @property
    def cohorts(self) -> tuple[str, str]:
        """Sex and age band as the models were given them."""
        values = {one.name: one.value for one in self.inputs if one.name in ("sex", "age")}
        age = values.get("age")
        band = next((name for below, name in AGE_BANDS if age < below), None) if isinstance(age, int | float) else None
        return str(values.get("sex") or "not known"), band or "not known"


class ModelScore(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What one version of one model said: the probability that was told, and its own before any recalibration."""

    model: str
    version: str
    outcome: str | None = None
    state: str = "champion"
    probability: float | None = None
    raw_probability: float | msgspec.UnsetType | None = msgspec.UNSET

    @property
    def own(self) -> float | None:
        """The model's own probability."""
        return self.probability if self.raw_probability is msgspec.UNSET else self.raw_probability


class WatchedCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `asked`: as operations are counted from it; None where it was about none. `said`: by outcome."""

    id: str
    at: datetime
    decision: str
    reason: str
    total_ms: float
    unmapped: bool
    inputs: tuple[GivenInput, ...]
    models: tuple[ModelScore, ...]
    result: KnownResult
    said: Mapping[str, Statement]
    asked: Asked | None


_inputs = msgspec.json.Decoder(tuple[GivenInput, ...])
_models = msgspec.json.Decoder(tuple[ModelScore, ...])
_result = msgspec.json.Decoder(KnownResult)
_NO_RESULT = KnownResult()


def span(engine: Engine, tenant_id: str) -> tuple[datetime, datetime] | None:
    """When the first and the last call of the tenant came; None without any."""
    at = tables.evaluation.c.received_at
    statement = select(func.min(at), func.max(at)).where(tables.evaluation.c.tenant_id == tenant_id)
    with engine.connect() as connection:
        first, last = connection.execute(statement).one()
    return None if first is None else (first, last)


def watched_calls(engine: Engine, tenant_id: str, *, since: datetime, until: datetime) -> Iterator[WatchedCall]:
    """Every call in that time, oldest first, those of one instant by id; the outcomes of all of them are held."""
    table = tables.evaluation.c
    names = ("id", "received_at", "status", "decision", "reason", "total_ms", "unmapped", "procedure_group")
    columns = [table[name] for name in (*names, "patient_id", "order_reference", "inputs", "models", "result")]
    statement = (
        select(*columns)
        .where(table.tenant_id == tenant_id, table.received_at >= since, table.received_at < until)
        .order_by(table.received_at)
        .execution_options(yield_per=_AT_ONCE)
    )
    said = _said(engine, tenant_id, since, until)
    with engine.connect() as connection:
        for _, together in groupby(connection.execute(statement), key=lambda row: row.received_at):
            yield from (_call(row, said.get(row.id, {})) for row in sorted(together, key=lambda row: row.id))


def _call(row: Row[Any], said: Mapping[str, Statement]) -> WatchedCall:
    is_asked = row.status == 200 and row.decision != LOOKED_AT and row.procedure_group is not None
    return WatchedCall(
        id=row.id,
        at=row.received_at,
        decision=row.decision,
        reason=row.reason or "",
        total_ms=row.total_ms,
        unmapped=bool(row.unmapped) and row.unmapped != "[]",
        inputs=_inputs.decode(row.inputs),
        models=_models.decode(row.models),
        result=_result.decode(row.result) if row.result and row.result.startswith("{") else _NO_RESULT,
        said=said,
        asked=_asked(row, said) if is_asked else None,
    )


def _asked(row: Row[Any], said: Mapping[str, Statement]) -> Asked:
    return Asked(
        evaluation_id=row.id,
        at=row.received_at,
        procedure_group=row.procedure_group,
        patient_id=row.patient_id,
        order_reference=row.order_reference,
        operated_on=next((day for one in said.values() if (day := one.operated_on) is not None), None),
        event_on=min((day for one in said.values() if (day := one.occurred_on) is not None), default=None),
    )


def _said(engine: Engine, tenant_id: str, since: datetime, until: datetime) -> dict[str, dict[str, Statement]]:
    """What was said of the calls in that time, by evaluation and outcome."""
    call, of = tables.evaluation.c, tables.outcome.c
    calls = select(call.id).where(call.tenant_id == tenant_id, call.received_at >= since, call.received_at < until)
    facts = (of.occurred, of.occurred_on, of.observed_through, of.operated_on)
    statement = (
        select(of.evaluation_id, of.outcome, *facts)
        .where(of.tenant_id == tenant_id, of.evaluation_id.in_(calls))
        .order_by(of.evaluation_id, of.outcome)
    )
    found: defaultdict[str, dict[str, Statement]] = defaultdict(dict)
    with engine.connect() as connection:
        for evaluation_id, outcome, *known in connection.execute(statement):
            found[evaluation_id][outcome] = Statement(*known)
    return dict(found)


def named_much_later(engine: Engine, tenant_id: str, *, window: timedelta) -> dict[tuple[str, date], datetime]:
    """By patient and day of operation the last call of which that day was told, where the first is longer ago."""
    call, of = tables.evaluation.c, tables.outcome.c
    statement = (
        select(call.patient_id, of.operated_on, func.min(call.received_at), func.max(call.received_at))
        .join(tables.evaluation, call.id == of.evaluation_id)
        .where(call.tenant_id == tenant_id, of.tenant_id == tenant_id, of.operated_on.is_not(None))
        .where(call.patient_id.is_not(None))
        .group_by(call.patient_id, of.operated_on)
        .execution_options(yield_per=_AT_ONCE)
    )
    with engine.connect() as connection:
        return {
            (patient_id, day): last
            for patient_id, day, first, last in connection.execute(statement)
            if last - first > window
        }

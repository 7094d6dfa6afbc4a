"""A tenant's own cases: what one graph said of each operation, and whether the outcome happened."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Engine, RowMapping, and_, select

from cds_service.follow_up.maturity import Followed
from cds_service.follow_up.planned_operations import PlannedOperation, planned_operations
from cds_service.records import tables
from cds_service.records.asked_calls import asked_calls
from cds_service.records.outcome_changes import Statement, agreed


class Operation(msgspec.Struct, frozen=True):
    """One operation: its day and procedure group, the model's own probability (0 to 1), and whether it happened.

    `occurred` is None where two statements about one operation contradict each other. `occurred_on`: the first day;
    `observed_through`: the last day through which the patient was followed; both None where nobody said.
    """

    day: date
    procedure_group: str
    probability: float
    occurred: bool | None
    occurred_on: date | None = None
    observed_through: date | None = None

    @property
    def followed(self) -> Followed:
        """What is known of its outcome."""
        return Followed(
            day=self.day,
            occurred=self.occurred,
            occurred_on=self.occurred_on,
            observed_through=self.observed_through,
            contradicted=self.occurred is None,
        )


class _CallSaid(msgspec.Struct, frozen=True):
    """What one row of the record says: the graph's figure, and the outcome where it is known."""

    probability: float | None
    outcome: Statement | None


def scored_operations(
    engine: Engine,
    tenant_id: str,
    *,
    sha256: str,
    outcome: str,
    since: datetime,
    until: datetime,
    zone: ZoneInfo | None = None,
) -> tuple[Operation, ...]:
    """Every operation that this graph scored and whose outcome is known, whatever mode held, oldest first.

    An operation counts once, with what was said at the last call before it (follow_up/planned_operations.py).
    The probability is the model's own, before any recalibration. `since` and `until` bound the calls.
    `zone`: in which the days of operations are.
    """
    asked = asked_calls(engine, tenant_id, since=since, until=until)
    with engine.connect() as connection:
        rows = connection.execute(_statement(tenant_id, outcome, since, until)).mappings()
        said = {row["id"]: _read(row, sha256) for row in rows}
    found = (_operation(one, said) for one in planned_operations(asked, zone=zone))
    return tuple(one for one in found if one is not None)


def _statement(tenant_id: str, outcome: str, since: datetime, until: datetime) -> Any:
    table, happened = tables.evaluation.c, tables.outcome.c
    of_this = and_(
        happened.tenant_id == table.tenant_id, happened.evaluation_id == table.id, happened.outcome == outcome
    )
    days = (happened.occurred, happened.occurred_on, happened.observed_through, happened.operated_on)
    return (
        select(table.id, table.models, *days)
        .select_from(tables.evaluation.outerjoin(tables.outcome, of_this))
        .where(table.tenant_id == tenant_id, table.received_at >= since, table.received_at < until)
        .execution_options(yield_per=500)
    )


def _read(row: RowMapping, sha256: str) -> _CallSaid:
    is_known = row["occurred"] is not None
    known = Statement(**{name: row[name] for name in Statement.__struct_fields__}) if is_known else None
    return _CallSaid(_own(msgspec.json.decode(row["models"]), sha256), known)


def _operation(of: PlannedOperation, said: dict[str, _CallSaid]) -> Operation | None:
    """None where this graph said nothing of it, or nobody has said what happened."""
    asked = of.last_before
    probability = said[asked.evaluation_id].probability
    known = [one for call in of.calls if (one := said[call.evaluation_id].outcome) is not None]
    if probability is None or not known:
        return None
    happened = agreed(known)
    if happened is None:
        return Operation(of.day, asked.procedure_group, probability, None)
    days = (happened.occurred_on, happened.observed_through)
    return Operation(of.day, asked.procedure_group, probability, happened.occurred, *days)


def _own(models: list[dict[str, Any]], sha256: str) -> float | None:
    """What this graph said, between 0 and 1, both excluded; None where it said nothing."""
    told = next((model for model in models if model["sha256"] == sha256), {})
    probability: float | None = told.get("rawProbability", told.get("probability"))
    return probability if probability is not None and 0.0 < probability < 1.0 else None

"""A tenant's own cases: what one graph said of each operation, and whether the outcome happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, RowMapping, and_, select

from cds_service.follow_up.maturity import Followed
from cds_service.follow_up.operations import Asked, PlannedOperation, planned_operations
from cds_service.records import tables
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
    """What one row of the record says: the call, the graph's figure, and the outcome where it is known."""

    call: Asked
    probability: float | None
    said: Statement | None


def scored_operations(
    engine: Engine, tenant_id: str, *, sha256: str, outcome: str, since: datetime, until: datetime
) -> tuple[Operation, ...]:
    """Every operation that this graph scored and whose outcome is known, whatever mode held, oldest first.

    An operation counts once, with what was said at the last call before it (cds_service/follow_up/operations.py). The
    probability is the model's own, before any recalibration. `since` and `until` bound the calls.
    """
    with engine.connect() as connection:
        rows = connection.execute(_statement(tenant_id, outcome, since, until)).mappings()
        said = {one.call.evaluation_id: one for one in _said(rows, sha256)}
    found = (_operation(one, said) for one in planned_operations(one.call for one in said.values()))
    return tuple(one for one in found if one is not None)


def _statement(tenant_id: str, outcome: str, since: datetime, until: datetime) -> Any:
    table, happened = tables.evaluation.c, tables.outcome.c
    of_this = and_(
        happened.tenant_id == table.tenant_id, happened.evaluation_id == table.id, happened.outcome == outcome
    )
    asked = (table.id, table.received_at, table.patient_id, table.order_reference, table.procedure_group, table.models)
    days = (happened.occurred, happened.occurred_on, happened.observed_through, happened.operated_on)
    return (
        select(*asked, *days)
        .select_from(tables.evaluation.outerjoin(tables.outcome, of_this))
        .where(table.tenant_id == tenant_id, table.status == 200)
        .where(table.received_at >= since, table.received_at < until)
        .where(table.procedure_group.is_not(None))
        .order_by(table.received_at, table.id)
        .execution_options(yield_per=500)
    )


def _said(rows: Iterable[RowMapping], sha256: str) -> Iterator[_CallSaid]:
    for row in rows:
        call = Asked(
            evaluation_id=row["id"],
            at=row["received_at"],
            procedure_group=row["procedure_group"],
            patient_id=row["patient_id"],
            order_reference=row["order_reference"],
            operated_on=row["operated_on"],
            event_on=row["occurred_on"],
        )
        probability = _own(msgspec.json.decode(row["models"]), sha256)
        known = row["occurred"] is not None
        said = Statement(**{name: row[name] for name in Statement.__struct_fields__}) if known else None
        yield _CallSaid(call, probability, said)


def _operation(of: PlannedOperation, said: dict[str, _CallSaid]) -> Operation | None:
    """None where this graph said nothing of it, or nobody has said what happened."""
    told = said[of.last_before.evaluation_id]
    known = [one for call in of.calls if (one := said[call.evaluation_id].said) is not None]
    if told.probability is None or not known:
        return None
    happened = agreed(known)
    if happened is None:
        return Operation(of.day, told.call.procedure_group, told.probability, None)
    days = (happened.occurred_on, happened.observed_through)
    return Operation(of.day, told.call.procedure_group, told.probability, happened.occurred, *days)


def _own(models: list[dict[str, Any]], sha256: str) -> float | None:
    """What this graph said, between 0 and 1, both excluded; None where it said nothing."""
    told = next((model for model in models if model["sha256"] == sha256), {})
    probability: float | None = told.get("rawProbability", told.get("probability"))
    return probability if probability is not None and 0.0 < probability < 1.0 else None

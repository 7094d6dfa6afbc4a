"""A tenant's own cases: what one graph said of each operation, and whether the outcome happened."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, and_, select

from cds_service.records import tables


class Operation(msgspec.Struct, frozen=True):
    """One operation: its day and procedure group, the model's own probability (0 to 1), and whether it happened."""

    day: date
    procedure_group: str
    probability: float
    occurred: bool


def scored_operations(
    engine: Engine, tenant_id: str, *, sha256: str, outcome: str, since: datetime, until: datetime
) -> tuple[Operation, ...]:
    """Every operation that this graph scored and whose outcome is known, whatever mode held, oldest first.

    A patient's operation of a group counts once, as it was last asked about: the same order is asked about when it
    is selected and again when it is signed. The probability is the model's own, before any recalibration.
    """
    table, happened = tables.evaluation.c, tables.outcome.c
    joined = and_(happened.tenant_id == table.tenant_id, happened.evaluation_id == table.id)
    columns = (table.id, table.received_at, table.patient_id, table.procedure_group, table.models, happened.occurred)
    statement = (
        select(*columns)
        .join(tables.outcome, joined)
        .where(table.tenant_id == tenant_id, happened.outcome == outcome)
        .where(table.received_at >= since, table.received_at < until, table.status == 200)
        .order_by(table.received_at, table.id)
        .execution_options(yield_per=500)
    )
    found: dict[tuple[str, str], Operation] = {}
    with engine.connect() as connection:
        for row in connection.execute(statement):
            probability = _own(msgspec.json.decode(row.models), sha256)
            if probability is not None:
                group = row.procedure_group or ""
                told = Operation(row.received_at.date(), group, probability, bool(row.occurred))
                found[row.patient_id or row.id, group] = told
    return tuple(found.values())


def _own(models: list[dict[str, Any]], sha256: str) -> float | None:
    """What this graph said, between 0 and 1, both excluded; None where it said nothing."""
    told = next((model for model in models if model["sha256"] == sha256), {})
    probability: float | None = told.get("rawProbability", told.get("probability"))
    return probability if probability is not None and 0.0 < probability < 1.0 else None

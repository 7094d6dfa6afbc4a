"""The answered calls of a tenant about operations, as the record has them, for whoever counts operations."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Engine, select

from cds_service.follow_up.planned_operations import Asked
from cds_service.records import tables

# What was looked at in a risk profile is no order, and may hold what came after the operation.
LOOKED_AT = "profile"


def asked_calls(
    engine: Engine, tenant_id: str, *, since: datetime | None = None, until: datetime | None = None
) -> tuple[Asked, ...]:
    """Every call of a hook that was answered about a known procedure group, with the days that outcomes give it."""
    table = tables.evaluation.c
    facts = (table.id, table.received_at, table.patient_id, table.order_reference, table.procedure_group)
    statement = (
        select(*facts)
        .where(table.tenant_id == tenant_id, table.status == 200, table.decision != LOOKED_AT)
        .where(table.procedure_group.is_not(None))
        .execution_options(yield_per=500)
    )
    if since is not None:
        statement = statement.where(table.received_at >= since)
    if until is not None:
        statement = statement.where(table.received_at < until)
    days = _days(engine, tenant_id)
    with engine.connect() as connection:
        return tuple(
            Asked(
                evaluation_id=row.id,
                at=row.received_at,
                procedure_group=row.procedure_group,
                patient_id=row.patient_id,
                order_reference=row.order_reference,
                operated_on=days.get(row.id, (None, None))[0],
                event_on=days.get(row.id, (None, None))[1],
            )
            for row in connection.execute(statement)
        )


def _days(engine: Engine, tenant_id: str) -> dict[str, tuple[date | None, date | None]]:
    """Per evaluation the day of its operation and of the first outcome of any kind, where somebody gave them."""
    table = tables.outcome.c
    statement = select(table.evaluation_id, table.operated_on, table.occurred_on).where(table.tenant_id == tenant_id)
    found: dict[str, tuple[date | None, date | None]] = {}
    with engine.connect() as connection:
        for row in connection.execute(statement):
            operated_on, event_on = found.get(row.evaluation_id, (None, None))
            events = [day for day in (event_on, row.occurred_on) if day is not None]
            found[row.evaluation_id] = (operated_on or row.operated_on, min(events, default=None))
    return found

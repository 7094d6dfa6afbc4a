"""The answered calls about one patient before an instant, with the day that each order stated for its operation."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Engine, or_, select
from sqlalchemy.exc import SQLAlchemyError

from cds_service.follow_up.planned_operations import Asked
from cds_service.records import tables
from cds_service.records.asked_calls import LOOKED_AT
from cds_service.records.database import DatabaseError

_MOST = 1000
# Silent about an operation, whichever it was: such a row has no procedure group.
_OPERATIONS = (
    "unmapped-procedure", "procedure-ambiguous", "out-of-scope", "not-elective", "required-input-missing",
)  # fmt: skip


class EarlierCalls(msgspec.Struct, frozen=True):
    """The calls with what their orders say; `whole`: whether these are all of them.

    `unknown`: when an operation was asked about of which nothing could be estimated.
    """

    asked: tuple[Asked, ...]
    planned_on: dict[str, date]
    unknown: tuple[datetime, ...] = ()
    whole: bool = True


def earlier_calls(
    engine: Engine, tenant_id: str, patient_id: str, *, since: datetime, until: datetime, zone: ZoneInfo
) -> EarlierCalls:
    """Of hooks alone, as asked_calls has them. Raises DatabaseError."""
    table, said = tables.evaluation.c, tables.outcome.c
    of_it = (said.tenant_id == table.tenant_id) & (said.evaluation_id == table.id)
    facts = (table.id, table.received_at, table.order_reference, table.procedure_group, table.result)
    statement = (
        select(*facts, said.operated_on)
        .select_from(tables.evaluation.outerjoin(tables.outcome, of_it))
        .where(table.tenant_id == tenant_id, table.patient_id == patient_id)
        .where(table.received_at >= since, table.received_at <= until)
        .where(table.status == 200, table.decision != LOOKED_AT)
        .where(or_(table.procedure_group.is_not(None), table.reason.in_(_OPERATIONS)))
        .order_by(table.received_at)
        .limit(_MOST)
    )
    asked: dict[str, Asked] = {}
    planned: dict[str, date] = {}
    try:
        with engine.connect() as connection:
            rows = connection.execute(statement).all()
    except SQLAlchemyError as error:
        raise DatabaseError("the calls about a patient cannot be read") from error
    for row in rows:
        if row.procedure_group is None:
            continue
        known = asked.get(row.id)
        asked[row.id] = Asked(
            evaluation_id=row.id,
            at=row.received_at,
            procedure_group=row.procedure_group,
            patient_id=patient_id,
            order_reference=row.order_reference,
            operated_on=row.operated_on or (known.operated_on if known else None),
        )
        if (day := _day(row.result, zone)) is not None:
            planned[row.id] = day
    unknown = tuple(row.received_at for row in rows if row.procedure_group is None)
    return EarlierCalls(tuple(asked.values()), planned, unknown, len(rows) < _MOST)


def _day(result: str | None, zone: ZoneInfo) -> date | None:
    """The hospital's day of the order's occurrence; a month or a year names none."""
    told: dict[str, Any] = {} if result is None else msgspec.json.decode(result).get("procedure", {})
    try:
        at = datetime.fromisoformat(str(told.get("occurrence") or ""))
    except ValueError:
        return None
    return (at.astimezone(zone) if at.tzinfo else at).date()

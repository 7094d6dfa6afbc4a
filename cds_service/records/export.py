"""The record for people and other programs: CSV, and FHIR AuditEvents in NDJSON (R-C09, R-F13)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TextIO

import msgspec
from sqlalchemy import Engine, RowMapping, and_, select

from cds_service.records import lookups, tables
from cds_service.records.rows import EvaluationRow
from fhir_mappings.writing.spreadsheet import harmless

_COLUMNS = tuple(name for name in tables.evaluation.c.keys() if name != "result")  # noqa: SIM118 — columns, not a dict
_FEEDBACK = ("card_uuid", "feedback_outcome", "feedback_at", "reason_code", "reason_display")


def to_csv(engine: Engine, tenant_id: str, out: TextIO, *, since: datetime) -> int:
    """One row per evaluation and feedback of its cards; returns how many. Feedback of unknown cards stands alone."""
    writer = csv.DictWriter(out, (*_COLUMNS, *_FEEDBACK), extrasaction="ignore")
    writer.writeheader()
    rows = 0
    for row in (*_evaluations(engine, tenant_id, since), *_orphans(engine, tenant_id, since)):
        writer.writerow({name: _harmless(value) for name, value in row.items()})
        rows += 1
    return rows


def evaluations(engine: Engine, tenant_id: str, *, since: datetime) -> Iterator[EvaluationRow]:
    """Every evaluation of a tenant since then, oldest first, without its cards."""
    table = tables.evaluation
    statement = (
        select(table)
        .where(table.c.tenant_id == tenant_id, table.c.received_at >= since)
        .order_by(table.c.received_at, table.c.id)
        .execution_options(yield_per=500)
    )
    with engine.connect() as connection:
        for row in connection.execute(statement).mappings():
            yield lookups.from_columns(row)


def _evaluations(engine: Engine, tenant_id: str, since: datetime) -> Iterator[RowMapping]:
    table, cards, told = tables.evaluation, tables.card, tables.feedback
    joined = table.outerjoin(cards, cards.c.evaluation_id == table.c.id).outerjoin(
        told, and_(told.c.card_uuid == cards.c.uuid, told.c.tenant_id == tenant_id)
    )
    statement = (
        select(*(table.c[name] for name in _COLUMNS), cards.c.uuid.label("card_uuid"), *_told())
        .select_from(joined)
        .where(table.c.tenant_id == tenant_id, table.c.received_at >= since)
        .order_by(table.c.received_at, table.c.id)
    )
    with engine.connect() as connection:
        yield from connection.execute(statement).mappings()


def _orphans(engine: Engine, tenant_id: str, since: datetime) -> Iterator[RowMapping]:
    cards, told = tables.card, tables.feedback
    own = and_(cards.c.uuid == told.c.card_uuid, cards.c.tenant_id == tenant_id)
    statement = (
        select(told.c.tenant_id, told.c.card_uuid, *_told())
        .select_from(told.outerjoin(cards, own))
        .where(told.c.tenant_id == tenant_id, told.c.received_at >= since, cards.c.uuid.is_(None))
        .order_by(told.c.received_at, told.c.id)
    )
    with engine.connect() as connection:
        yield from connection.execute(statement).mappings()


def _told() -> tuple[Any, ...]:
    told = tables.feedback.c
    renamed = (told.outcome.label("feedback_outcome"), told.outcome_at.label("feedback_at"))
    return (*renamed, told.reason_code, told.reason_display)


def _harmless(value: object) -> object:
    """As a cell that no spreadsheet runs."""
    if isinstance(value, str):
        return harmless(value)
    return value.isoformat() if isinstance(value, datetime) else value


def ndjson(resources: Iterator[dict[str, Any]], out: TextIO) -> int:
    """One resource per line; returns how many."""
    count = 0
    for resource in resources:
        out.write(msgspec.json.encode(resource).decode() + "\n")
        count += 1
    return count

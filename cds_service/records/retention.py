"""Nothing is kept longer than its tenant says: evaluations are deleted, clinicians' free text is redacted (R-E13)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, delete, insert, or_, select, union, update
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import tables
from cds_service.records.database import DatabaseError
from cds_service.records.during_cases import purge_cases
from cds_service.records.during_tables import during_case
from cds_service.records.rows import AdministrationEvent

# The revision that made the tables of cases.
_CASES_SINCE = "0009"


def tenants_kept(engine: Engine) -> tuple[str, ...]:
    """Every tenant of whom there are evaluations, feedback or cases, whether or not it still has a file."""
    try:
        with engine.connect() as connection:
            every = (tables.evaluation, tables.feedback, *((during_case,) if _has_cases(connection) else ()))
            kept = union(*(select(table.c.tenant_id) for table in every))
            return tuple(sorted(connection.execute(kept).scalars()))
    except SQLAlchemyError as error:
        raise DatabaseError("the record cannot be read; migrate it first") from error


def _has_cases(connection: Connection) -> bool:
    """Whether the schema has the tables of cases; this version also works on those before (SERVES_FROM)."""
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()) >= _CASES_SINCE


class Purged(msgspec.Struct, frozen=True):
    """How many rows a run of the retention job touched."""

    evaluations: int
    feedback: int
    comments: int
    cases: int = 0

    def __str__(self) -> str:
        deleted = f"{self.evaluations} evaluations and {self.feedback} feedback items deleted"
        cases = f", {self.cases} cases of operations deleted" if self.cases else ""
        return f"{deleted}, {self.comments} comments redacted{cases}"


def purge(
    engine: Engine, tenant_id: str, *, evaluation_days: int, comment_days: int, case_days: int, now: datetime
) -> Purged:
    """Delete one tenant's evaluations with their outcomes, feedback and cases, and redact free text, after its days.

    A case goes `case_days` after the last that came of it, and never stays longer than an evaluation.

    What was deleted is an event of the record, written with it. Raises DatabaseError where nothing could be done.
    """
    oldest, oldest_comment = now - timedelta(days=evaluation_days), now - timedelta(days=comment_days)
    try:
        with engine.begin() as connection:
            evaluations = _delete_evaluations(connection, tenant_id, oldest)
            feedback = _delete_feedback(connection, tenant_id, oldest)
            comments = _redact(connection, tenant_id, oldest_comment, now)
            last = now - timedelta(days=min(case_days, evaluation_days))
            cases = purge_cases(connection, tenant_id, last) if _has_cases(connection) else 0
            purged = Purged(evaluations, feedback, comments, cases)
            if purged != Purged(0, 0, 0):
                connection.execute(insert(tables.administration).values(_event(tenant_id, purged, now)))
    except SQLAlchemyError as error:
        raise DatabaseError("nothing could be deleted") from error
    return purged


def _delete_evaluations(connection: Connection, tenant_id: str, oldest: datetime) -> int:
    table, outcomes = tables.evaluation.c, tables.outcome.c
    is_old = (table.tenant_id == tenant_id, table.received_at < oldest)
    of_old = outcomes.evaluation_id.in_(select(table.id).where(*is_old))
    connection.execute(delete(tables.outcome).where(outcomes.tenant_id == tenant_id, of_old))
    # A record in months has no foreign keys (months.py).
    late = oldest + timedelta(days=1)  # what a node of the version before wrote, the database dated
    cards = (tables.card.c.received_at < late, tables.card.c.evaluation_id.in_(select(table.id).where(*is_old)))
    suggestions = tables.suggestion.c
    of_old = suggestions.card_uuid.in_(select(tables.card.c.uuid).where(*cards))
    connection.execute(delete(tables.suggestion).where(suggestions.received_at < late, of_old))
    connection.execute(delete(tables.card).where(*cards))
    return connection.execute(delete(tables.evaluation).where(*is_old)).rowcount


def _delete_feedback(connection: Connection, tenant_id: str, oldest: datetime) -> int:
    table = tables.feedback.c
    return connection.execute(
        delete(tables.feedback).where(table.tenant_id == tenant_id, table.received_at < oldest)
    ).rowcount


def _redact(connection: Connection, tenant_id: str, oldest: datetime, now: datetime) -> int:
    table = tables.feedback.c
    has_words = or_(table.comment.is_not(None), table.reason_display.is_not(None))
    is_old = (table.tenant_id == tenant_id, table.received_at < oldest, has_words)
    values = {"comment": None, "reason_display": None, "comment_redacted_at": now}
    return connection.execute(update(tables.feedback).where(*is_old).values(**values)).rowcount


def _event(tenant_id: str, purged: Purged, now: datetime) -> dict[str, Any]:
    event = AdministrationEvent(
        happened_at=now,
        action="purge",
        tenant_id=tenant_id,
        scope=f"tenant={tenant_id}",
        value="purged",
        done_by="cds-service record purge",
        reason=f"retention: {purged}",
    )
    return msgspec.structs.asdict(event)

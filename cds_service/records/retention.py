"""Nothing is kept longer than its tenant says: evaluations are deleted, clinicians' free text is redacted (R-E13)."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Engine, delete, select, update

from cds_service.records import tables


class Purged(msgspec.Struct, frozen=True):
    """How many rows a run of the retention job touched."""

    evaluations: int
    feedback: int
    comments: int


def purge(engine: Engine, tenant_id: str, *, evaluation_days: int, comment_days: int, now: datetime) -> Purged:
    """Delete one tenant's evaluations with their outcomes, and feedback, and redact free text, each after its days."""
    oldest, oldest_comment = now - timedelta(days=evaluation_days), now - timedelta(days=comment_days)
    evaluations, feedback, outcomes = tables.evaluation.c, tables.feedback.c, tables.outcome.c
    with engine.begin() as connection:
        old = select(evaluations.id).where(evaluations.tenant_id == tenant_id, evaluations.received_at < oldest)
        connection.execute(
            delete(tables.outcome).where(outcomes.tenant_id == tenant_id, outcomes.evaluation_id.in_(old))
        )
        deleted = connection.execute(
            delete(tables.evaluation).where(evaluations.tenant_id == tenant_id, evaluations.received_at < oldest)
        ).rowcount
        forgotten = connection.execute(
            delete(tables.feedback).where(feedback.tenant_id == tenant_id, feedback.received_at < oldest)
        ).rowcount
        redacted = connection.execute(
            update(tables.feedback)
            .where(
                feedback.tenant_id == tenant_id,
                feedback.received_at < oldest_comment,
                feedback.comment.is_not(None),
            )
            .values(comment=None, comment_redacted_at=now)
        ).rowcount
    return Purged(deleted, forgotten, redacted)

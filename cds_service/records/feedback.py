"""Feedback, kept before it is acknowledged: each item once, joined to card and suggestion only within its tenant."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import tables
from cds_service.records.database import DatabaseError
from cds_service.records.rows import FeedbackItem
from fhir_mappings.orders.unmapped_orders import NOT_TOLD, ordered_code

COMMENT_CHARACTERS = 1_000
# The code of a reason that came in words.
IN_WORDS = "in-words"
_ONCE = {
    "sqlite": sqlite.insert(tables.feedback).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(tables.feedback).on_conflict_do_nothing(),
}


class Sender(msgspec.Struct, frozen=True):
    """Who sent the feedback: it belongs to this tenant, whatever card it names (DEC-11, R-G14)."""

    tenant_id: str
    issuer: str | None
    service_id: str


def store(engine: Engine, items: Sequence[FeedbackItem], sender: Sender, *, received_at: datetime) -> int:
    """Commit the items; returns how many were new. The same item again changes nothing (K-06).

    Raises DatabaseError if nothing was committed: the caller must then not say that it was.
    """
    try:
        with engine.begin() as connection:
            return sum(_store_one(connection, item, sender, received_at) for item in items)
    except SQLAlchemyError as error:
        raise DatabaseError("feedback could not be stored") from error


def _store_one(connection: Connection, item: FeedbackItem, sender: Sender, received_at: datetime) -> bool:
    statement = _ONCE[connection.dialect.name].returning(tables.feedback.c.id)
    row_id = connection.execute(statement, _columns(item, sender, received_at)).scalar()
    if row_id is None:
        return False
    if item.accepted_suggestions:
        accepted = [
            {"feedback_id": row_id, "suggestion_uuid": each} for each in dict.fromkeys(item.accepted_suggestions)
        ]
        connection.execute(insert(tables.accepted_suggestion), accepted)
    return True


def _columns(item: FeedbackItem, sender: Sender, received_at: datetime) -> dict[str, Any]:
    return {
        "tenant_id": sender.tenant_id,
        "digest": hashlib.sha256(msgspec.json.encode((sender.service_id, item), order="sorted")).hexdigest(),
        "received_at": received_at,
        "issuer": sender.issuer,
        "service_id": sender.service_id,
        "card_uuid": _clean(item.card, 128),
        "outcome": item.outcome,
        "outcome_at": item.outcome_at,
        **_reason(item),
        "comment": _clean(item.comment, COMMENT_CHARACTERS),
    }


def _reason(item: FeedbackItem) -> dict[str, str | None]:
    """Code and system in the alphabet of codes, which stay; words stand in the display alone, which is redacted."""
    told = ordered_code(item.reason_system, item.reason_code)
    in_words = told.code == NOT_TOLD
    return {
        "reason_code": None if item.reason_code is None else IN_WORDS if in_words else told.code or None,
        "reason_system": None if item.reason_system is None else told.system,
        "reason_display": _clean(item.reason_display or (item.reason_code if in_words else None), 256),
    }


def _clean(text: str | None, characters: int) -> str | None:
    return None if text is None else text.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:characters]

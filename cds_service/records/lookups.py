"""What is read back from the record: one evaluation by its id, and which card was shown before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, Select, bindparam, select

from cds_service.records import tables
from cds_service.records.at_driver import AtDriver
from cds_service.records.rows import CardRow, EvaluationRow, SuggestionRow
from cds_service.trust import time_ordered_id

# A node of the version before leaves the instant of a card to the database, whose clock may be another.
_SKEW = timedelta(days=1)


def evaluation(engine: Engine, evaluation_id: str) -> EvaluationRow | None:
    """One evaluation with its cards; None if there is none of this id."""
    drawn = time_ordered_id.instant(evaluation_id)
    found = None if drawn is None else _evaluation(engine, evaluation_id, (drawn - _SKEW, drawn + _SKEW))
    return found or _evaluation(engine, evaluation_id, None)


def _evaluation(engine: Engine, evaluation_id: str, between: tuple[datetime, datetime] | None) -> EvaluationRow | None:
    """`between`: where a record in months looks; None: in all of them."""
    evaluations = tables.evaluation.c
    statement = select(tables.evaluation).where(evaluations.id == evaluation_id)
    if between is not None:
        statement = statement.where(evaluations.received_at.between(*between))
    with engine.connect() as connection:
        row = connection.execute(statement).mappings().first()
        if row is None:
            return None
        cards = tables.card.c
        own = (cards.evaluation_id == evaluation_id, cards.received_at >= row["received_at"] - _SKEW)
        found = connection.execute(select(tables.card).where(*own)).mappings().all()
        of = {card["uuid"]: _suggestions(connection, card) for card in found}
    return from_columns(row, tuple(_card(card, of[card["uuid"]]) for card in found))


def _suggestions(connection: Connection, card: RowMapping) -> tuple[SuggestionRow, ...]:
    table = tables.suggestion.c
    own = (table.card_uuid == card["uuid"], table.received_at >= card["received_at"] - _SKEW)
    return tuple(SuggestionRow(*pair) for pair in connection.execute(select(table.uuid, table.rule).where(*own)))


def from_columns(row: RowMapping, cards: tuple[CardRow, ...] = ()) -> EvaluationRow:
    """The evaluation of a database row."""
    members: dict[str, Any] = dict(row)
    for name in ("models", "inputs"):
        members[name] = tuple(msgspec.json.decode(members[name]))
    members["unmapped"] = tuple(tuple(pair) for pair in msgspec.json.decode(members["unmapped"] or "[]"))
    members["milliseconds"] = msgspec.json.decode(members["milliseconds"])
    members["result"] = None if members["result"] is None else msgspec.json.decode(members["result"])
    return EvaluationRow(**members, cards=cards)


def last_shown(engine: Engine, tenant_id: str, dedupe_key: str, *, since: datetime) -> str | None:
    """The uuid of the latest card of this key that was shown to this tenant since then."""
    with engine.connect() as connection:
        found: str | None = connection.execute(
            _LAST_SHOWN, {"tenant": tenant_id, "key": dedupe_key, "since": since, "cards_since": since - _SKEW}
        ).scalar()
    return found


def is_answered(statement: AtDriver, tenant_id: str, card_uuid: str) -> bool:
    """Whether this tenant told what became of the card. Raises DatabaseError."""
    return statement.first(tenant=tenant_id, card=card_uuid) is not None


def answers(engine: Engine) -> AtDriver:
    """The statement of `is_answered` on this database."""
    return AtDriver(engine, _ANSWER, failed="cards answered before could not be read")


def _of_key() -> Select[str]:
    evaluations, cards = tables.evaluation.c, tables.card.c
    return (
        select(cards.uuid)
        .join(tables.evaluation, evaluations.id == cards.evaluation_id)
        .where(
            evaluations.tenant_id == bindparam("tenant"),
            evaluations.dedupe_key == bindparam("key"),
            evaluations.received_at >= bindparam("since"),
            cards.shown,
            cards.received_at >= bindparam("cards_since"),
        )
        .order_by(evaluations.received_at.desc())
        .limit(1)
    )


# Asked for every card, so made once: a statement takes three times as long to make as to execute.
_LAST_SHOWN = _of_key()
_ANSWER = (
    select(tables.feedback.c.id)
    .where(
        tables.feedback.c.tenant_id == bindparam("tenant"),
        tables.feedback.c.card_uuid == bindparam("card"),
    )
    .limit(1)
)


def _card(row: RowMapping, suggestions: tuple[SuggestionRow, ...]) -> CardRow:
    return CardRow(
        uuid=row["uuid"], indicator=row["indicator"], topic=row["topic"], shown=row["shown"], suggestions=suggestions
    )

"""What is read back from the record: one evaluation by its id, and which card was shown before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, RowMapping, Select, bindparam, select

from cds_service.records import tables
from cds_service.records.rows import CardRow, EvaluationRow, SuggestionRow


def evaluation(engine: Engine, evaluation_id: str) -> EvaluationRow | None:
    """One evaluation with its cards; None if there is none of this id."""
    with engine.connect() as connection:
        row = (
            connection.execute(select(tables.evaluation).where(tables.evaluation.c.id == evaluation_id))
            .mappings()
            .first()
        )
        if row is None:
            return None
        cards = tables.card.c
        found = connection.execute(select(tables.card).where(cards.evaluation_id == evaluation_id)).mappings().all()
        suggestions = tables.suggestion.c
        of = {
            card["uuid"]: tuple(
                SuggestionRow(*pair)
                for pair in connection.execute(
                    select(suggestions.uuid, suggestions.rule).where(suggestions.card_uuid == card["uuid"])
                )
            )
            for card in found
        }
    return from_columns(row, tuple(_card(card, of[card["uuid"]]) for card in found))


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
            _LAST_SHOWN, {"tenant": tenant_id, "key": dedupe_key, "since": since}
        ).scalar()
    return found


def is_answered(engine: Engine, tenant_id: str, card_uuid: str) -> bool:
    """Whether this tenant told what became of the card."""
    with engine.connect() as connection:
        return connection.execute(_ANSWER, {"tenant": tenant_id, "card": card_uuid}).first() is not None


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

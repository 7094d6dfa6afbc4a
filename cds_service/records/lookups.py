"""What is read back from the record: one evaluation by its id, and whether the same card was shown before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, RowMapping, select

from cds_service.records import tables
from cds_service.records.rows import CardRow, EvaluationRow, Shown, SuggestionRow


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


def last_shown(engine: Engine, tenant_id: str, dedupe_key: str, *, since: datetime) -> Shown | None:
    """The latest card of this key shown to this tenant since then, with the suggestions still open (R-B09).

    Open is what nobody accepted, of a card that nobody overrode.
    """
    evaluations, cards = tables.evaluation.c, tables.card.c
    latest = (
        select(cards.uuid, evaluations.received_at, evaluations.hook)
        .join(tables.evaluation, evaluations.id == cards.evaluation_id)
        .where(
            evaluations.tenant_id == tenant_id,
            evaluations.dedupe_key == dedupe_key,
            evaluations.received_at >= since,
            cards.shown,
        )
        .order_by(evaluations.received_at.desc())
        .limit(1)
    )
    suggestions, accepted, told = tables.suggestion.c, tables.accepted_suggestion.c, tables.feedback.c
    accepted_by_tenant = (
        select(accepted.suggestion_uuid)
        .join(tables.feedback, told.id == accepted.feedback_id)
        .where(told.tenant_id == tenant_id)
    )
    overridden = select(told.card_uuid).where(told.tenant_id == tenant_id, told.outcome == "overridden")
    with engine.connect() as connection:
        card = connection.execute(latest).first()
        if card is None:
            return None
        still_open = connection.execute(
            select(suggestions.rule)
            .where(
                suggestions.card_uuid == card.uuid,
                suggestions.uuid.not_in(accepted_by_tenant),
                suggestions.card_uuid.not_in(overridden),
            )
            .order_by(suggestions.rule)
        )
        return Shown(card.uuid, card.received_at, card.hook, tuple(rule for (rule,) in still_open))


def _card(row: RowMapping, suggestions: tuple[SuggestionRow, ...]) -> CardRow:
    return CardRow(
        uuid=row["uuid"], indicator=row["indicator"], topic=row["topic"], shown=row["shown"], suggestions=suggestions
    )

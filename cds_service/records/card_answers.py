"""What became of each card: whether it was shown and answered, why it was dismissed, which suggestions were taken."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Engine, and_, select

from cds_service.records import tables


class CardAnswer(Struct, frozen=True, kw_only=True):
    """One card, by its latest feedback. `outcome`: None where nobody answered; `offered`: the rules of its options."""

    evaluation_id: str
    at: datetime
    shown: bool
    outcome: str | None
    reason: str | None
    offered: tuple[str, ...]
    taken: tuple[str, ...]


def card_answers(engine: Engine, tenant_id: str, *, since: datetime) -> tuple[CardAnswer, ...]:
    """Every card since then, oldest first."""
    card, said = tables.card.c, tables.feedback.c
    own = and_(said.card_uuid == card.uuid, said.tenant_id == tenant_id)
    facts = (card.uuid, card.evaluation_id, card.received_at, card.shown, said.outcome, said.reason_code, said.id)
    statement = (
        select(*facts)
        .select_from(tables.card.outerjoin(tables.feedback, own))
        .where(card.tenant_id == tenant_id, card.received_at >= since)
        .order_by(card.received_at, card.uuid, said.outcome_at, said.id)
    )
    offered, taken = _suggestions(engine, tenant_id, since)
    found: dict[str, CardAnswer] = {}
    with engine.connect() as connection:
        for uuid, evaluation_id, at, shown, outcome, reason, feedback_id in connection.execute(statement):
            found[uuid] = CardAnswer(
                evaluation_id=evaluation_id,
                at=at,
                shown=shown,
                outcome=outcome,
                reason=reason,
                offered=tuple(offered[uuid].values()),
                taken=tuple(offered[uuid][one] for one in taken[feedback_id] if one in offered[uuid]),
            )
    return tuple(found.values())


def _suggestions(
    engine: Engine, tenant_id: str, since: datetime
) -> tuple[defaultdict[str, dict[str, str]], defaultdict[int | None, list[str]]]:
    """By card its options (uuid to rule), and by feedback the options that were taken."""
    option, card, taken = tables.suggestion.c, tables.card.c, tables.accepted_suggestion.c
    of_cards = (
        select(option.card_uuid, option.uuid, option.rule)
        .join(tables.card, card.uuid == option.card_uuid)
        .where(card.tenant_id == tenant_id, card.received_at >= since)
    )
    of_feedback = (
        select(taken.feedback_id, taken.suggestion_uuid)
        .join(tables.feedback, tables.feedback.c.id == taken.feedback_id)
        .where(tables.feedback.c.tenant_id == tenant_id)
    )
    offered: defaultdict[str, dict[str, str]] = defaultdict(dict)
    accepted: defaultdict[int | None, list[str]] = defaultdict(list)
    with engine.connect() as connection:
        for card_uuid, uuid, rule in connection.execute(of_cards):
            offered[card_uuid][uuid] = rule
        for feedback_id, uuid in connection.execute(of_feedback):
            accepted[feedback_id].append(uuid)
    return offered, accepted

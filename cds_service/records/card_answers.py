"""What became of each card: whether it was shown and answered, why it was dismissed, which suggestions were taken."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Engine, Select, and_, select

from cds_service.records import tables

# A node of the version before leaves the instant of a card to the database, whose clock may be another.
_SKEW = timedelta(days=1)


class CardAnswer(Struct, frozen=True, kw_only=True):
    """One card, by its latest feedback. `outcome`: None where nobody answered; `offered`: the rules of its options."""

    evaluation_id: str
    at: datetime
    shown: bool
    outcome: str | None
    reason: str | None
    offered: tuple[str, ...]
    taken: tuple[str, ...]


def card_answers(engine: Engine, tenant_id: str, *, since: datetime, until: datetime) -> tuple[CardAnswer, ...]:
    """Every card of the calls of that time, oldest first."""
    card, said = tables.card.c, tables.feedback.c
    own = and_(said.card_uuid == card.uuid, said.tenant_id == tenant_id)
    facts = (card.uuid, card.evaluation_id, card.received_at, card.shown, said.outcome, said.reason_code, said.id)
    statement = (
        _of_calls(select(*facts), tenant_id, since, until)
        .outerjoin(tables.feedback, own)
        .order_by(card.received_at, card.uuid, said.outcome_at, said.id)
    )
    found: dict[str, CardAnswer] = {}
    with engine.connect() as connection:
        offered, taken = _suggestions(connection, tenant_id, since, until)
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


def _of_calls(of: Select[Any], tenant_id: str, since: datetime, until: datetime) -> Select[Any]:
    """What is selected of cards, of the calls in that time alone: found by their index, in the months about them."""
    call, card = tables.evaluation.c, tables.card.c
    calls = select(call.id).where(call.tenant_id == tenant_id, call.received_at >= since, call.received_at < until)
    near = (card.received_at >= since - _SKEW, card.received_at < until + _SKEW)
    return of.select_from(tables.card).where(card.evaluation_id.in_(calls), *near)


def _suggestions(
    connection: Connection, tenant_id: str, since: datetime, until: datetime
) -> tuple[defaultdict[str, dict[str, str]], defaultdict[int | None, list[str]]]:
    """By card its options (uuid to rule), and by feedback the options that were taken."""
    option, card, taken, said = tables.suggestion.c, tables.card.c, tables.accepted_suggestion.c, tables.feedback.c
    of_cards = _of_calls(select(option.card_uuid, option.uuid, option.rule), tenant_id, since, until).join(
        tables.suggestion, option.card_uuid == card.uuid
    )
    cards = _of_calls(select(card.uuid), tenant_id, since, until)
    of_feedback = (
        select(taken.feedback_id, taken.suggestion_uuid)
        .join(tables.feedback, taken.feedback_id == said.id)
        .where(said.tenant_id == tenant_id, said.card_uuid.in_(cards))
    )
    offered: defaultdict[str, dict[str, str]] = defaultdict(dict)
    accepted: defaultdict[int | None, list[str]] = defaultdict(list)
    for card_uuid, uuid, rule in connection.execute(of_cards):
        offered[card_uuid][uuid] = rule
    for feedback_id, uuid in connection.execute(of_feedback):
        accepted[feedback_id].append(uuid)
    return offered, accepted

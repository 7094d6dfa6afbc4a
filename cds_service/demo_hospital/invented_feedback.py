"""What the invented surgeons do with a card: accept an option, dismiss it with a reason, or say nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec

from cds_service.demo_hospital.invented_people import SEED, InventedPerson
from cds_service.records.rows import FeedbackItem

_ACCEPTED, _DISMISSED = 0.30, 0.80  # up to here; the rest says nothing


class _Cards(msgspec.Struct):
    cards: list[dict[str, Any]] = []


def items(person: InventedPerson, at: datetime, response: bytes) -> tuple[FeedbackItem, ...]:
    """The feedback on the first card of a response; none where there is no card."""
    cards = msgspec.json.decode(response, type=_Cards).cards
    if not cards:
        return ()
    draw = Random(f"{SEED}-{person.number}-{at.isoformat()}")  # noqa: S311 — the same again
    said, card = draw.random(), cards[0]
    when = at + timedelta(seconds=draw.randint(4, 90))
    if said < _ACCEPTED and card.get("suggestions"):
        taken = draw.choice(card["suggestions"])["uuid"]
        return (FeedbackItem(card=card["uuid"], outcome="accepted", outcome_at=when, accepted_suggestions=(taken,)),)
    if said < _DISMISSED:
        reasons = card.get("overrideReasons") or [{}]
        reason = draw.choice(reasons)
        return (
            FeedbackItem(
                card=card["uuid"],
                outcome="overridden",
                outcome_at=when,
                reason_code=reason.get("code"),
                reason_system=reason.get("system"),
                reason_display=reason.get("display"),
            ),
        )
    return ()

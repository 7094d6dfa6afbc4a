"""What a newer statement about an outcome does to the one on record: time goes on, or somebody was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

import msgspec

Change = Literal["new", "unchanged", "later", "correction"]


class Statement(msgspec.Struct, frozen=True):
    """What is said of one outcome of one evaluation, as `OutcomeRow` has it."""

    occurred: bool
    occurred_on: date | None = None
    observed_through: date | None = None
    operated_on: date | None = None


def change(before: Statement | None, now: Statement) -> Change:
    """What `now` is beside what was said before.

    `later`: both are true, the newer one knows more: followed for longer, a day that was not given, or an outcome that
    came after the last day followed. `correction`: both cannot be true. A file that knows less changes nothing.
    """
    if before is None:
        return "new"
    if before.occurred == now.occurred:
        if _differ(before.occurred_on, now.occurred_on) or _differ(before.operated_on, now.operated_on):
            return "correction"
        return "unchanged" if together(before, now) == before else "later"
    if _differ(before.operated_on, now.operated_on):
        return "correction"
    happened, not_yet = (now, before) if now.occurred else (before, now)
    follows = (
        happened.occurred_on is not None
        and not_yet.observed_through is not None
        and happened.occurred_on > not_yet.observed_through
    )
    if not follows:
        return "correction"
    return "later" if now.occurred else "unchanged"


def together(before: Statement, now: Statement) -> Statement:
    """What both say, where `now` is no correction."""
    if before.occurred and not now.occurred:
        return before
    return Statement(
        now.occurred,
        now.occurred_on or (before.occurred_on if before.occurred else None),
        max((day for day in (before.observed_through, now.observed_through) if day is not None), default=None),
        now.operated_on or before.operated_on,
    )


def agreed(said: Sequence[Statement]) -> Statement | None:
    """What several statements about one outcome say together; None where two of them contradict each other.

    The order in which they were made is not told by them, so each is taken as the newer one.
    """
    found = said[0]
    for one in said[1:]:
        if "correction" in (change(found, one), change(one, found)):
            return None
        happened = one if one.occurred else found
        other = found if one.occurred else one
        found = together(other, happened)
    return found


def _differ(before: date | None, now: date | None) -> bool:
    return before is not None and now is not None and before != now

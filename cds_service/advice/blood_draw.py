"""One row per blood draw: blood tests that hold at once are one option, each with its reason and its own order."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.advice.options import Option, Ranked
from fhir_mappings.orders.order_catalogue import ORDERABLES

ID = "blood-tests"  # no row has it
MOST = 4  # of one row, so that it can be read; the others are counted among those that are not shown


def is_from_blood(order: str | None) -> bool:
    """Whether what can be drafted is a test of blood."""
    return order is not None and ORDERABLES[order].blood


def gathered(ranked: Sequence[Option | Ranked]) -> list[tuple[Option | Ranked, ...]]:
    """The options in their order, the first tests of one draw together at the place of the first of them."""
    drawn = tuple(one for one in ranked if is_from_blood(one.order))[:MOST]
    others = ((drawn if one is drawn[0] else ()) if is_from_blood(one.order) else (one,) for one in ranked)
    return [group for group in others if group]


def places(options: Sequence[Option]) -> dict[str, int]:
    """By id, which place an option has where those from one draw are one; a test too many has none."""
    return {one.id: place for place, group in enumerate(gathered(options)) for one in group if isinstance(one, Option)}


def named(option: Option) -> str:
    """The test without what stands in brackets behind it."""
    return option.consider.partition(" (")[0]


def shorter(option: Option) -> Option | None:
    """The option without the last of its tests; None where it is one thing."""
    return together(option.parts[:-1]) if len(option.parts) > 1 else None


def together(members: Sequence[Option]) -> Option:
    """The members as one option; a single one is itself. Their evidence stands in the order that each drafts."""
    if len(members) == 1:
        return members[0]
    return Option(
        id=ID,
        consider="these blood tests",
        reason=", ".join(f"{named(one)} ({one.reason})" for one in members),
        caution=" ".join(dict.fromkeys(one.caution for one in members if one.caution)),
        unchecked=any(one.unchecked for one in members),
        could_change_estimate=all(one.could_change_estimate for one in members),
        weight=members[0].weight,
        parts=tuple(members),
    )

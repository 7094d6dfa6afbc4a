"""How the EHRs differ in what they show of a card: one row each (docs/integration.md).

Where a vendor says nothing, the row is the careful choice, and the site is asked before go-live.
"""

from __future__ import annotations

import re

import msgspec

from cds_service.hooks.card import Card, Suggestion

# Epic creates orders from codes of its preference lists only, and ignores their details.
EPIC_PREFERENCE_LIST = "urn:com.epic.cdshooks.action.code.system.preference-list-item"


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What one EHR takes.

    `detail_limit`: characters of detail that its panel can show. `suggestions`: whether it has buttons at all.
    `order_systems`: the code systems of which it creates orders; empty: any. `app_context`: whether a SMART link may
    carry one. `override_reasons`: whether it offers them (CDS Hooks 2.0 and later). `several_actions`: whether one
    button may draft more than one order.
    """

    name: str
    markdown: bool = True
    detail_limit: int = 1200
    suggestions: bool = True
    order_systems: frozenset[str] = frozenset()
    smart_links: bool = True
    app_context: bool = True
    override_reasons: bool = True
    several_actions: bool = True


DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect(name="generic"),
        # https://fhir.epic.com/Documentation?docId=cds-hooks: one action per suggestion.
        Dialect(name="epic", order_systems=frozenset({EPIC_PREFERENCE_LIST}), several_actions=False),
        # CDS Hooks 1.0 in a panel of about 1/8 of the screen; no statement on suggestions, no appContext. The 800
        # characters are a decision: headline, other risks in one line, what is missing, one option, limits.
        Dialect(name="oracle", detail_limit=800, suggestions=False, app_context=False, override_reasons=False),
        # No public statement: plain text reads the same with or without a markdown renderer.
        Dialect(name="meditech", markdown=False, several_actions=False),
        Dialect(name="sandbox"),
        Dialect(name="inferno"),
    )
}


def adapt(card: Card, dialect: Dialect) -> Card:
    """The card as this EHR can show it: nothing that it would drop without a word."""
    suggestions = tuple(s for s in card.suggestions if _can_be_done(s, dialect)) if dialect.suggestions else ()
    links = tuple(
        msgspec.structs.replace(link, app_context=link.app_context if dialect.app_context else None)
        for link in card.links
        if link.type == "absolute" or dialect.smart_links
    )
    return msgspec.structs.replace(
        card,
        detail=card.detail if dialect.markdown or card.detail is None else plain(card.detail),
        suggestions=suggestions,
        selection_behavior="any" if suggestions else None,
        links=links,
        override_reasons=card.override_reasons if dialect.override_reasons else (),
    )


def can_order(system: str, dialect: Dialect) -> bool:
    """Whether this EHR creates an order from a code of this system."""
    return dialect.suggestions and (not dialect.order_systems or system in dialect.order_systems)


def _can_be_done(suggestion: Suggestion, dialect: Dialect) -> bool:
    return all(
        can_order(coding["system"], dialect)
        for action in suggestion.actions
        if action.resource is not None and action.resource["resourceType"] == "ServiceRequest"
        for coding in action.resource["code"]["coding"]
    )


def plain(markdown: str) -> str:
    """The text without its markdown: as a client shows it that has no renderer."""
    return re.sub(r"\*\*(.+?)\*\*", r"\1", markdown)

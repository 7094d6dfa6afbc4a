"""Card, Suggestion, Action, Link and Source as CDS Hooks 2.0.1 has them; members without a value are left out."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class CardCoding(msgspec.Struct, frozen=True, omit_defaults=True):
    """A code of a code system; an override reason needs its display too."""

    code: str
    system: str
    display: str | None = None


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whose card it is; `topic.code` is the same for every card of its kind, as Epic ties memory to it."""

    label: str
    url: str | None = None
    icon: str | None = None
    topic: CardCoding | None = None


class Action(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One create, update or delete; `resource` is a whole FHIR resource."""

    type: Literal["create", "update", "delete"]
    description: str
    resource: dict[str, Any] | None = None
    resource_id: str | None = None


class Suggestion(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """An option that the clinician may accept."""

    label: str
    uuid: str
    is_recommended: bool | None = None
    actions: tuple[Action, ...] = ()


class Link(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A page or app; `app_context` only with type smart, and never with patient data."""

    label: str
    url: str
    type: Literal["absolute", "smart"]
    app_context: str | None = None


class Card(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", kw_only=True):
    """One card; `summary` is one sentence of fewer than 140 characters, `detail` GitHub Flavored Markdown."""

    uuid: str
    summary: str
    indicator: Literal["info", "warning", "critical"]
    source: Source
    detail: str | None = None
    suggestions: tuple[Suggestion, ...] = ()
    selection_behavior: Literal["at-most-one", "any"] | None = None
    override_reasons: tuple[CardCoding, ...] = ()
    links: tuple[Link, ...] = ()
    extension: dict[str, Any] | None = None


class CardsResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of a 200: `cards` is always there, empty where there is nothing to say.

    `systemActions` is empty or not there: this service takes none (DEC-09).
    """

    cards: tuple[Card, ...]
    extension: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    systemActions: tuple[()] | msgspec.UnsetType = msgspec.UNSET


_encoder = msgspec.json.Encoder()


def encode(response: CardsResponse) -> bytes:
    """The response as JSON."""
    return _encoder.encode(response)

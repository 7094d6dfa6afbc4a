"""Options with a button: a draft for each order that they name, for the clinician to accept or leave (R-C02, R-C03)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import msgspec

from cds_service.advice import blood_draw
from cds_service.advice.options import Option
from cds_service.cards import dialects
from cds_service.cards.dialects import Dialect
from cds_service.hooks.card import Action, Card, Suggestion
from cds_service.hooks.context import InsteadOf
from fhir_mappings.orders.draft_orders import REASON, DraftOrder, Intent, OrderCode, service_request
from fhir_mappings.orders.order_catalogue import ORDERABLES, site_code
from fhir_mappings.orders.order_codes import OrderCodes

# https://hl7.org/fhir/R4/references.html#literal, with the wider ids that some EHRs use.
_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9._-]{1,128}", re.ASCII)

# The one suggestion that comes from no row: saving the estimate itself (chart.py).
SAVE = "save-to-chart"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """For whom and by whom is being ordered, and about which order.

    `instead_of`: it stands in the chart, and why none of those being written can be spoken of.
    """

    patient_id: str
    user_id: str
    encounter_id: str | None = None
    order: str | None = None
    instead_of: InsteadOf | None = None

    @property
    def in_chart(self) -> bool:
        """Whether the order is none of those being written."""
        return self.instead_of is not None


class Ordering(msgspec.Struct, frozen=True, kw_only=True):
    """How this site orders: its codes, the intent it expects of drafts, and what its EHR takes."""

    codes: OrderCodes
    dialect: Dialect
    intent: Intent = "proposal"


def with_button(option: Option, ordering: Ordering) -> bool:
    """Whether the site can order all that the option names; else it is text only."""
    return all(_code(one, ordering) is not None for one in option.parts or (option,))


def _code(option: Option, ordering: Ordering) -> OrderCode | None:
    code = site_code(option.order, ordering.codes) if option.order is not None else None
    return code if code is not None and dialects.can_order(code.system, ordering.dialect) else None


def as_ordered(options: Sequence[Option], ordering: Ordering) -> list[Option]:
    """The options as this site can order them: of a blood draw what it has codes for, each alone for some EHRs."""
    found = []
    for option in options:
        if not option.parts:
            found.append(option)
            continue
        coded = [one for one in option.parts if _code(one, ordering) is not None]
        others = [one for one in option.parts if one not in coded]
        groups = [coded, others] if ordering.dialect.several_actions else [*([one] for one in coded), others]
        found += [blood_draw.together(group) for group in groups if group]
    return found


def write(options: Sequence[Option], session: Session, *, ordering: Ordering, card_uuid: str) -> tuple[Suggestion, ...]:
    """A suggestion for each option that this site can order, with one action for each order.

    A session whose patient cannot be referred to gets none: what cannot be drafted rightly is not drafted.

    The uuid of a suggestion follows from the card's and the option's id: a record of the card tells which row it was.
    """
    if _reference(f"Patient/{session.patient_id}") is None:
        return ()
    found = (_suggestion(option, session, ordering, card_uuid) for option in options)
    return tuple(one for one in found if one is not None)


@lru_cache(maxsize=512)  # of one answer it is asked twice: for the card and for the record
def suggestion_uuid(card_uuid: str, option_id: str) -> str:
    """The uuid under which feedback will name this option of this card."""
    same = blake2b(f"{card_uuid}/{option_id}".encode(), digest_size=16)
    return str(uuid.UUID(bytes=same.digest(), version=4))  # pseudo-random, as RFC 9562 has it


def rules(card: Card, options: Sequence[Option]) -> dict[str, str]:
    """By the uuid of each suggestion on the card, the row of the catalogue that it was, for the record."""
    ids = [one.id for option in options for one in (option, *option.parts)]
    by_uuid = {suggestion_uuid(card.uuid, name): name for name in ids}
    return {one.uuid: by_uuid.get(one.uuid, SAVE) for one in card.suggestions}


def _suggestion(option: Option, session: Session, ordering: Ordering, card_uuid: str) -> Suggestion | None:
    """None where the site cannot order all that the option names."""
    orders = option.parts or (option,)
    drafts = [(one, code) for one in orders if (code := _code(one, ordering)) is not None]
    if len(drafts) < len(orders):
        return None
    label = sentence(option)
    return Suggestion(
        label=label,
        uuid=suggestion_uuid(card_uuid, option.id),
        is_recommended=False,
        actions=tuple(
            _action(one, code, label if one is option else sentence(one), session, ordering) for one, code in drafts
        ),
    )


def _action(option: Option, code: OrderCode, words: str, session: Session, ordering: Ordering) -> Action:
    name = ORDERABLES[option.order or ""].text
    draft = DraftOrder(
        code=code,
        text=name,
        patient_id=session.patient_id,
        reason=f"{REASON}{option.reason}",
        intent=ordering.intent,
        encounter_id=session.encounter_id if _reference(f"Encounter/{session.encounter_id or ''}") else None,
        requester=_reference(session.user_id),
        about=_reference(session.order),
    )
    return Action(type="create", description=f"Draft an order: {name}. {words}", resource=service_request(draft))


def _reference(text: str | None) -> str | None:
    """The text if it is a reference that another resource can hold; an order without an id has none (HS-7)."""
    return text if text is not None and _REFERENCE.fullmatch(text) else None


def sentence(option: Option) -> str:
    """The option as it stands alone: "Consider an HbA1c test: diabetes, no HbA1c in 90 days (ADA 2024)."."""
    evidence = f" ({option.evidence})" if option.evidence else ""
    caution = f" {option.caution}" if option.caution else ""
    unchecked = " Open orders could not be checked." if option.unchecked else ""
    return f"Consider {option.consider}: {option.reason}{evidence}.{caution}{unchecked}{_apart(option)}"


def _apart(option: Option) -> str:
    """What of it could not change the estimate (DEC-33)."""
    if option.could_change_estimate:
        return ""
    names = [ORDERABLES[one.order or ""].text for one in option.parts if not one.could_change_estimate]
    if len(names) == len(option.parts):
        return " Not part of this estimate."
    return f" Not part of this estimate: {', '.join(names)}."

"""The card stays while the order is edited (DEC-42): the same uuid while nothing that it tells has changed.

A conformant client takes a card away as soon as the hook fires again without one, so silence would read as "all clear".
Same user, patient, encounter and operation within the tenant's window: one editing session, as nothing in CDS Hooks
names it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import msgspec

from cds_service.advice.options import Option
from cds_service.answer import Answer
from cds_service.cards import discrete, suggestions
from cds_service.cards.cards import EXTENSION
from cds_service.hooks.card import Card
from cds_service.hooks.request import HookRequest
from cds_service.records.database import DatabaseError
from cds_service.records.records import Records
from cds_service.tenant_runtime import TenantRuntime
from fhir_mappings.orders.procedures import NoProcedure


def key(given: Answer, request: HookRequest) -> str | None:
    """What makes a card the same as another for its reader, as a digest; None where there is no card.

    Who reads it about whom and which operation, and all that it tells: figures, inputs, suggestions. Not when it was
    asked, nor the draft's id, which some EHRs draw anew at signing.
    """
    card, orders = given.card, given.orders
    if card is None or isinstance(orders, NoProcedure) or not orders:
        return None
    context = request.context
    about = f"{orders[0].group}{' in the chart' if given.of_chart else ''}"
    parts = [context.patient_id, context.user_id, context.encounter_id or "", about, *_told(given, card)]
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _told(given: Answer, card: Card) -> list[str]:
    words = [card.summary, card.indicator, *[one.label for one in card.suggestions]]
    options = [suggestions.sentence(option) for option in given.options]
    if given.assessment is None:
        return [*words, *options]
    known = card.extension.get(EXTENSION) if card.extension else None
    result = known or discrete.of(given.assessment)
    data = (result.predictions, result.inputs, result.not_understood)
    told = msgspec.json.encode(data).decode()
    # An input that the order says, such as its urgency, names it as its source.
    return [*words, *options, told.replace(msgspec.json.encode(given.assessment.procedure.order).decode(), '"order"')]


def as_before(given: Answer, told: str | None, site: TenantRuntime, records: Records, received: datetime) -> Answer:
    """The answer with the uuid under which the same card was shown; silent where it was accepted or turned down.

    `told`: its key. Where nobody can tell whether it was, it is shown.
    """
    window_s = site.tenant.dedupe_window_s
    if given.card is None or told is None or window_s <= 0:
        return given
    try:
        shown = records.last_shown(site.tenant.id, told, since=received - timedelta(seconds=window_s))
    except DatabaseError:
        return given
    if shown is None:
        return given
    if shown.answered:
        return msgspec.structs.replace(given, silence="answered")
    if site.tenant.repeats == "once":
        return msgspec.structs.replace(given, silence="dedupe")
    return msgspec.structs.replace(given, card=_under(shown.card, given.card, given.options), again=True)


def _under(uuid: str, card: Card, options: tuple[Option, ...]) -> Card:
    """The card under another uuid, and its suggestions under those that follow from it."""
    rules = suggestions.rules(card, options)
    renamed = tuple(
        msgspec.structs.replace(one, uuid=suggestions.suggestion_uuid(uuid, rules[one.uuid]))
        for one in card.suggestions
    )
    return msgspec.structs.replace(card, uuid=uuid, suggestions=renamed)

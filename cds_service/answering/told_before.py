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
from cds_service.answering.evaluation_row import Call
from cds_service.cards import discrete, suggestions
from cds_service.cards.cards import EXTENSION
from cds_service.hooks.card import Card
from cds_service.hooks.request import HookRequest
from cds_service.records.database import DatabaseError
from cds_service.records.records import Records
from cds_service.tenant_runtime import TenantRuntime
from cds_service.trust.retries import KEEP_S
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
    return _again(given, given.card, shown.card, site)


def as_elsewhere(
    given: Answer, told: str | None, same: str, call: Call, site: TenantRuntime, records: Records
) -> Answer:
    """The answer with the uuid of whichever node shows the same card first, while the record does not know it yet.

    `told`: its key. `same`: what an exact retry has in common; within minutes it gets the same uuid even where no card
    is the same as another (DEC-17). Where nobody can tell whether there is one, it is shown under its own.
    """
    card, window_s = given.card, site.tenant.dedupe_window_s
    if card is None or given.again or given.silence is not None:
        return given
    may_stay = told is not None and window_s > 0
    now, keep_s = call.received.timestamp(), min(KEEP_S, window_s) if may_stay else KEEP_S
    try:
        first = records.first_uuid(
            site.tenant.id, told if told and may_stay else same, card.uuid, now=now, keep_s=keep_s
        )
    except DatabaseError:
        return given
    if first == card.uuid:
        return given
    return _again(given, card, first, site) if may_stay else _renamed(given, card, first)


def _again(given: Answer, card: Card, uuid: str, site: TenantRuntime) -> Answer:
    if site.tenant.repeats == "once":
        return msgspec.structs.replace(given, silence="dedupe")
    return _renamed(given, card, uuid)


def _renamed(given: Answer, card: Card, uuid: str) -> Answer:
    return msgspec.structs.replace(given, card=_under(uuid, card, given.options), again=True)


def _under(uuid: str, card: Card, options: tuple[Option, ...]) -> Card:
    """The card under another uuid, and its suggestions under those that follow from it."""
    rules = suggestions.rules(card, options)
    renamed = tuple(
        msgspec.structs.replace(one, uuid=suggestions.suggestion_uuid(uuid, rules[one.uuid]))
        for one in card.suggestions
    )
    return msgspec.structs.replace(card, uuid=uuid, suggestions=renamed)

"""The orders of a patient's chart, each signing with its instant, as the drafts that they were then."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, time

import msgspec
from msgspec import Raw, Struct

from cds_service.replay.known_at import ORDER_TYPES, Dated, dated, start
from fhir_mappings.fhir.clock import Clock
from fhir_mappings.fhir.dates import moment

_NEVER_MEANT = "entered-in-error"
_PRACTITIONERS = ("Practitioner/", "PractitionerRole/")
SOMEBODY = "Practitioner/replay"
UNDATED = "orders-without-a-date"


class PastOrder(Struct, frozen=True):
    """One order as a draft; `stood`: the resource of the chart that it is today, `Type/id`."""

    draft: Raw
    reference: str
    stood: str
    encounter: str | None
    requester: str


class Signing(Struct, frozen=True):
    """What one person signed at one instant. `day_only`: only the day is known; it is taken at its beginning."""

    as_of: datetime
    day_only: bool
    orders: tuple[PastOrder, ...]


def signings(resources: Iterable[Raw], now: Clock, *, procedures_too: bool, counts: Counter[str]) -> list[Signing]:
    """Every signing, the earliest first. `procedures_too`: operations that were done stand for their orders.

    Orders of one instant were signed together, for they stood in one basket. `now`: for the zone alone.
    """
    found: dict[tuple[datetime, bool], list[PastOrder]] = defaultdict(list)
    for head, raw in _possible(resources, procedures_too):
        order = _of_procedure(head, raw) if head.resource_type == "Procedure" else _of_request(head, raw)
        if order is None:
            continue
        instant = _instant(head, now)
        if instant is None:
            counts[UNDATED] += 1
            continue
        found[instant].append(order)
    ordered = sorted(found.items(), key=lambda one: one[0])
    return [Signing(*when, tuple(sorted(those, key=lambda one: one.stood))) for when, those in ordered]


def _possible(resources: Iterable[Raw], procedures_too: bool) -> Iterator[tuple[Dated, Raw]]:
    wanted = (*ORDER_TYPES, "Procedure") if procedures_too else ORDER_TYPES
    for raw in resources:
        if not any(b'"%s"' % kind.encode() in bytes(raw) for kind in wanted):
            continue
        head = dated(raw)
        if head is not None and head.resource_type in wanted:
            yield head, raw


def _instant(head: Dated, now: Clock) -> tuple[datetime, bool] | None:
    """When it was written; of a day alone its beginning: what that day still brought is not read into it."""
    if head.resource_type == "Procedure":
        text = head.performed_date_time or start(head.performed_period)
    else:
        text = head.created if head.resource_type == "Appointment" else head.authored_on
    when = moment(text, now.zone)
    if when is None or not when.whole_date:
        return None
    if when.precision == "time":
        return when.time, False
    return datetime.combine(when.first, time.min, tzinfo=now.zone), True


def _of_request(head: Dated, raw: Raw) -> PastOrder | None:
    if head.status == _NEVER_MEANT:
        return None
    content = msgspec.json.decode(raw)
    content["status"] = "proposed" if head.resource_type == "Appointment" else "draft"
    return _order(head, Raw(msgspec.json.encode(content)), head.resource_type)


def _of_procedure(head: Dated, raw: Raw) -> PastOrder | None:
    """The order that an operation must have had: what, for whom, in which visit; not when it was to be."""
    if head.status != "completed":
        return None
    content = msgspec.json.decode(raw)
    kept = {name: content[name] for name in ("id", "code", "subject", "encounter", "reasonCode") if name in content}
    draft = {"resourceType": "ServiceRequest", "status": "draft", "intent": "order", **kept}
    return _order(head, Raw(msgspec.json.encode(draft)), "ServiceRequest")


def _order(head: Dated, draft: Raw, kind: str) -> PastOrder:
    named = head.requester.reference if head.requester else None
    visit = (head.encounter.reference if head.encounter else None) or ""
    return PastOrder(
        draft=draft,
        reference=f"{kind}/{head.id}",
        stood=f"{head.resource_type}/{head.id}",
        encounter=visit.rpartition("/")[2].removeprefix("urn:uuid:") or None,
        requester=named if named and named.startswith(_PRACTITIONERS) else SOMEBODY,
    )

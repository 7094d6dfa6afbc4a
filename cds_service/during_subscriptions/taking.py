"""A notification, or what `$events` answered, taken into the store of cases, and the position with it.

Nothing is acknowledged that was not committed: an event counts as taken once what it is about is kept, and what cannot
be kept or placed is a gap that the page of every case of that time tells.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from cds_service.during.intake import Arrived, Intake
from cds_service.during_subscriptions import source_server
from cds_service.patient_data.fhir_client import Access, FhirClient
from cds_service.records.during_cases import Arrival
from cds_service.records.during_positions import DuringPositions
from cds_service.tenant_runtime import TenantRuntime
from cds_service.trust.errors import InvalidContext
from fhir_mappings.during.event_numbers import Range
from fhir_mappings.during.filing import NO_PATIENT, NOT_READ
from fhir_mappings.during.notification import Event, Notification, is_of_a_case
from fhir_mappings.during.position import Position

NOTIFIED = "notification"
# https://hl7.org/fhir/R4/valueset-subscription-status.html: it sends nothing any more.
_STOPPED = ("error", "off")
# More are several transactions, so that nobody waits long for one of them.
_PARCEL = 500
_SEEN_BY_NUMBER = ("handshake", "heartbeat", "query-status")


class Took(msgspec.Struct, frozen=True, rename="camel"):
    """What became of a notification, in numbers alone; `missing`: events that were told of and not taken."""

    kept: int = 0
    repeated: int = 0
    refused: int = 0
    not_of_a_course: int = 0
    lost: int = 0
    missing: int = 0


class Taker(msgspec.Struct, frozen=True):
    """Whoever takes what sources tell: the same for what came by itself and for what was asked."""

    intake: Intake
    positions: DuringPositions
    client: FhirClient

    def take(self, told: Notification, site: TenantRuntime, by: Access, at: datetime, budget_s: float) -> Took:
        """Commit what it holds and what it names, then its numbers. Raises DatabaseError, NotReady: nothing counts."""
        wanted = _wanted(told)
        deadline = time.monotonic() + budget_s
        had = source_server.named(self.client, by, wanted, deadline=deadline) if wanted else {}
        arrival = Arrival(NOTIFIED, f"Subscription/{told.subscription}", at)
        came = [raw for _, raw in told.resources] + list(had.values())
        arrived, lost = self.keep(came, site, arrival)
        lost += told.unreadable + sum(is_of_a_case(name) or not name for name in told.gone)
        ranges = _taken(told, {name for name, _ in told.resources} | had.keys())

        def changed(position: Position) -> Position:
            return _after(position.lost(at) if lost else position, told, ranges, at)

        position = self.positions.change(site.tenant.id, told.subscription, changed, at)
        missing = sum(last - first + 1 for first, last in position.numbers.missing)
        return Took(
            arrived.kept, arrived.repeated, arrived.refused, arrived.not_of_a_course, lost=lost, missing=missing
        )

    def keep(self, resources: Sequence[bytes], site: TenantRuntime, arrival: Arrival) -> tuple[Arrived, int]:
        """What was kept, and how many resources can neither be kept nor be placed; each parcel whole or not at all."""
        found = [
            self._parcel(resources[start : start + _PARCEL], site, arrival)
            for start in range(0, len(resources), _PARCEL)
        ]
        arrived, unplaced = _counted([one for parcel, _ in found for one in parcel])
        return arrived, unplaced + sum(lost for _, lost in found)

    def _parcel(self, some: Sequence[bytes], site: TenantRuntime, arrival: Arrival) -> tuple[list[Arrived], int]:
        try:
            return [self.intake.take(some, site, arrival, one_patient=False)], 0
        except InvalidContext:  # one of them is of an encounter that is known as another patient's
            if len(some) == 1:
                return [], 1
            single = [self._parcel([one], site, arrival) for one in some]
            return [one for arrived, _ in single for one in arrived], sum(lost for _, lost in single)


def _counted(found: Sequence[Arrived]) -> tuple[Arrived, int]:
    whole = Arrived(
        sum(one.kept for one in found),
        sum(one.repeated for one in found),
        sum(one.refused for one in found),
        sum(one.not_of_a_course for one in found),
    )
    return whole, sum(one.unfiled.get(why, 0) for one in found for why in (NOT_READ, NO_PATIENT))


def _after(position: Position, told: Notification, taken: tuple[Range, ...], at: datetime) -> Position:
    """A count that runs backwards began anew, or came late: a handshake says which, and else the server is asked."""
    count, before = told.since_start, position.numbers
    stopped = told.status in _STOPPED
    if position.stopped and not stopped:  # nobody knows what happened while it told nothing
        position = position.lost(at)
    if count is not None and count < before.taken and told.kind in ("handshake", "query-event"):
        return position.begun_anew(at, count).heard(at, taken=taken)
    highest = max([one.number for one in told.events], default=0)
    after = position.heard(at, taken=taken, told=max(count or 0, highest), stopped=stopped)
    backwards = count is not None and count < before.told and told.kind in _SEEN_BY_NUMBER
    uncounted = count is None and told.kind in _SEEN_BY_NUMBER and not stopped
    again = told.kind == "event-notification" and 0 < highest <= before.taken
    return after.asked_next(at) if backwards or uncounted or again else after


def _wanted(told: Notification) -> list[str]:
    """What it names without content, of the types that say something of a case."""
    here = {name for name, _ in told.resources} | set(told.gone)
    named = [name for one in told.events for name in (one.focus, *one.context)] + list(told.named)
    return [name for name in dict.fromkeys(named) if is_of_a_case(name) and name not in here]


def _taken(told: Notification, had: Iterable[str]) -> tuple[Range, ...]:
    here = {*had, *told.gone}
    alone = len(told.events) == 1 and bool(told.resources)
    return tuple((one.number, one.number) for one in told.events if _is_here(one, here, alone=alone))


def _is_here(event: Event, here: set[str], *, alone: bool) -> bool:
    """Whether everything that the event is about came; one that names nothing came with what stands beside it alone."""
    if not event.focus:
        return alone
    return all(name in here for name in (event.focus, *event.context) if is_of_a_case(name))

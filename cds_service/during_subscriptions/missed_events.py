"""What is missing of one Subscription is asked for: `$events` first, else searches, else a gap that the pages tell."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Literal

from cds_service.during_subscriptions import source_server, sweeps
from cds_service.during_subscriptions.asked_source import AskedSource
from cds_service.during_subscriptions.source_server import NoEvents
from cds_service.operations import logs
from fhir_mappings.during.notification import Notification
from fhir_mappings.during.position import Position

# Of one source in one turn; the lease is longer than that and what was begun last.
BUDGET_S = 20.0
_AT_ONCE = 500
# A server that answers, and does not have what it told of, is believed then.
_BELIEVED_AFTER = 3
# A server that answers no search either is given up after some ten minutes.
_GIVEN_UP_AFTER = 14


def recover(asked: AskedSource) -> None:
    """Ask for the lowest that is missing until nothing is, or nothing more comes of it. Raises DatabaseError."""
    until = time.monotonic() + BUDGET_S
    position = asked.position()
    while time.monotonic() < until:
        told = _asked(asked, position)
        if not isinstance(told, Notification):
            _without_events(asked, told)
            return
        asked.taker.take(told, asked.site, asked.by, asked.clock(), BUDGET_S)
        before, position = position, asked.change(_settled)
        if position.ask_at is None:
            return
        if position.numbers == before.numbers:
            _without_events(asked, "not-had")
            return


def _asked(asked: AskedSource, position: Position) -> Notification | NoEvents:
    """Of what is missing the first part; where nothing is known to be, whatever came after what was taken."""
    if not position.numbers.missing:
        return source_server.events(asked.by, asked.name, position.numbers.taken + 1, None)
    first, last = position.numbers.missing[0]
    return source_server.events(asked.by, asked.name, first, min(last, first + _AT_ONCE - 1))


def _settled(position: Position) -> Position:
    """Nothing is left to ask once nothing is missing."""
    return position if position.numbers.missing else position.asked_next(None)


def _without_events(asked: AskedSource, why: NoEvents | Literal["not-had"]) -> None:
    """The server does not give what is missing now, or never will: then searches find it, or nobody."""
    at, position = asked.clock(), asked.position()
    if why == "failed":
        asked.change(lambda one: one.failed(at, most=_BELIEVED_AFTER - 1))
    elif why == "not-had" and position.tries < _BELIEVED_AFTER:
        asked.change(lambda one: one.failed(at))
    elif position.numbers.missing:
        _searched(asked, position, at)
    else:
        pause = asked.source.heartbeat_s
        asked.change(lambda one: one.asked_next(at + timedelta(seconds=2 * pause) if pause else None))


def _searched(asked: AskedSource, position: Position, at: datetime) -> None:
    since, missing = position.well_at - sweeps.CLOCKS_APART, position.numbers.missing
    swept = sweeps.sweep(asked, since, at)
    if not swept.answered and position.tries < _GIVEN_UP_AFTER:
        asked.change(lambda one: one.failed(at))
        return
    lost = bool(swept.lost) or not swept.whole or not asked.source.searches
    if lost:
        count = sum(last - first + 1 for first, last in missing)
        logs.warn("events-lost", tenant=asked.site.tenant.id, items=count)
    asked.change(lambda one: one.had_otherwise(at, missing, lost=lost))

"""Which open orders of a chart can still be of an operation to come: none whose day is over, none forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw

from fhir_mappings.fhir.clock import Clock, clock, placed
from fhir_mappings.fhir.dates import moment
from fhir_mappings.fhir.decode_resources import UNREADABLE_JSON
from fhir_mappings.orders.open_orders import FORGOTTEN_DAYS, is_open
from fhir_mappings.orders.orders import UnsupportedVersionError, read_order


class _Authored(msgspec.Struct):
    authoredOn: str | None = None


_authored = msgspec.json.Decoder(_Authored)


def still_planned(orders: Sequence[Raw], *, as_of: datetime, zone: ZoneInfo) -> tuple[Raw, ...]:
    """The orders whose operation may still come; one that cannot be read stays, so that it is told and not lost.

    Left out: those that are not open (open_orders.py); those to be carried out on a day before that of `as_of`; those
    without a day that were written more than a year ago. Charts keep such orders `active` for years.
    """
    now = clock(as_of, zone)
    return tuple(order for order in orders if _is_to_come(order, now))


def _is_to_come(raw: Raw, now: Clock) -> bool:
    try:
        order = read_order(raw)
        authored = _authored.decode(raw).authoredOn
    except (UnsupportedVersionError, *UNREADABLE_JSON):
        return True
    if order is None:
        return True
    if not is_open(order.status, intent=order.intent, forbidden=order.forbidden):
        return False
    if (when := moment(order.occurrence, now.zone)) is not None:
        return when.last >= now.today
    written = moment(authored, now.zone)
    return written is None or placed(written, FORGOTTEN_DAYS, now) != "stale"

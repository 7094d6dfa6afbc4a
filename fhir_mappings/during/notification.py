"""A notification of a topic-based Subscription as FHIR R4 has it: a `history` Bundle that begins with its status.

Subscriptions R5 Backport 1.1, https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/notifications.html: the status is a
Parameters resource (profile backport-subscription-status-r4), numbers are texts; `$events` answers in the same form.
"""

from __future__ import annotations

from typing import Any, Literal, cast, get_args

import msgspec
from msgspec import Struct

from fhir_mappings.fhir.resources import UNREADABLE_JSON

Kind = Literal["handshake", "heartbeat", "event-notification", "query-status", "query-event"]
# A signed 64-bit number, as FHIR R5 counts events.
MOST_EVENTS = 2**63 - 1
_MOST_DIGITS = 19
NOTHING = msgspec.Raw(b"null")
# Types that say something of a case; whatever else an event names is not asked for.
OF_A_CASE = ("Observation", "Procedure", "Encounter", "Patient")


class Event(Struct, frozen=True):
    """One event: its number, and the resources (`Type/id`) that it is about."""

    number: int
    focus: str = ""
    context: tuple[str, ...] = ()


class Notification(Struct, frozen=True):
    """`subscription`: the id of the Subscription. `since_start`: how many events there have been, None where not said.

    `resources` stand in it, by their `Type/id` ("" where they have none); `gone`: those that it says were deleted;
    `named`: those that it names without content. `unreadable`: how many of its entries or events cannot be read.
    """

    kind: Kind
    subscription: str
    status: str
    since_start: int | None
    events: tuple[Event, ...]
    resources: tuple[tuple[str, bytes], ...]
    named: tuple[str, ...]
    gone: tuple[str, ...]
    unreadable: int = 0


class _Request(Struct, frozen=True):
    method: str = ""
    url: str = ""


class _NotifiedEntry(Struct, frozen=True, rename="camel"):
    full_url: str = ""
    resource: msgspec.Raw = NOTHING
    request: _Request = _Request()


class _NotifiedBundle(Struct, rename="camel"):
    resource_type: str
    type: str
    entry: list[msgspec.Raw] = []


class _Status(Struct, rename="camel"):
    resource_type: str
    parameter: list[msgspec.Raw] = []


class _Reference(Struct, frozen=True):
    reference: str = ""


class _Parameter(Struct, frozen=True, rename="camel"):
    name: str = ""
    value_reference: _Reference = _Reference()
    value_code: str = ""
    value_string: str = ""
    value_integer: int | None = None
    value_unsigned_int: int | None = None
    part: list[Any] = []


class _NamedHead(Struct, frozen=True, rename="camel"):
    resource_type: str = ""
    id: str = ""


_bundle = msgspec.json.Decoder(_NotifiedBundle)
_entry = msgspec.json.Decoder(_NotifiedEntry)
_status = msgspec.json.Decoder(_Status)
_parameter = msgspec.json.Decoder(_Parameter)
_head = msgspec.json.Decoder(_NamedHead)


def read_notification(raw: bytes) -> Notification | None:
    """What a body says as a notification; None where it is none of a Subscription that it names."""
    try:
        bundle = _bundle.decode(raw)
        first = _entry.decode(bundle.entry[0]) if bundle.entry else _NotifiedEntry()
        status = _status.decode(first.resource)
    except UNREADABLE_JSON:
        return None
    if bundle.resource_type != "Bundle" or bundle.type != "history" or status.resource_type != "Parameters":
        return None
    said, unread = _parameters(status.parameter)
    subscription = _last(_one(said, "subscription").value_reference.reference, "Subscription")
    kind = _one(said, "type").value_code
    if not subscription or kind not in get_args(Kind):
        return None
    found = _Gathered(unread)
    for one in bundle.entry[1:]:
        found.take(one)
    numbered = [_event(one) for one in said if one.name == "notification-event"]
    events = tuple(one for one in numbered if one is not None)
    return Notification(
        cast("Kind", kind),
        subscription,
        _one(said, "status").value_code,
        _number(_one(said, "events-since-subscription-start")),
        events,
        tuple(found.resources),
        tuple(found.named),
        tuple(found.gone),
        found.unreadable + len(numbered) - len(events),
    )


class _Gathered:
    """What stands in the entries behind the status."""

    def __init__(self, unreadable: int) -> None:
        self.resources: list[tuple[str, bytes]] = []
        self.named: list[str] = []
        self.gone: list[str] = []
        self.unreadable = unreadable

    def take(self, raw: msgspec.Raw) -> None:
        try:
            entry = _entry.decode(raw)
            held = bytes(entry.resource)
            head = _NamedHead() if held == b"null" else _head.decode(held)
        except UNREADABLE_JSON:
            self.unreadable += 1
            return
        name = type_and_id(entry.full_url) or type_and_id(entry.request.url)
        if entry.request.method == "DELETE":
            self.gone.append(name)
        elif held != b"null":
            own = f"{head.resource_type}/{head.id}" if head.resource_type and head.id else name
            self.resources.append((own, held))
        elif name:
            self.named.append(name)
        else:
            self.unreadable += 1


def type_and_id(reference: str) -> str:
    """The `Type/id` of a reference or URL, absolute or versioned; "" where it has none."""
    parts = reference.split("?", maxsplit=1)[0].split("/_history", maxsplit=1)[0].split("/")
    if len(parts) < 2 or not parts[-2].isalpha() or not parts[-2][:1].isupper():
        return ""
    return f"{parts[-2]}/{parts[-1]}" if 0 < len(parts[-1]) <= 256 else ""


def is_of_a_case(name: str) -> bool:
    """Whether a `Type/id` is of a type that says something of a case."""
    return name.partition("/")[0] in OF_A_CASE


def _parameters(raw: list[msgspec.Raw]) -> tuple[list[_Parameter], int]:
    found, unread = [], 0
    for one in raw:
        try:
            found.append(_parameter.decode(one))
        except UNREADABLE_JSON:
            unread += 1
    return found, unread


def _one(said: list[_Parameter], name: str) -> _Parameter:
    return next((one for one in said if one.name == name), _Parameter())


def _event(one: _Parameter) -> Event | None:
    try:
        parts = [msgspec.convert(part, _Parameter) for part in one.part]
    except msgspec.ValidationError:
        return None
    number = _number(_one(parts, "event-number"))
    if not number:
        return None
    context = [part.value_reference.reference for part in parts if part.name == "additional-context"]
    focus = type_and_id(_one(parts, "focus").value_reference.reference)
    return Event(number, focus, tuple(name for name in map(type_and_id, context) if name))


def _number(one: _Parameter) -> int | None:
    for value in (one.value_integer, one.value_unsigned_int):
        if value is not None:
            return value if 0 <= value <= MOST_EVENTS else None
    text = one.value_string.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        return None
    return number if (number := int(text)) <= MOST_EVENTS else None


def _last(reference: str, kind: str) -> str:
    """The id in `Subscription/x`, absolute or versioned."""
    named, _, own = type_and_id(reference).partition("/")
    return own if named == kind else ""

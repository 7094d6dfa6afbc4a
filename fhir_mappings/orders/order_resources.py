"""Typed readers of what may carry an order for an operation: R4 shapes, and the two STU3 shapes that are adapted."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw, Struct, field

from fhir_mappings.fhir.dates import moment
from fhir_mappings.fhir.elements import NO_CODE, CodeableConcept, Period, Reference, Timing

UTC = ZoneInfo("UTC")
_NOBODY = Raw(b"null")
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class OperationRequest(Struct, frozen=True, gc=False, rename="camel"):
    """An order. STU3's ProcedureRequest has the same members, with `context` for `encounter`.

    One with a modifierExtension or implicitRules cannot be read: either may turn what the rest means (resources.py).
    """

    id: str | None = None
    implicit_rules: None = None
    modifier_extension: tuple[()] | None = None
    status: str | None = None
    intent: object = None
    do_not_perform: bool | None = None
    priority: object = None
    category: tuple[CodeableConcept, ...] = ()
    code: CodeableConcept = NO_CODE
    subject: Reference | None = None
    encounter: Reference | None = None
    context: Reference | None = None
    occurrence_date_time: str | None = None
    occurrence_period: Period | None = None
    occurrence_timing: Timing | None = None
    reason_code: tuple[CodeableConcept, ...] = ()


class ReferralRequest(Struct, frozen=True, gc=False, rename="camel"):
    """STU3's referral, whose requested services stand in a list."""

    id: str | None = None
    implicit_rules: None = None
    modifier_extension: tuple[()] | None = None
    status: str | None = None
    intent: object = None
    priority: object = None
    service_requested: tuple[CodeableConcept, ...] = ()
    subject: Reference | None = None
    context: Reference | None = None
    occurrence_date_time: str | None = None
    occurrence_period: Period | None = None
    reason_code: tuple[CodeableConcept, ...] = ()


class Participant(Struct, frozen=True, gc=False):
    """Who takes part in an appointment."""

    actor: Reference | None = None


class Appointment(Struct, frozen=True, gc=False, rename="camel"):
    """A proposed appointment; the operation stands in its service type or its reason (R-D03)."""

    id: str | None = None
    implicit_rules: None = None
    modifier_extension: tuple[()] | None = None
    status: str | None = None
    service_type: tuple[CodeableConcept, ...] = ()
    reason_code: tuple[CodeableConcept, ...] = ()
    start: str | None = None
    end: str | None = None
    minutes_duration: int | None = None
    participant: tuple[Participant, ...] = ()


class Order(Struct, frozen=True, gc=False, kw_only=True):
    """What the shapes above have in common: the facts of one order, as recorded."""

    reference: str
    status: str
    intent: object = None
    forbidden: bool = False
    priority: str = ""
    categories: tuple[CodeableConcept, ...] = ()
    codes: tuple[CodeableConcept, ...] = ()
    encounter: str = ""
    occurrence: str = ""
    duration_h: float | None = None
    reasons: tuple[CodeableConcept, ...] = ()


def written_priority(value: object) -> str:
    """The priority as written; "" only where there is none, and a word that means nothing for what is no text."""
    if value is None:
        return ""
    return value if isinstance(value, str) and value else "unreadable"


def first_text(*texts: str | None) -> str:
    """The first that is there, or ""."""
    return next((text for text in texts if text), "")


def target(reference: Reference | None) -> str:
    """What a reference names, or ""."""
    return (reference.reference or "") if reference else ""


def beginning(period: Period | None, timing: Timing | None = None) -> str:
    """When a period or a timing begins, or ""."""
    bounds = timing.repeat.bounds_period if timing and timing.repeat else None
    event = min(timing.event) if timing and timing.event else None
    return first_text(period.start if period else None, event, bounds.start if bounds else None)


def hours(period: Period | None) -> float | None:
    """How long a period lasts, hours; None where it is open or told in whole days."""
    if period is None or not period.start or not period.end or len(period.start) <= 10 or len(period.end) <= 10:
        return None
    start, end = moment(period.start, UTC), moment(period.end, UTC)
    return (end.time - start.time).total_seconds() / 3600 if start and end else None


class _Named(Struct, frozen=True, gc=False):
    """Whom any kind of draft is for, under whichever name its type has for that; each is read by itself."""

    resourceType: Raw = _NOBODY
    id: Raw = _NOBODY
    subject: Raw = _NOBODY
    patient: Raw = _NOBODY
    for_: Raw = field(default=_NOBODY, name="for")
    beneficiary: Raw = _NOBODY
    participant: Raw = _NOBODY


_named = msgspec.json.Decoder(_Named)
_people = msgspec.json.Decoder(Reference | tuple[Reference, ...] | None)
_participants = msgspec.json.Decoder(tuple[Participant, ...] | None)


def people(raw: Raw) -> tuple[Reference, ...]:
    """Everyone for whom a draft of any type may be: subject, patient, for, beneficiary, who takes part.

    A Patient is for itself. What cannot be read names nobody.
    """
    try:
        named = _named.decode(raw)
    except _UNREADABLE:
        return ()
    found = [*_listed(named.subject), *_listed(named.patient), *_listed(named.for_), *_listed(named.beneficiary)]
    if bytes(named.resourceType) == b'"Patient"' and isinstance(own := msgspec.json.decode(named.id), str):
        found.append(Reference(f"Patient/{own}"))
    return (*found, *_taking_part(named.participant))


def _listed(raw: Raw) -> tuple[Reference, ...]:
    if raw is _NOBODY:
        return ()
    try:
        given = _people.decode(raw)
    except _UNREADABLE:
        return ()
    if isinstance(given, Reference):
        return (given,)
    return given or ()


def _taking_part(raw: Raw) -> tuple[Reference, ...]:
    try:
        return tuple(one.actor for one in _participants.decode(raw) or () if one.actor is not None)
    except _UNREADABLE:
        return ()

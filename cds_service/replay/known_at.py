"""When each resource of a chart was known, by its type: nothing that was known only later is read (docs/replay.md).

The dates are those by which the live reading places it (inputs 1.2, 5 to 7), and for results the issue besides: what
was taken and not yet issued was not in the chart. `meta.lastUpdated` counts only where there is no other date; in an
export it often is the day of loading.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.fhir.clock import Clock, is_ahead
from fhir_mappings.fhir.dates import Moment, moment
from fhir_mappings.fhir.decode_resources import UNREADABLE_JSON
from fhir_mappings.fhir.elements import Dosage, Period, Reference, Timing

ORDER_TYPES = ("ServiceRequest", "ProcedureRequest", "ReferralRequest", "Appointment")
# These say what is, and not since when: the person, and a medicine to which prescriptions point.
_TIMELESS = frozenset({"Patient", "Medication"})


class _Meta(Struct, frozen=True, gc=False, rename="camel"):
    last_updated: str | None = None


class _Validity(Struct, frozen=True, gc=False, rename="camel"):
    validity_period: Period | None = None


class Dated(Struct, frozen=True, gc=False, rename="camel"):
    """What of any resource says when it was known, how it stood then, and to what it belongs."""

    resource_type: str = ""
    id: str | None = None
    status: str | None = None
    meta: _Meta | None = None
    code: Raw = Raw(b"")
    component: Raw = Raw(b"")
    encounter: Reference | None = None
    requester: Reference | None = None
    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: Period | None = None
    effective_timing: Timing | None = None
    issued: str | None = None
    recorded_date: str | None = None
    onset_date_time: str | None = None
    onset_period: Period | None = None
    abatement_date_time: str | None = None
    abatement_period: Period | None = None
    performed_date_time: str | None = None
    performed_period: Period | None = None
    authored_on: str | None = None
    date_asserted: str | None = None
    dispense_request: _Validity | None = None
    dosage_instruction: tuple[Dosage, ...] = ()
    deceased_date_time: str | None = None
    deceased_boolean: bool | None = None
    period: Period | None = None
    created: str | None = None


_decoder = msgspec.json.Decoder(Dated)
_MEMBERS = tuple((one.name, one.encode_name, one.type) for one in msgspec.structs.fields(Dated) if one.type is not Raw)
_AS_WRITTEN = frozenset({"code", "component"})


def dated(raw: Raw) -> Dated | None:
    """The dates of a resource; a member of another shape is as if it were not there. None for what is no resource."""
    try:
        return _decoder.decode(raw)
    except UNREADABLE_JSON:
        return _loosely(raw)


def _loosely(raw: Raw) -> Dated | None:
    try:
        content = msgspec.json.decode(raw)
    except UNREADABLE_JSON:
        return None
    if not isinstance(content, dict):
        return None
    found: dict[str, Any] = {}
    for name, written, kind in _MEMBERS:
        try:
            found[name] = msgspec.convert(content[written], kind)
        except (KeyError, msgspec.ValidationError):
            continue
    for name in _AS_WRITTEN & content.keys():
        found[name] = Raw(msgspec.json.encode(content[name]))
    return Dated(**found)


def start(period: Period | None) -> str | None:
    """When a period begins, else when it ends."""
    return (period.start or period.end) if period else None


def end(period: Period | None) -> str | None:
    """When a period ends, else when it begins."""
    return (period.end or period.start) if period else None


def moments(one: Dated, now: Clock) -> tuple[Moment, ...]:
    """All that must be past for the resource to have been known; empty for what has no date at all."""
    if one.resource_type in _TIMELESS:
        return ()
    found = tuple(when for text in _dates(one) if (when := moment(text, now.zone)) is not None)
    if found or one.meta is None:
        return found
    loaded = moment(one.meta.last_updated, now.zone)
    return (loaded,) if loaded is not None else ()


def is_known(when: tuple[Moment, ...], now: Clock) -> bool:
    """Whether none of it lies after the instant; a date alone is compared by its day, as the live reading does."""
    return not any(is_ahead(one, now) for one in when)


def _dates(one: Dated) -> tuple[str | None, ...]:
    match one.resource_type:
        case "Observation" | "DiagnosticReport":
            return _taken(one), one.issued
        case "MedicationStatement":
            return (one.date_asserted or one.effective_date_time or start(one.effective_period),)
    return (_ONE_DATE.get(one.resource_type, _authored)(one),)


def _authored(one: Dated) -> str | None:
    return one.authored_on


_ONE_DATE: dict[str, Callable[[Dated], str | None]] = {
    "Condition": lambda one: one.recorded_date or one.onset_date_time or start(one.onset_period),
    "Procedure": lambda one: one.performed_date_time or end(one.performed_period),
    "Encounter": lambda one: start(one.period),
    "Appointment": lambda one: one.created,
}


def _taken(one: Dated) -> str | None:
    """As results/result_time.py has it: of a timing its last event."""
    written = one.effective_date_time or one.effective_instant or end(one.effective_period)
    if written or one.effective_timing is None:
        return written
    timing = one.effective_timing
    return max(timing.event) if timing.event else end(timing.repeat.bounds_period if timing.repeat else None)

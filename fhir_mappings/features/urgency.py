"""How soon the operation is to be, and for how long it is planned: from the order and the encounter (inputs 7)."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from fhir_mappings.fhir.clock import Clock
from fhir_mappings.fhir.dates import moment
from fhir_mappings.orders.procedures import PlannedProcedure
from fhir_mappings.results.feature import Feature

# https://hl7.org/fhir/R4/valueset-request-priority.html
_ELECTIVE = frozenset({"", "routine"})
_SOON = timedelta(hours=24)
_LONGEST_H = 24


def urgency(procedure: PlannedProcedure, emergency_encounter: str | None, now: Clock) -> Feature:
    """elective unless something says otherwise; the source is the order, or the encounter that says so.

    Also urgent: an emergency encounter, an acute injury as the order's reason, an operation within 24 hours.
    NCEPOD "expedited" cannot be read and is never assumed. A priority that is not understood is not elective.
    """
    begins = _begins(procedure.occurrence, now)
    past = begins is not None and begins < now.as_of and not _is_today(procedure.occurrence, now)
    value, source = _by_priority(procedure.priority), procedure.order
    if value == "elective":
        if procedure.acute_injury or (begins is not None and not past and begins - now.as_of < _SOON):
            value = "urgent"
        elif emergency_encounter:
            value, source = "urgent", emergency_encounter
    return Feature(
        name="urgency",
        status="used",
        value=value,
        model_value=value,
        source=source,
        flags=("occurrence-past",) if past else (),
    )


def _by_priority(written: str) -> str:
    if written in _ELECTIVE:
        return "elective"
    return "immediate" if written.strip().lower() == "stat" else "urgent"


def _begins(occurrence: str, now: Clock) -> datetime | None:
    """The instant, or the first minute of the day; nothing is read into a month or a year."""
    when = moment(occurrence, now.zone)
    if when is None or not when.whole_date:
        return None
    return when.time if when.precision == "time" else datetime.combine(when.first, time.min, tzinfo=now.zone)


def _is_today(occurrence: str, now: Clock) -> bool:
    when = moment(occurrence, now.zone)
    return when is not None and when.precision == "day" and when.first == now.today


def planned_duration(procedure: PlannedProcedure) -> Feature:
    """How long the operation is planned to take, hours; missing where the order has no begin and end."""
    name, hours = "planned_duration", procedure.duration_h
    if hours is None:
        return Feature(name=name, status="missing", unit="h", reason="never-recorded")
    if not 0 < hours <= _LONGEST_H:
        return Feature(name=name, status="rejected", unit="h", source=procedure.order, reason="implausible")
    return Feature(name=name, status="used", value=hours, model_value=hours, unit="h", source=procedure.order)

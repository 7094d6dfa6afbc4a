"""When a prescription or statement holds: asked for, begun and not over as of the hook (inputs 6)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from fhir_mappings.fhir.clock import Clock, is_ahead, is_future
from fhir_mappings.fhir.dates import Moment, moment
from fhir_mappings.fhir.durations import longest_course
from fhir_mappings.fhir.elements import DispenseRequest, Period
from fhir_mappings.fhir.resources import MedicationRequest, MedicationStatement
from fhir_mappings.patient.which_drug import Prescribed

# https://terminology.hl7.org/CodeSystem-medicationrequest-category.html
_INPATIENT, _AT_HOME = "inpatient", frozenset({"outpatient", "community", "discharge"})
# Decision: a course of a told length may begin so long after it was prescribed, for no order says when it did.
_BEGUN_WITHIN = timedelta(days=30)


def _settings(request: MedicationRequest) -> set[str | None]:
    return {coding.code for category in request.category for coding in category.coding} if request.category else set()


def is_for_stay_and_home(request: MedicationRequest) -> bool:
    """Whether its categories say both that it is for a stay in hospital and that it is for outside."""
    settings = _settings(request)
    return _INPATIENT in settings and not settings.isdisjoint(_AT_HOME)


def is_current(request: MedicationRequest, now: Clock) -> bool:
    """Whether an order that is active would hold now: asked for, for outside, begun and not over."""
    if request.do_not_perform:
        return False
    if _INPATIENT in (settings := _settings(request)) and settings.isdisjoint(_AT_HOME):
        return False
    authored = moment(request.authored_on, now.zone)
    if authored is not None and is_future(authored, now):
        return False
    validity = request.dispense_request.validity_period if request.dispense_request else None
    return not _is_over(validity, now) and not _dosing_is_over(request, now)


def _dosing_is_over(request: MedicationRequest, now: Clock) -> bool:
    """Whether each dosage is over: by its end, or by the length of all courses, one after another."""
    repeats = [one.timing.repeat if one.timing else None for one in request.dosage_instruction]
    bounds = [one for one in repeats if one is not None]
    if not repeats or len(bounds) < len(repeats):
        return False
    lengths = [longest_course(one) for one in bounds if one.bounds_period is None]
    known = [one for one in lengths if one is not None]
    if len(known) < len(lengths) or (known and not _are_courses_over(known, request, now)):
        return False
    return all(_is_over(one.bounds_period, now) for one in bounds if one.bounds_period is not None)


def _are_courses_over(lengths: Iterable[timedelta], request: MedicationRequest, now: Clock) -> bool:
    """Whether courses of these lengths, one after another, are over: with the repeats allowed, begun at the latest."""
    supply = request.dispense_request or DispenseRequest()
    texts = (request.authored_on, supply.validity_period.start if supply.validity_period else None)
    starts = [moment(text, now.zone) for text in texts if text]
    begun = [one.time for one in starts if one is not None]
    repeats = supply.number_of_repeats_allowed
    if not begun or len(begun) < len(starts) or not isinstance(repeats, int) or repeats < 0:
        return False
    try:
        return now.as_of - max(begun) > _BEGUN_WITHIN + sum(lengths, timedelta()) * (1 + repeats)
    except OverflowError:
        return False


def _is_over(period: Period | None, now: Clock) -> bool:
    end = moment(period.end, now.zone) if period else None
    return end is not None and end.time < now.as_of


def covers(statement: MedicationStatement, now: Clock) -> bool:
    """Whether the statement's time includes the hook; a single date says since when."""
    start = _since(statement, now)
    return not (start is not None and is_future(start, now)) and not _is_over(statement.effective_period, now)


def begins_ahead(one: Prescribed, now: Clock) -> bool:
    """Whether it was written, or begins, after the hook by no more than clocks and zones differ: perhaps now."""
    since = moment(one.authored_on, now.zone) if isinstance(one, MedicationRequest) else _since(one, now)
    return since is not None and is_ahead(since, now) and not is_future(since, now)


def _since(statement: MedicationStatement, now: Clock) -> Moment | None:
    period = statement.effective_period
    return moment(statement.effective_date_time or (period.start if period else None), now.zone)


def when_said(statement: MedicationStatement, now: Clock) -> Moment | None:
    """When it was said; None where that is not known."""
    period = statement.effective_period
    text = statement.date_asserted or statement.effective_date_time or (period.start if period else None)
    return moment(text, now.zone)


def last_told(one: Prescribed, since: Moment | None, now: Clock) -> Moment | None:
    """When it was last said that it is taken: a statement may be newer than the day since when it holds."""
    if not (isinstance(one, MedicationStatement) and one.date_asserted):
        return since
    asserted = moment(one.date_asserted, now.zone)
    return asserted and max(asserted, since or asserted, key=lambda when: when.time)

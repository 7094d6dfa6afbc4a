"""How an entry stood at an instant, where the chart of today says when that changed; else it stays, and is counted.

A diagnosis that ended later was current; a prescription that ended later was active; a visit that ended later was under
way; who died later lived. A status without a date of its change is left as it is: nobody knows since when.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw

from cds_service.replay.known_at import Dated, end
from fhir_mappings.fhir.clock import Clock, is_ahead
from fhir_mappings.fhir.dates import moment

_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_ACTIVE = {"coding": [{"system": _CLINICAL, "code": "active"}]}
_OVER = (b'"resolved"', b'"inactive"', b'"remission"')
_ABATEMENTS = ("abatementDateTime", "abatementPeriod", "abatementAge", "abatementRange", "abatementString")
# https://hl7.org/fhir/R4/valueset-medicationrequest-status.html, valueset-medication-statement-status.html
_NO_LONGER_TAKEN = frozenset({"completed", "stopped"})
_VISIT_OVER = "finished"

Then = tuple[Raw, bool]  # as it stood, and whether that cannot be told


def as_then(raw: Raw, one: Dated, now: Clock) -> Then:
    """The entry as it stood at the instant, and whether it is told as today for want of a date."""
    rule = _RULES.get(one.resource_type)
    return rule(raw, one, now) if rule else (raw, False)


def _is_later(text: str | None, now: Clock) -> bool:
    when = moment(text, now.zone)
    return when is not None and is_ahead(when, now)


def _patient(raw: Raw, one: Dated, now: Clock) -> Then:
    """Who is ordered an operation lives: a death without a date was later."""
    later = _is_later(one.deceased_date_time, now)
    undated = not one.deceased_date_time and (one.deceased_boolean or b'"_deceasedDateTime"' in bytes(raw))
    if later or undated:
        return _changed(raw, without=("deceasedBoolean", "deceasedDateTime", "_deceasedDateTime")), not later
    return raw, False


def _condition(raw: Raw, one: Dated, now: Clock) -> Then:
    ended = one.abatement_date_time or end(one.abatement_period)
    text = bytes(raw)
    says_over = b'"clinicalStatus"' in text and any(word in text for word in _OVER)
    if _is_later(ended, now):
        status = {"clinicalStatus": _ACTIVE} if says_over else {}
        return _changed(raw, without=_ABATEMENTS, **status), False
    return raw, says_over and ended is None


def _medicine(raw: Raw, one: Dated, now: Clock) -> Then:
    if one.status not in _NO_LONGER_TAKEN:
        return raw, False
    ends = [text for text in _ends(one) if text]
    if any(_is_later(text, now) for text in ends):
        return _changed(raw, status="active"), False
    return raw, not ends


def _ends(one: Dated) -> list[str | None]:
    periods = [one.dispense_request.validity_period if one.dispense_request else None, one.effective_period]
    repeats = (each.timing.repeat for each in one.dosage_instruction if each.timing)
    periods += [repeat.bounds_period for repeat in repeats if repeat]
    return [period.end for period in periods if period]


def _visit(raw: Raw, one: Dated, now: Clock) -> Then:
    if one.status != _VISIT_OVER:
        return raw, False
    ended = one.period.end if one.period else None
    if _is_later(ended, now):
        return _changed(raw, status="in-progress"), False
    return raw, ended is None


_RULES: dict[str, Callable[[Raw, Dated, Clock], Then]] = {
    "Patient": _patient,
    "Condition": _condition,
    "MedicationRequest": _medicine,
    "MedicationStatement": _medicine,
    "Encounter": _visit,
}


def _changed(raw: Raw, *, without: tuple[str, ...] = (), **members: Any) -> Raw:
    content = {name: value for name, value in msgspec.json.decode(raw).items() if name not in without}
    return Raw(msgspec.json.encode(content | members))

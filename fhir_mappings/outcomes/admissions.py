"""Outcomes that stays tell: readmission, and a stay that lasts."""

from __future__ import annotations

from datetime import date

from msgspec.structs import replace

from fhir_mappings.outcomes import derived, timing
from fhir_mappings.outcomes.deaths import followed_through
from fhir_mappings.outcomes.derived import DerivedOutcome, Unknown
from fhir_mappings.outcomes.events import away
from fhir_mappings.outcomes.followed_person import FollowedPerson
from fhir_mappings.outcomes.operated import Operated
from fhir_mappings.outcomes.outcome_definitions import OutcomeDefinition
from fhir_mappings.outcomes.stays import Stay


def readmission(person: FollowedPerson, operation: Operated, of: OutcomeDefinition) -> DerivedOutcome:
    """Whether a stay as an inpatient began after the discharge from that of the operation."""
    last = timing.window_ends(operation, of.horizon_days)
    through = followed_through(person, operation)
    end = operation.stay.end if operation.stay is not None else None
    if operation.stay is None or end is None:
        return derived.unknown(of.name, "no-stay" if operation.stay is None else "stay-open", through)
    if not end.whole_date:
        return derived.unknown(of.name, "onset-unknown", through)
    found, maybe = _later_stays(person, operation.stay, end.first, last)
    if found:
        return derived.happened(of.name, found[0][0], through, tuple(source for _, source in found))
    why = _why_unknown(person, operation, last, maybe)
    return derived.did_not(of.name, through) if why is None else derived.unknown(of.name, why, through, tuple(maybe))


def _why_unknown(person: FollowedPerson, operation: Operated, last: date, maybe: list[str]) -> Unknown | None:
    if maybe or person.unread.get("Encounter"):
        return "not-understood"
    return "not-yet" if person.now.today < last else away(person, operation, last)


def _later_stays(
    person: FollowedPerson, stay: Stay, discharged: date, last: date
) -> tuple[list[tuple[date, str]], list[str]]:
    """The admissions after the discharge, by day; and what may be one: its class, day or status is not understood."""
    found: list[tuple[date, str]] = []
    maybe: list[str] = []
    for one in person.stays:
        if one.id == stay.id or one.inpatient is False:
            continue
        start = one.start
        if start is not None and (start.last < discharged or start.first > last):
            continue
        sure = start is not None and start.whole_date and start.first > discharged and one.inpatient
        if sure and start is not None:
            found.append((start.first, one.source))
        else:
            maybe.append(one.source)
    return sorted(found), maybe


def long_stay(person: FollowedPerson, operation: Operated, of: OutcomeDefinition) -> DerivedOutcome:
    """Whether the stay of the operation ended later than the horizon; with its length in days."""
    last = timing.window_ends(operation, of.horizon_days)
    through = followed_through(person, operation)
    stay = operation.stay
    if stay is None or stay.end is None:
        why: Unknown = "no-stay" if stay is None else "not-yet" if person.now.today <= last else "stay-open"
        return derived.unknown(of.name, why, through)
    if stay.ending == "not-understood":  # "still there" may be among what is not understood
        return derived.unknown(of.name, "not-understood", through, (stay.source,))
    if stay.end.first <= last < stay.end.last:
        return derived.unknown(of.name, "onset-unknown", through)
    days = (stay.end.first - operation.day).days if stay.end.whole_date else None
    if days is not None and days < 0:
        return derived.unknown(of.name, "contradicted", through, (stay.source,))
    if stay.end.first > last:
        return replace(derived.happened(of.name, last, through, (stay.source,)), days=days)
    # A stay that is over cannot be longer: it is known as far as the horizon, or the day that is asked about.
    known = max(day for day in (through, min(last, person.now.today)) if day is not None)
    return replace(derived.did_not(of.name, known), days=days)

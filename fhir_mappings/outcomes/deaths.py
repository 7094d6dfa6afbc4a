"""Death within a horizon: by its day, by the stay that it ended, or by a later contact that shows that it was not."""

from __future__ import annotations

from datetime import date, timedelta

from fhir_mappings.outcomes import derived
from fhir_mappings.outcomes.derived import DerivedOutcome
from fhir_mappings.outcomes.followed_person import FollowedPerson
from fhir_mappings.outcomes.operated import Operated
from fhir_mappings.outcomes.outcome_definitions import OutcomeDefinition
from fhir_mappings.outcomes.stays import Dying, last_seen
from fhir_mappings.outcomes.timing import window_ends

# Two sources of one death may differ by a day: one writes the hour, the other when it was told.
_APART = timedelta(days=1)


def followed_through(person: FollowedPerson, operation: Operated) -> date | None:
    """The last day on which the person was seen after the operation; once dead, the day that is asked about.

    A death of which only the year is known ends nothing: the record says no more than the last contact.
    """
    seen = last_seen(person.stays, operation.day)
    exact = [one for one in person.deaths if _day(one) is not None]
    return person.now.today if exact and not _contradicts(person, operation, seen) else seen


def death(person: FollowedPerson, operation: Operated, of: OutcomeDefinition) -> DerivedOutcome:
    """Whether the person died from the day of the operation to the last of the horizon."""
    last = window_ends(operation, of.horizon_days)
    seen = last_seen(person.stays, operation.day)
    through = followed_through(person, operation)
    sources = tuple(one.source for one in person.deaths)
    if _contradicts(person, operation, seen):
        return derived.unknown(of.name, "contradicted", through, sources)
    exact = sorted({day for one in person.deaths if (day := _day(one)) is not None})
    if exact:
        return _of_days(of, exact, last, through, sources)
    if seen is not None and seen >= last:
        return derived.did_not(of.name, seen)
    if any(one.last is not None and one.last <= min(last, person.now.today) for one in person.deaths):
        return derived.happened(of.name, None, through, sources)  # every day that is left is one of the horizon
    if person.deaths:
        return derived.unknown(of.name, "death-day-unknown", through, sources)
    return derived.unknown(of.name, "not-yet" if person.now.today < last else "not-followed", through)


def _of_days(
    of: OutcomeDefinition, exact: list[date], last: date, through: date | None, sources: tuple[str, ...]
) -> DerivedOutcome:
    if exact[0] <= last < exact[-1]:
        return derived.unknown(of.name, "death-day-unknown", through, sources)
    if exact[0] <= last:
        return derived.happened(of.name, exact[0], through, sources)
    return derived.did_not(of.name, through)


def _day(of: Dying) -> date | None:
    return of.first if of.first == of.last else None


def _contradicts(person: FollowedPerson, operation: Operated, seen: date | None) -> bool:
    """Dead before the operation, at two different times, or seen afterwards."""
    whole = [(one.first, one.last) for one in person.deaths if one.first is not None and one.last is not None]
    if not whole:
        return False
    first, last = max(day for day, _ in whole), min(day for _, day in whole)
    return last < operation.day or first > last + _APART or (seen is not None and seen > last + _APART)

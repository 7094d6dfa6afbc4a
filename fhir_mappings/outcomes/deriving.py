"""Every outcome of one operation, by its definition."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from fhir_mappings.outcomes import admissions, deaths, derived, events
from fhir_mappings.outcomes.derived import DerivedOutcome
from fhir_mappings.outcomes.followed_person import FollowedPerson
from fhir_mappings.outcomes.operated import Operated
from fhir_mappings.outcomes.outcome_definitions import DEFINITIONS, OutcomeDefinition


def derive(
    person: FollowedPerson,
    operation: Operated,
    *,
    complete: Collection[str] = (),
    definitions: Iterable[OutcomeDefinition] = DEFINITIONS,
) -> dict[str, DerivedOutcome]:
    """What became of each outcome; `complete`: those that the site says it always records as codes."""
    found: dict[str, DerivedOutcome] = {}
    whole = sorted(definitions, key=lambda one: one.kind == "any-of")
    for of in whole:
        found[of.name] = _one(person, operation, of, complete, found)
    return dict(sorted(found.items()))


def _one(
    person: FollowedPerson,
    operation: Operated,
    of: OutcomeDefinition,
    complete: Collection[str],
    found: dict[str, DerivedOutcome],
) -> DerivedOutcome:
    match of.kind:
        case "death":
            return deaths.death(person, operation, of)
        case "event":
            return events.event(person, operation, of, vouched=not of.vouched or of.name in complete)
        case "reoperation":
            return events.reoperation(person, operation, of)
        case "readmission":
            return admissions.readmission(person, operation, of)
        case "stay":
            return admissions.long_stay(person, operation, of)
        case "any-of":
            return any_of(of, [found[name] for name in of.parts])


def any_of(of: OutcomeDefinition, parts: list[DerivedOutcome]) -> DerivedOutcome:
    """True where one part is, on its first day; false where all are, followed as far as the least of them."""
    through = [one.observed_through for one in parts if one.observed_through is not None]
    least = min(through) if len(through) == len(parts) else None
    certain = [one for one in parts if one.occurred]
    if certain:
        days = [one.occurred_on for one in certain if one.occurred_on is not None]
        first = min(days) if len(days) == len(certain) else None
        evidence = tuple(source for one in certain for source in one.evidence)
        return derived.happened(of.name, first, max(through, default=None), evidence)
    if all(one.occurred is False for one in parts):
        return derived.did_not(of.name, least)
    return derived.unknown(of.name, "part-unknown", least)

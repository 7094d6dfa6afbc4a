"""Whether a trigger of the catalogue holds for a patient, and by which facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from cds_service.advice.catalogue import Trigger
from cds_service.advice.facts import Facts, is_not_done
from fhir_mappings.feature import Feature


class Holds(msgspec.Struct, frozen=True):
    """The trigger holds; the members are what it rests on, in the trigger's order. `not_done`: features, tests."""

    features: tuple[Feature, ...] = ()
    diagnoses: tuple[str, ...] = ()
    medicines: tuple[str, ...] = ()
    not_done: tuple[str, ...] = ()
    performed: tuple[tuple[str, datetime], ...] = ()


_HOLDS = Holds()
Settings = Mapping[str, float]


def evaluate(trigger: Trigger, facts: Facts, settings: Settings) -> Holds | None:
    """The facts by which the trigger holds; None where it does not. `settings`: the tenant's limits by name."""
    if trigger.all:
        found = []
        for part in trigger.all:
            if (holds := evaluate(part, facts, settings)) is None:
                return None
            found.append(holds)
        return _together(found)
    for part in trigger.any:
        if (holds := evaluate(part, facts, settings)) is not None:
            return holds
    return None if trigger.any else _fact(trigger, facts, settings)


def _together(parts: Iterable[Holds]) -> Holds:
    held = tuple(parts)
    return Holds(
        tuple(feature for one in held for feature in one.features),
        tuple(name for one in held for name in one.diagnoses),
        tuple(name for one in held for name in one.medicines),
        tuple(name for one in held for name in one.not_done),
        tuple(pair for one in held for pair in one.performed),
    )


def _fact(trigger: Trigger, facts: Facts, settings: Settings) -> Holds | None:
    if trigger.feature is not None:
        return _feature(trigger, facts.features[trigger.feature], facts, settings)
    if trigger.result is not None:
        found = facts.results.get(trigger.result)
        return _feature(trigger, found, facts, settings) if found is not None else None
    if trigger.diagnosis is not None:
        return Holds(diagnoses=(trigger.diagnosis,)) if trigger.diagnosis in facts.diagnoses else None
    if trigger.medicine is not None:
        return Holds(medicines=(trigger.medicine,)) if trigger.medicine in facts.medicines else None
    if trigger.performed is not None:
        when = facts.performed.get(trigger.performed)
        return Holds(performed=((trigger.performed, when),)) if when is not None else None
    return _test(trigger, facts) or _of_operation(trigger, facts)


def _test(trigger: Trigger, facts: Facts) -> Holds | None:
    if trigger.result_done is not None:
        return _HOLDS if trigger.result_done in facts.done else None
    if trigger.result_not_done is not None:
        name = trigger.result_not_done
        return Holds(not_done=(name,)) if name in facts.not_done else None
    return None


def _of_operation(trigger: Trigger, facts: Facts) -> Holds | None:
    if trigger.operation is not None:
        return _HOLDS if trigger.operation in facts.operation else None
    return _HOLDS if trigger.band is not None and trigger.band == facts.band else None


def _feature(trigger: Trigger, feature: Feature, facts: Facts, settings: Settings) -> Holds | None:
    if trigger.not_done:
        return Holds(not_done=(feature.name,)) if is_not_done(feature) else None
    if not feature.usable:
        return None
    if trigger.known:
        return Holds((feature,))
    if trigger.older_than_days is not None:
        age = facts.as_of - feature.time if feature.time is not None else timedelta()
        return Holds((feature,)) if age > timedelta(days=trigger.older_than_days) else None
    if trigger.is_ is not None:
        return Holds((feature,)) if feature.model_value == trigger.is_ else None
    return Holds((feature,)) if _within(trigger, feature, settings) else None


def _within(trigger: Trigger, feature: Feature, settings: Settings) -> bool:
    """Whether every value that the feature allows lies beyond the limit (inputs 1.5, last sentence)."""
    value = feature.model_value
    if isinstance(value, bool | str) or value is None:
        return False
    at_least = settings[trigger.setting] if trigger.setting is not None else trigger.at_least
    least, most = feature.possible or (value, value)
    if trigger.below is not None:
        return most < trigger.below
    if at_least is not None:
        return least >= at_least
    return least > (trigger.above if trigger.above is not None else float("inf"))

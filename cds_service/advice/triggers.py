"""Whether a trigger of the catalogue holds for a patient, and by which facts."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

import msgspec

from cds_service.advice.catalogue import Trigger
from cds_service.advice.facts import Facts, is_not_done
from cds_service.advice.operation_attributes import Attribute
from fhir_mappings.results.feature import Feature


class Holds(msgspec.Struct, frozen=True):
    """The trigger holds; the members are what it rests on, in the trigger's order. `not_done`: features, tests."""

    features: tuple[Feature, ...] = ()
    diagnoses: tuple[str, ...] = ()
    medicines: tuple[str, ...] = ()
    not_done: tuple[str, ...] = ()
    performed: tuple[tuple[str, datetime], ...] = ()


_HOLDS = Holds()
_NO_NUMBER = (math.nan, math.nan)
Settings = Mapping[str, float]
Test = Callable[[Facts, Settings], Holds | None]
Condition = Callable[[Feature, Facts, Settings], bool]


def evaluate(trigger: Trigger, facts: Facts, settings: Settings) -> Holds | None:
    """The facts by which the trigger holds; None where it does not. `settings`: the tenant's limits by name."""
    return test_of(trigger)(facts, settings)


def for_operation(trigger: Trigger, operation: Collection[Attribute]) -> Test | None:
    """The trigger as one function, for operations that are like this: only what the patient decides is left in it.

    None where it cannot hold for such an operation.
    """
    if trigger.operation is not None:
        return _always if trigger.operation in operation else None
    parts = [for_operation(part, operation) for part in (trigger.all or trigger.any)]
    possible = [part for part in parts if part is not None]
    if trigger.all:
        open_ones = tuple(part for part in possible if part is not _always)
        return (_every(open_ones) if open_ones else _always) if len(possible) == len(parts) else None
    if trigger.any:
        return _first(tuple(possible)) if possible else None
    return test_of(trigger)


def _always(_facts: Facts, _settings: Settings) -> Holds:
    return _HOLDS


def test_of(trigger: Trigger) -> Test:
    """The trigger as one function."""
    if trigger.all:
        return _every(tuple(test_of(part) for part in trigger.all))
    if trigger.any:
        return _first(tuple(test_of(part) for part in trigger.any))
    if trigger.feature is not None:
        return _lacking(trigger.feature) if trigger.not_done else _feature(trigger.feature, _condition(trigger))
    if trigger.result is not None:
        return _result(trigger.result, _condition(trigger))
    if trigger.performed is not None:
        return _performed(trigger.performed)
    return _named(trigger)


def _every(parts: tuple[Test, ...]) -> Test:
    if len(parts) == 1:
        return parts[0]

    def test(facts: Facts, settings: Settings) -> Holds | None:
        found = []
        for part in parts:
            if (holds := part(facts, settings)) is None:
                return None
            found.append(holds)
        return _together(found)

    return test


def _first(parts: tuple[Test, ...]) -> Test:
    if len(parts) == 1:
        return parts[0]

    def test(facts: Facts, settings: Settings) -> Holds | None:
        for part in parts:
            if (holds := part(facts, settings)) is not None:
                return holds
        return None

    return test


def _together(held: list[Holds]) -> Holds:
    return Holds(
        tuple([feature for one in held for feature in one.features]),
        tuple([name for one in held for name in one.diagnoses]),
        tuple([name for one in held for name in one.medicines]),
        tuple([name for one in held for name in one.not_done]),
        tuple([pair for one in held for pair in one.performed]),
    )


def _named(trigger: Trigger) -> Test:
    """A diagnosis, a medicine, a test, what the operation is like, a warning, or the headline's band."""
    if (name := trigger.diagnosis) is not None:
        diagnosed = Holds(diagnoses=(name,))
        return lambda facts, _: diagnosed if name in facts.diagnoses else None
    if (name := trigger.medicine) is not None:
        taken = Holds(medicines=(name,))
        return lambda facts, _: taken if name in facts.medicines else None
    if (done := trigger.result_done) is not None:
        return lambda facts, _: _HOLDS if done in facts.done else None
    if (name := trigger.result_not_done) is not None:
        lacking = Holds(not_done=(name,))
        return lambda facts, _: lacking if name in facts.not_done else None
    if (attribute := trigger.operation) is not None:
        return lambda facts, _: _HOLDS if attribute in facts.operation else None
    return _estimated(trigger.band)


def _estimated(band: str | None) -> Test:
    """A warning, or where the band of the headline is this one."""
    if band is None:
        return lambda facts, _: _HOLDS if facts.warned else None
    return lambda facts, _: _HOLDS if band == facts.band else None


def _performed(name: str) -> Test:
    def test(facts: Facts, _: Settings) -> Holds | None:
        when = facts.performed.get(name)
        return Holds(performed=((name, when),)) if when is not None else None

    return test


def _feature(name: str, condition: Condition) -> Test:
    def test(facts: Facts, settings: Settings) -> Holds | None:
        feature = facts.features[name]
        return Holds((feature,)) if feature.usable and condition(feature, facts, settings) else None

    return test


def _lacking(name: str) -> Test:
    lacking = Holds(not_done=(name,))
    return lambda facts, _: lacking if is_not_done(facts.features[name]) else None


def _result(name: str, condition: Condition) -> Test:
    def test(facts: Facts, settings: Settings) -> Holds | None:
        found = facts.results.get(name)
        if found is None or not found.usable or not condition(found, facts, settings):
            return None
        return Holds((found,))

    return test


def _condition(trigger: Trigger) -> Condition:
    """What a usable feature has to fulfil."""
    if trigger.older_than_days is not None:
        most = timedelta(days=trigger.older_than_days)
        return lambda feature, facts, _: feature.time is not None and facts.as_of - feature.time > most
    if (wanted := trigger.is_) is not None:
        return lambda feature, _, __: feature.model_value == wanted
    if trigger.known:
        return lambda _, __, ___: True
    return _limit(trigger)


def _limit(trigger: Trigger) -> Condition:
    """On which side of a limit every value that the feature allows has to lie (inputs 1.5, last sentence)."""
    if (setting := trigger.setting) is not None:
        return lambda feature, _, settings: _possible(feature)[0] >= settings[setting]
    if (below := trigger.below) is not None:
        return lambda feature, _, __: _possible(feature)[1] < below
    if (at_least := trigger.at_least) is not None:
        return lambda feature, _, __: _possible(feature)[0] >= at_least
    above = trigger.above if trigger.above is not None else math.inf
    return lambda feature, _, __: _possible(feature)[0] > above


def _possible(feature: Feature) -> tuple[float, float]:
    """From where to where the number may lie; what is no number lies beyond no limit."""
    value = feature.model_value
    if value.__class__ is not float and value.__class__ is not int:
        return _NO_NUMBER
    return feature.possible or (value, value)

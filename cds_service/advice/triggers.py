"""Whether a trigger of the catalogue holds for a patient, and by which facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache

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
Test = Callable[[Facts, Settings], Holds | None]
Condition = Callable[[Feature, Facts, Settings], bool]


def evaluate(trigger: Trigger, facts: Facts, settings: Settings) -> Holds | None:
    """The facts by which the trigger holds; None where it does not. `settings`: the tenant's limits by name."""
    return test_of(trigger)(facts, settings)


@lru_cache(maxsize=1024)  # by identity: a trigger is read from its file once
def test_of(trigger: Trigger) -> Test:
    """The trigger as one function, so that a request only asks what the patient decides."""
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
    def test(facts: Facts, settings: Settings) -> Holds | None:
        found = []
        for part in parts:
            if (holds := part(facts, settings)) is None:
                return None
            found.append(holds)
        return _together(found)

    return test


def _first(parts: tuple[Test, ...]) -> Test:
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
    """A diagnosis, a medicine, a test, what the operation is like, or the headline's band."""
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
    band = trigger.band
    return lambda facts, _: _HOLDS if band is not None and band == facts.band else None


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
    return lambda feature, _, settings: _within(trigger, feature, settings)


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

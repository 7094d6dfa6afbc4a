"""What must not change an answer does not: order, codings, units, duplicates, strangers; for everybody there is.

The page size is varied in tests/cds_service/patient_data/test_page_size.py, through the code that pages.
"""

from __future__ import annotations

import random
from collections import Counter
from functools import cache
from typing import Any

import pytest
from msgspec import Raw

from fhir_mappings.report import bulk
from fhir_mappings.results.feature import Features
from fhir_mappings.terminology.unit_texts import ucum
from tests import builders
from tests.builders import an_observation
from tests.fhir_mappings import cohorts
from tests.fhir_mappings.cohorts import KINDS, Person, Resource, derive, differing, hold

# A unit, another one that is listed beside it, and the factor between them.
SCALED = {"g/dL": ("g/L", 10), "10*3/uL": ("/uL", 1000), "cm": ("mm", 10), "kg": ("g", 1000)}
# Inputs that nothing else is computed from.
ALONE = ("haemoglobin", "platelets", "sodium", "glucose", "hba1c", "albumin", "inr", "spo2")


def shuffled(one: Person, chance: random.Random) -> list[Raw]:
    """In another order, with the codings of each concept in another order too."""
    found = [_recoded(raw, chance) if place in one.recoded else raw for place, raw in enumerate(one.resources)]
    chance.shuffle(found)
    return found


def _recoded(raw: Raw, chance: random.Random) -> Raw:
    resource = cohorts.read(raw)
    for concept in cohorts.concepts(resource):
        chance.shuffle(concept["coding"])
    return builders.as_json([resource])[0]


@cache
def rescaled(one: Person) -> tuple[Raw, ...]:
    """The same numbers in another unit of the same kind."""
    return tuple(_rescaled(raw) for raw in one.resources)


def _rescaled(raw: Raw) -> Raw:
    if not any(f'"{unit}"'.encode() in bytes(raw) for unit in SCALED):
        return raw
    resource = cohorts.read(raw)
    quantity = resource.get("valueQuantity", {})
    unit = ucum(str(quantity.get("code") or quantity.get("unit") or ""))
    if unit not in SCALED or "value" not in quantity or quantity.get("unit") != quantity.get("code"):
        return raw
    other, factor = SCALED[unit]
    scaled = builders.a_quantity(round(quantity["value"] * factor, 6), other)
    kept = {"comparator": quantity["comparator"]} if "comparator" in quantity else {}
    return builders.as_json([{**resource, "valueQuantity": scaled | kept}])[0]


def numbers(found: Features) -> dict[str, Any]:
    """What a model is given, and why it is not: rounded as inputs 1.4 compares."""
    return {
        name: (one.usable, round(one.model_value, 6) if isinstance(one.model_value, float) else one.model_value,
               one.reason)
        for name, one in found.items()
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_resources_and_codings_never_matters(kind: str) -> None:
    hold(kind, lambda one, before, chance: differing(before, derive(one, shuffled(one, chance))))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_sent_twice_counts_once(kind: str) -> None:
    def twice(one: Person, before: Features, chance: random.Random) -> list[str]:
        again = chance.choices(one.resources, k=chance.randrange(1, 40))
        return differing(before, derive(one, [*again, *one.resources]))

    hold(kind, twice)


@pytest.mark.parametrize("kind", KINDS)
def test_the_unit_in_which_a_result_is_recorded_never_matters(kind: str) -> None:
    def another_unit(one: Person, before: Features, chance: random.Random) -> list[str]:
        some = [new if chance.random() < 0.5 else old for new, old in zip(rescaled(one), one.resources, strict=True)]
        return [] if numbers(derive(one, some)) == numbers(before) else ["a number"]

    hold(kind, another_unit)


@pytest.mark.parametrize("kind", KINDS)
def test_a_resource_that_no_input_reads_changes_nothing(kind: str) -> None:
    def among_strangers(one: Person, before: Features, chance: random.Random) -> list[str]:
        # Of a list of which nothing was understood, one readable entry makes a list of which some was not (1.1).
        if any(feature.reason == "not-understood" for feature in before.values()):
            return []
        found = list(one.resources)
        for stranger in builders.as_json(strangers(one.id)):
            found.insert(chance.randrange(len(found) + 1), stranger)
        return differing(before, derive(one, found))

    hold(kind, among_strangers)


def strangers(patient_id: str) -> list[Resource]:
    subject = {"reference": f"Patient/{patient_id}"}
    return [
        an_observation("8867-4", 71, "/min", subject=subject),
        builders.a_condition("H25.9", subject=subject, id="c-cataract"),
        {"resourceType": "Provenance", "target": []},
        {"resourceType": "AllergyIntolerance", "patient": subject},
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_results_of_one_input_only_that_input_changes(kind: str) -> None:
    def without_one(one: Person, before: Features, chance: random.Random) -> list[str]:
        sources = Counter(feature.source for feature in before.values())
        usable = [name for name in ALONE if before[name].usable and sources[before[name].source] == 1]  # no panel
        if not usable:
            return []
        name = chance.choice(usable)
        written = {*builders.codes_of(name), str(before[name].source).rpartition("/")[2]}
        marks = [f'"{text}"'.encode() for text in written]
        after = derive(one, [raw for raw in one.resources if not any(mark in bytes(raw) for mark in marks)])
        gone = after[name].status == "missing" and after[name].reason in ("never-recorded", "not-understood")
        return [other for other in differing(before, after) if other != name] + ([] if gone else [name])

    hold(kind, without_one)


def test_a_property_that_does_not_hold_is_seen() -> None:
    with pytest.raises(AssertionError):
        hold("demo", lambda one, before, chance: ["age"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_cohorts_are_whole(kind: str) -> None:
    everyone = cohorts.everybody(kind)
    assert len(everyone) == {"messy": 56, "demo": 9, "synthea": 200}[kind]
    if kind == "synthea":
        types = Counter(bulk.type_of(raw) for one in everyone for raw in one.resources)
        assert types["MedicationRequest"] == 8_252
    usable = Counter(name for found in cohorts.derived(kind).values() for name in ALONE if found[name].usable)
    assert usable["haemoglobin"] > 0

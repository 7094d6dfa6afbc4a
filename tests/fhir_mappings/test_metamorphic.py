"""What must not change an answer does not: order, codings, units, duplicates, strangers."""

from __future__ import annotations

import copy
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fhir_mappings import bulk, features
from fhir_mappings.feature import Features
from fhir_mappings.units import ucum
from tests import builders
from tests.builders import ZONE, a_planned_procedure, an_observation

Resource = dict[str, Any]
SHARED = Path(__file__).resolve().parents[3] / "shared" / "fhir" / "synthea"
FOLDERS = Path(__file__).parents[1] / "patients"
AS_OF = datetime(2026, 11, 1, 12, tzinfo=UTC)  # the day on which the Synthea patients were made
SAMPLE = 40  # of the 200 Synthea patients, for every property; the mutator takes all of them
# An input that the scale of one unit never moves: recorded in, and the factor to, another listed unit.
SCALED = {"g/dL": ("g/L", 10), "10*3/uL": ("/uL", 1000), "cm": ("mm", 10), "kg": ("g", 1000)}


@cache
def demo_people() -> tuple[tuple[Resource, ...], ...]:
    """The invented patients of the messy cases whose data can be read at all."""
    people = []
    for path in sorted(FOLDERS.glob("*/request.json")):
        prefetch = json.loads(path.read_text())["prefetch"]
        found = [prefetch["patient"]] if prefetch.get("patient") else []
        for value in prefetch.values():
            entries = value.get("entry", ()) if isinstance(value, dict) else ()
            found += [entry["resource"] for entry in entries if "resource" in entry]
        people.append(tuple(one for one in found if _is_own(one)))
    return tuple(people)


def _is_own(resource: Resource) -> bool:
    subject = resource.get("subject", {}).get("reference", "")
    return resource["resourceType"] == "Patient" or subject.endswith("pt-1")


@cache
def synthea_people() -> tuple[tuple[Resource, ...], ...]:
    return tuple(tuple(msgspec.json.decode(raw) for raw in one) for one in bulk.by_patient(SHARED).values())


def derive(resources: tuple[Resource, ...] | list[Resource]) -> Features:
    patient = next(one for one in resources if one["resourceType"] == "Patient")
    results = bulk.searches(builders.as_json(resources))
    record = bulk.record(results, patient_id=patient["id"], as_of=AS_OF, zone=ZONE, maps=builders.DEMO_MAPS)
    return features.derive(record, a_planned_procedure())


def shuffled(person: tuple[Resource, ...], seed: random.Random) -> list[Resource]:
    """In another order, with the codings of each concept in another order too."""
    found = [copy.deepcopy(one) for one in person]
    seed.shuffle(found)
    for concept in (concept for one in found for concept in _concepts(one)):
        seed.shuffle(concept["coding"])
    return found


def _concepts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("coding"), list):
            yield value
        for inner in value.values():
            yield from _concepts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _concepts(inner)


def rescaled(person: tuple[Resource, ...]) -> list[Resource]:
    """The same numbers in another unit of the same kind."""
    return [_rescaled(one) for one in person]


def _rescaled(one: Resource) -> Resource:
    quantity = one.get("valueQuantity", {})
    unit = ucum(str(quantity.get("code") or quantity.get("unit") or ""))
    if unit not in SCALED or "value" not in quantity or quantity.get("unit") != quantity.get("code"):
        return one
    other, factor = SCALED[unit]
    scaled = builders.a_quantity(round(quantity["value"] * factor, 6), other)
    kept = {"comparator": quantity["comparator"]} if "comparator" in quantity else {}
    return {**one, "valueQuantity": scaled | kept}


def numbers(found: Features) -> dict[str, Any]:
    """What a model is given, and why it is not: rounded as inputs 1.4 compares."""
    return {
        name: (one.usable, round(one.model_value, 6) if isinstance(one.model_value, float) else one.model_value,
               one.reason)
        for name, one in found.items()
    }  # fmt: skip


def people(kind: str) -> st.SearchStrategy[tuple[Resource, ...]]:
    source = demo_people() if kind == "demo" else synthea_people()[:SAMPLE]
    return st.sampled_from([person for person in source if any(one["resourceType"] == "Patient" for one in person)])


KINDS = ["demo", pytest.param("synthea", marks=pytest.mark.shared)]
BOUNDED = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("kind", KINDS)
@BOUNDED
@given(data=st.data())
def test_the_order_of_resources_and_codings_never_matters(kind: str, data: st.DataObject) -> None:
    person = data.draw(people(kind))
    assert derive(shuffled(person, random.Random(data.draw(st.integers())))) == derive(person)


@pytest.mark.parametrize("kind", KINDS)
@BOUNDED
@given(data=st.data())
def test_what_is_sent_twice_counts_once(kind: str, data: st.DataObject) -> None:
    person = data.draw(people(kind))
    again = data.draw(st.lists(st.sampled_from(person), max_size=20))
    assert derive([*person, *again]) == derive(person)


@pytest.mark.parametrize("kind", KINDS)
@BOUNDED
@given(data=st.data())
def test_the_unit_in_which_a_result_is_recorded_never_matters(kind: str, data: st.DataObject) -> None:
    person = data.draw(people(kind))
    assert numbers(derive(rescaled(person))) == numbers(derive(person))


@pytest.mark.parametrize("kind", KINDS)
@BOUNDED
@given(data=st.data())
def test_a_resource_that_no_input_reads_changes_nothing(kind: str, data: st.DataObject) -> None:
    person = data.draw(people(kind))
    # Of a list of which nothing could be read, one readable entry makes a list of which some could not be (inputs 1.1).
    assume(all(feature.reason != "unreadable" for feature in derive(person).values()))
    patient = next(one for one in person if one["resourceType"] == "Patient")
    subject = {"reference": f"Patient/{patient['id']}"}
    strangers = [
        an_observation("8867-4", 71, "/min", subject=subject),
        builders.a_condition("H25.9", subject=subject, id="c-cataract"),
        {"resourceType": "Provenance", "target": []},
        {"resourceType": "AllergyIntolerance", "patient": subject},
    ]
    assert derive([*strangers, *person]) == derive(person)


@pytest.mark.parametrize("kind", KINDS)
@BOUNDED
@given(data=st.data())
def test_without_the_results_of_one_input_only_that_input_and_what_is_computed_from_it_change(
    kind: str, data: st.DataObject
) -> None:
    person = data.draw(people(kind))
    before = derive(person)
    inputs = [name for name in ("haemoglobin", "platelets", "sodium", "glucose", "hba1c") if before[name].usable]
    name = data.draw(st.sampled_from(inputs)) if inputs else None
    if name is None:
        return
    codes = builders.codes_of(name)
    after = derive([one for one in person if not codes & set(_codes(one))])
    changed = {other for other in before if before[other] != after[other]}
    assert changed == {name}
    assert after[name].reason == "never-recorded"


def _codes(resource: Resource) -> list[str]:
    own = [coding.get("code", "") for coding in resource.get("code", {}).get("coding", ())]
    return own + [code for component in resource.get("component", ()) for code in _codes(component)]


@pytest.mark.shared
def test_the_cohort_is_read_whole() -> None:
    everyone = synthea_people()
    types = defaultdict(int)
    for person in everyone:
        for one in person:
            types[one["resourceType"]] += 1
    assert len(everyone) == 200
    assert types["MedicationRequest"] == 8_252

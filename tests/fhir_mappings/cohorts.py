"""Everybody that a property is held for: the messy cases, the service's demo patients, and 200 Synthea patients."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Raw

from cds_service.demo import patients
from fhir_mappings.features import features
from fhir_mappings.report import bulk
from fhir_mappings.results.feature import Features
from tests import builders

Resource = dict[str, Any]
SHARED = Path(__file__).resolve().parents[3] / "shared" / "fhir" / "synthea"
FOLDERS = Path(__file__).parents[1] / "patients"
AS_OF = datetime(2026, 11, 1, 12, tzinfo=UTC)  # the day on which the Synthea patients were made
KINDS = ["messy", "demo", pytest.param("synthea", marks=pytest.mark.shared)]
EXAMPLES = {"messy": 15, "demo": 25, "synthea": 3}  # each of them over everybody


@dataclass(frozen=True, eq=False)
class Person:
    """One patient's resources as JSON; `recoded`: the places of those that have a concept with several codings."""

    id: str
    resources: tuple[Raw, ...]
    recoded: frozenset[int]
    as_of: datetime


def person(patient_id: str, resources: Iterable[Raw], as_of: datetime = AS_OF) -> Person:
    found = tuple(resources)
    several = (number for number, raw in enumerate(found) if any(len(one["coding"]) > 1 for one in concepts(read(raw))))
    return Person(patient_id, found, frozenset(several), as_of)


@cache
def everybody(kind: str) -> tuple[Person, ...]:
    """Every person of one kind who has a Patient resource."""
    return tuple({"messy": _messy, "demo": _demo, "synthea": _synthea}[kind]())


def _messy() -> Iterator[Person]:
    for path in sorted(FOLDERS.glob("*/request.json")):
        prefetch = json.loads(path.read_text())["prefetch"]
        found = [prefetch["patient"]] if prefetch.get("patient") else []
        for value in prefetch.values():
            entries = value.get("entry", ()) if isinstance(value, dict) else ()
            found += [entry["resource"] for entry in entries if "resource" in entry]
        own = [one for one in found if _is_own(one)]
        if any(one["resourceType"] == "Patient" for one in own):
            as_of = yaml.safe_load(path.with_name("expected.yaml").read_text())["as_of"]
            patient_id = next(one["id"] for one in own if one["resourceType"] == "Patient")
            yield person(patient_id, builders.as_json(own), datetime.fromisoformat(as_of))


def _is_own(resource: Resource) -> bool:
    subject = str(resource.get("subject", {}).get("reference", ""))
    return resource["resourceType"] == "Patient" or subject.endswith("pt-1")


def _demo() -> Iterator[Person]:
    for one in patients.load(AS_OF):
        yield person(one.id, builders.as_json(one.resources))


def _synthea() -> Iterator[Person]:
    for patient_id, resources in bulk.by_patient(SHARED).items():
        yield person(patient_id, resources)


def read(raw: Raw) -> Resource:
    found: Resource = msgspec.json.decode(raw)
    return found


def concepts(value: Any) -> Iterator[dict[str, Any]]:
    """Every CodeableConcept in a resource."""
    if isinstance(value, dict):
        if isinstance(value.get("coding"), list):
            yield value
        for inner in value.values():
            yield from concepts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from concepts(inner)


def derive(one: Person, resources: Iterable[Raw] | None = None) -> Features:
    """The features of a person, from their own resources or from these."""
    results = bulk.searches(one.resources if resources is None else resources)
    record = bulk.record(results, patient_id=one.id, as_of=one.as_of, zone=builders.ZONE, maps=builders.DEMO_MAPS)
    return features.derive(record, builders.a_planned_procedure())


@cache
def derived(kind: str) -> dict[str, Features]:
    """By person what their untouched resources give."""
    return {one.id + str(number): derive(one) for number, one in enumerate(everybody(kind))}


def hold(kind: str, changed: Callable[[Person, Features, random.Random], list[str]]) -> None:
    """Assert that nobody of this kind has an input that `changed` names, for seeds that hypothesis chooses."""

    @settings(
        max_examples=EXAMPLES[kind],
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(seed=st.integers(0, 2**32))
    def every(seed: int) -> None:
        chance, wrong = random.Random(seed), {}
        for one, before in zip(everybody(kind), derived(kind).values(), strict=True):
            if names := changed(one, before, chance):
                wrong[one.id] = names
        assert wrong == {}

    every()


def differing(before: Features, after: Features) -> list[str]:
    """The names of the inputs that are not the same."""
    return [name for name in before if before[name] != after[name]]

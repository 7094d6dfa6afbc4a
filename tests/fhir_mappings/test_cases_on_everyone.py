"""The mutator's run: each messy case applied to 200 people, invented in CI and Synthea's where they are at hand."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from fhir_mappings.features import features
from fhir_mappings.fhir.decode_resources import WrongPatientError
from fhir_mappings.orders.procedures import NoProcedure
from fhir_mappings.patient import patient_record
from tests.acceptance.messy_cases import CASES
from tests.builders import DEMO_MAPS
from tests.fhir_mappings import cohorts, generated
from tests.fhir_mappings.cohorts import Person
from tests.fhir_mappings.grafts import READABLE, applied
from tests.fhir_mappings.test_messy_data import patient_of, planned, searches_of, told

BUDGET_S = 120  # for one case over everybody, on a machine that is shared
SHARED, LONG = pytest.mark.shared, pytest.mark.long
# `make test` tries each case on a third of Synthea's patients, the next case on the next third; `make long` on all.
THIRD = "a third of synthea"
KINDS = ["generated", pytest.param(THIRD, marks=SHARED), pytest.param("synthea", marks=[SHARED, LONG])]


def everybody(kind: str, name: str) -> tuple[Person, ...]:
    if kind == THIRD:
        return cohorts.everybody("synthea")[READABLE.index(name) % 3 :: 3]
    return generated.everybody() if kind == "generated" else cohorts.everybody(kind)


def wrong(name: str, one: Person) -> list[str]:
    """What is not as the case's folder says, for this person."""
    request, expected = applied(name, one), CASES[name]
    order = planned(request)
    if isinstance(order, NoProcedure):
        return [] if expected["procedure"] == {"none": order.reason} else [order.reason]
    if "none" in expected["procedure"] or order[0].group != expected["procedure"]:
        return [order[0].group]
    if name == "patient-url":  # refused before anything is read: tests/acceptance
        return []
    results, as_of = searches_of(request, expected), datetime.fromisoformat(expected["as_of"])
    try:
        record = patient_record.read_record(
            results, patient_id=patient_of(request), as_of=as_of, zone=ZoneInfo(expected["zone"]), maps=DEMO_MAPS
        )
    except WrongPatientError:
        return [] if expected.get("error") == "wrong-patient" else ["wrong-patient"]
    if "error" in expected:
        return ["the other patient was not seen"]
    found = features.derive(record, order[0])
    members = {feature: set(wanted) - {"flags"} for feature, wanted in expected["inputs"].items()}
    return [
        f"{feature}: {told(found[feature], names)}"
        for feature, names in members.items()
        if told(found[feature], names) != {name: expected["inputs"][feature][name] for name in names}
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", READABLE)
def test_a_case_ends_as_stated_for_everybody(name: str, kind: str) -> None:
    people = everybody(kind, name)
    started = time.monotonic()
    assert len(people) >= (66 if kind == THIRD else 200)
    found = {}
    for number, one in enumerate(people):
        assert time.monotonic() - started < BUDGET_S, f"{number} of {len(people)} people"
        if problems := wrong(name, one):
            found[one.id] = problems
    assert found == {}


def test_a_case_that_ends_otherwise_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CASES, "old-result", {**CASES["old-result"], "inputs": {"haemoglobin": {"status": "used"}}})
    assert wrong("old-result", generated.everybody()[0]) != []


def test_the_people_are_not_all_alike() -> None:
    people = generated.everybody()
    assert len({one.id for one in people}) == generated.COUNT == 200
    sizes = {len(one.resources) for one in people}
    assert (min(sizes) <= 5, max(sizes) >= 25) == (True, True)

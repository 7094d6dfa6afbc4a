"""A limit holds only if every value that a result allows lies beyond it; what is unknown fulfils nothing."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from cds_service.advice.catalogue import Trigger
from cds_service.advice.choice import CATALOGUE
from cds_service.advice.operation_attributes import attributes
from cds_service.advice.triggers import Holds, evaluate, for_operation
from fhir_mappings.results.feature import Feature
from tests.builders import a_condition, a_patient, an_observation
from tests.cds_service.advice import people

SETTINGS = {"hba1c_percent": 8.0}
FACTS = people.facts(a_condition("E11.9"))
# What a comparator allows, as quantities.py writes it.
POSSIBLE = {
    "<": lambda limit: (-math.inf, math.nextafter(limit, -math.inf)),
    "<=": lambda limit: (-math.inf, limit),
    ">": lambda limit: (math.nextafter(limit, math.inf), math.inf),
    ">=": lambda limit: (limit, math.inf),
}


def holds(trigger: dict[str, Any], **feature: Any) -> Holds | None:
    facts = FACTS
    if feature:
        given = Feature(**({"status": "used", "model_value": feature.get("value")} | feature))
        facts = msgspec.structs.replace(FACTS, features=FACTS.features | {given.name: given})
    return evaluate(msgspec.convert(trigger, Trigger), facts, SETTINGS)


@pytest.mark.parametrize(
    ("trigger", "value", "comparator", "expected"),
    [
        ({"below": 13}, 12.9, None, True),
        ({"below": 13}, 13.0, None, False),
        ({"below": 13}, 13.0, "<", True),
        ({"below": 13}, 13.0, "<=", False),
        ({"below": 13}, 12.0, "<=", True),
        ({"below": 13}, 12.0, ">", False),
        ({"above": 13}, 13.0, None, False),
        ({"above": 13}, 13.1, None, True),
        ({"above": 13}, 13.0, ">", True),
        ({"above": 13}, 14.0, "<", False),
        ({"at_least": 13}, 13.0, None, True),
        ({"at_least": 13}, 13.0, ">=", True),
        ({"at_least": 13}, 12.9, None, False),
        ({"at_least": 13}, 14.0, "<=", False),
    ],
)
def test_a_limit(trigger: dict[str, Any], value: float, comparator: str | None, expected: bool) -> None:
    possible = POSSIBLE[comparator](value) if comparator else None
    found = holds({"feature": "haemoglobin"} | trigger, name="haemoglobin", value=value, possible=possible)
    assert (found is not None) == expected


@pytest.mark.parametrize(("born", "fires"), [("1960-11-20", True), ("1961", False), ("1960", True), ("1962", False)])
def test_a_limit_on_age_holds_only_for_every_possible_age(born: str, fires: bool) -> None:
    facts = people.facts(a_patient(birthDate=born))
    assert (evaluate(Trigger(feature="age", at_least=65), facts, SETTINGS) is not None) == fires


def test_the_side_of_the_recorded_unit_decides() -> None:
    """130 g/L is not below 13 g/dL, whatever a conversion makes of it (inputs 1.5)."""
    for value, fires in ((129.0, True), (130.0, False)):
        facts = people.facts(an_observation("718-7", value, "g/L"))
        found = evaluate(Trigger(feature="haemoglobin", below=13), facts, SETTINGS)
        assert (found is not None) == fires


def test_a_limit_of_the_tenant_is_looked_up() -> None:
    assert holds({"feature": "hba1c", "setting": "hba1c_percent"}, name="hba1c", value=8.0)
    assert not holds({"feature": "hba1c", "setting": "hba1c_percent"}, name="hba1c", value=7.9)


@pytest.mark.parametrize("status", ["missing", "stale", "rejected", "conflicting"])
def test_a_value_that_is_not_usable_fulfils_no_limit(status: str) -> None:
    assert not holds({"feature": "haemoglobin", "below": 13}, name="haemoglobin", value=9.0, status=status)


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        ("missing", "never-recorded", True),
        ("missing", "not-done", True),
        ("stale", None, True),
        ("missing", "declined", False),
        ("missing", "masked", False),
        ("missing", "fetch-failed", False),
        ("missing", "not-authorised", False),
        ("missing", "not-provided", False),
        ("missing", "truncated", False),
        ("rejected", "implausible", False),
        ("conflicting", "values-differ", False),
    ],
)
def test_not_done_means_searched_for_and_not_there(status: str, reason: str | None, expected: bool) -> None:
    found = holds({"feature": "hba1c", "not_done": True}, name="hba1c", value=None, status=status, reason=reason)
    assert (found == Holds(not_done=("hba1c",))) == expected


def test_all_and_any_tell_what_they_rest_on() -> None:
    both = {"all": [{"feature": "diabetes", "is": True}, {"operation": "spine"}]}
    found = holds(both)
    assert found is not None
    assert [feature.name for feature in found.features] == ["diabetes"]
    assert holds({"all": [{"feature": "diabetes", "is": True}, {"feature": "copd", "is": True}]}) is None
    assert holds({"any": [{"feature": "copd", "is": True}, {"feature": "diabetes", "is": True}]}) == found


def test_a_yes_no_that_is_unknown_is_not_false() -> None:
    absent = {"name": "diabetes", "status": "missing", "value": None, "reason": "fetch-failed"}
    assert not holds({"feature": "diabetes", "is": True}, **absent)
    assert not holds({"feature": "diabetes", "is": False}, **absent)


@pytest.mark.parametrize(
    "group", ["spine-fusion", "spine-decompression", "hip-arthroplasty", "lung-resection", "mastectomy", "unheard-of"]
)
@pytest.mark.parametrize(
    "known",
    [
        (),
        (a_condition("E11.9"), a_condition("I25.2"), a_condition("G47.33"), an_observation("718-7", 10.9, "g/dL")),
        (an_observation("4548-4", 9.1, "%"), an_observation("2160-0", 1.9, "mg/dL"), a_condition("J44.9")),
    ],
    ids=["nothing", "anaemia", "high HbA1c"],
)
def test_what_is_known_of_the_operation_changes_no_row(group: str, known: tuple[Any, ...]) -> None:
    facts = msgspec.structs.replace(people.facts(*known), operation=attributes(group))
    settings = {**SETTINGS, "hba1c_percent_spine": 8.0}
    for row in CATALOGUE.rows:
        test = for_operation(row.trigger, facts.operation)
        assert (test(facts, settings) if test else None) == evaluate(row.trigger, facts, settings), row.id

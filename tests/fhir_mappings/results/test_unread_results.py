"""A result that is not read is told as what it is: never as one that was never recorded, and never used."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.terminology.code_systems import LOINC
from tests.builders import (
    MEASUREMENTS,
    PATIENT_ID,
    a_quantity,
    an_answer,
    an_observation,
    coded,
    days_ago,
    derived,
)

ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
MODIFIER = {"url": "http://hospital.example/not-this-patient", "valueBoolean": True}
# Members that no R4 Observation has, in shapes that no reader of ours takes.
BROKEN: dict[str, dict[str, Any]] = {
    "a time that is a number": {"effectiveDateTime": 20261124},
    "a time that is a list": {"effectiveDateTime": [days_ago(3)]},
    "a period that is a text": {"effectiveDateTime": None, "effectivePeriod": "2026"},
    "a timing that is a text": {"effectiveDateTime": None, "effectiveTiming": "2026"},
    "an issue that is a number": {"issued": 5},
    "an id that is a number": {"id": 5},
    "a status that is a number": {"status": 5},
    "a value that is a number": {"valueQuantity": 5},
    "a value that is a list": {"valueQuantity": [a_quantity(1.1)]},
    "a number that is a text": {"valueQuantity": {"value": "1.1", "unit": "mg/dL"}},
    "a unit that is a number": {"valueQuantity": {"value": 1.1, "unit": 5}},
    "a code of the value that is a text": {"valueQuantity": None, "valueCodeableConcept": "normal"},
    "a text that is a number": {"valueQuantity": None, "valueString": 5},
    "a range that is a text": {"valueQuantity": None, "valueRange": "1 to 2"},
    "a whole number that is none": {"valueQuantity": None, "valueInteger": 1.5},
    "a reason that is a text": {"dataAbsentReason": "unknown"},
    "parts that are no list": {"component": {"code": coded((LOINC, "8302-2"))}},
    "a part that is a text": {"component": ["8302-2"]},
    "a modifier": {"modifierExtension": [MODIFIER]},
    "a modifier that is a text": {"modifierExtension": "not this patient"},
    "a member of STU3": {"comment": "seen"},
    "nobody's": {"subject": None},
    "somebody's": {"subject": {"display": "the neighbour"}},
    "a subject that is a text": {"subject": f"Patient/{PATIENT_ID}"},
    "a date of no kind": {"effectiveDateTime": "24.11.2026"},
    "no status": {"status": None},
    "another status": {"status": "FINAL"},
}
BROKEN_CODES: dict[str, Any] = {
    "a coding of another shape beside it": lambda code: {"coding": [5, {"system": LOINC, "code": code}]},
    "a coding alone": lambda code: {"coding": {"system": LOINC, "code": code}},
    "a text that is a number": lambda code: {"coding": [{"system": LOINC, "code": code}], "text": 5},
    "a code that is a number beside it": lambda code: {"coding": [{"code": 5}, {"system": LOINC, "code": code}]},
}


@pytest.mark.parametrize("way", BROKEN)
@pytest.mark.parametrize("name", MEASUREMENTS)
def test_a_measurement_that_cannot_be_read_is_told_as_recorded(name: str, way: str) -> None:
    code, unit = MEASUREMENTS[name]
    found = derived(an_observation(code, 50, unit, **BROKEN[way]))[name]
    assert (found.status, found.value, found.reason != "never-recorded") == ("rejected", None, True)


@pytest.mark.parametrize("way", BROKEN_CODES)
def test_a_result_of_which_only_the_code_can_be_told_is_told_as_recorded(way: str) -> None:
    found = derived(an_observation(BROKEN_CODES[way]("2160-0")))["creatinine"]
    assert (found.status, found.reason) == ("rejected", "unreadable")


@pytest.mark.parametrize("way", [way for way in BROKEN if "valueQuantity" not in BROKEN[way]])
def test_an_answer_that_cannot_be_read_is_told_as_recorded(way: str) -> None:
    asa = an_observation("97816-3", None, **{"valueInteger": 3, **BROKEN[way]})
    smoking = an_answer("72166-2", (LOINC, "LA18978-9"), **BROKEN[way])
    found = derived(asa, smoking)
    assert [found[name].status for name in ("asa_class", "smoking_status")] == ["rejected", "rejected"]


@pytest.mark.parametrize("part", [{"valueQuantity": 5}, {"modifierExtension": [MODIFIER]}, {"valueString": 5}])
def test_a_part_of_a_panel_that_cannot_be_read_is_told_as_recorded(part: dict[str, Any]) -> None:
    parts = [{"code": coded((LOINC, "2160-0")), "valueQuantity": a_quantity(1.1), **part},
             {"code": coded((LOINC, "2951-2")), "valueQuantity": a_quantity(140, "mmol/L")}]  # fmt: skip
    found = derived(an_observation("24323-8", None, component=parts))
    assert (found["creatinine"].status, found["creatinine"].reason) == ("rejected", "unreadable")
    assert found["sodium"].reason == (None if "valueQuantity" in part else "unreadable")


@pytest.mark.parametrize("way", BROKEN)
def test_what_cannot_be_read_hides_nothing_that_can(way: str) -> None:
    good = an_observation(value=1.4, id="good", effectiveDateTime=days_ago(20))
    found = derived(an_observation(value=2.2, **{"id": "bad", **BROKEN[way]}), good)["creatinine"]
    assert (found.value, found.source) == (1.4, "Observation/good")


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
@pytest.mark.parametrize("way", ["a time that is a number", "a modifier", "nobody's", "a part that is a text"])
def test_what_was_withdrawn_is_not_told_however_it_is_written(way: str, status: str) -> None:
    found = derived(an_observation(**{**BROKEN[way], "status": status}))["creatinine"]
    assert found.status == "missing"
    assert found.reason in ("never-recorded", "not-understood")  # the latter beside any entry that was set aside


@pytest.mark.parametrize(
    "members",
    [
        {"status": "registered"},
        {"status": "registered", "valueQuantity": None},
        {"status": "registered", "effectiveDateTime": None},
        {"status": "registered", "effectiveDateTime": days_ago(-3)},
        {"status": "preliminary", "valueQuantity": None},
        {"valueQuantity": None, "dataAbsentReason": coded((ABSENT, "temp-unknown"))},
    ],
)
def test_a_result_that_is_to_come_is_awaited(members: dict[str, Any]) -> None:
    found = derived(an_observation(**members))["creatinine"]
    assert (found.status, found.reason, found.value) == ("missing", "awaited", None)


def test_a_result_that_is_to_come_hides_nothing_that_came() -> None:
    awaited = an_observation(id="awaited", status="registered", effectiveDateTime=days_ago(1))
    for came, status in ((days_ago(20), "used"), (days_ago(120), "stale")):
        found = derived(awaited, an_observation(value=1.4, id="came", effectiveDateTime=came))["creatinine"]
        assert (found.status, found.value) == (status, 1.4)
    refused = derived(awaited, an_observation(value=999, id="came"))["creatinine"]
    assert (refused.status, refused.reason) == ("rejected", "implausible")


@pytest.mark.parametrize("members", [{"status": "registered"}, {"modifierExtension": [MODIFIER]}, {"id": 5}])
def test_what_is_older_than_the_window_and_was_not_read_is_not_told(members: dict[str, Any]) -> None:
    found = derived(an_observation(effectiveDateTime=days_ago(120), **members))["creatinine"]
    assert found.status == "missing"
    assert found.reason in ("never-recorded", "not-understood")  # the latter beside any entry that was set aside


@pytest.mark.parametrize("nothing", [[], None])
def test_a_modifier_that_says_nothing_changes_nothing(nothing: Any) -> None:
    observation = an_observation() | {"modifierExtension": nothing}
    assert derived(observation)["creatinine"].value == 1.1

"""ASA class, functional status and smoking (inputs 4)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.terminology.code_systems import LOINC, SNOMED_CT
from fhir_mappings.terminology.concept_maps import EMPTY
from tests.builders import (
    DEMO_CODES,
    a_condition,
    a_quantity,
    an_answer,
    an_observation,
    coded,
    date_ago,
    days_ago,
    derived,
)


@pytest.mark.parametrize(
    ("members", "status", "value", "reason"),
    [
        ({"valueCodeableConcept": coded((SNOMED_CT, "413497009"))}, "used", 3, None),
        ({"valueCodeableConcept": coded((SNOMED_CT, "413498004"))}, "used", 4, None),
        ({"valueCodeableConcept": coded((SNOMED_CT, "413500003"))}, "rejected", None, "out-of-range"),
        ({"valueCodeableConcept": coded((SNOMED_CT, "413497009"), (SNOMED_CT, "413495001"))}, "conflicting", None,
         "two-concepts"),
        ({"valueInteger": 2}, "used", 2, None),
        ({"valueInteger": 6}, "rejected", None, "out-of-range"),
        *(({"valueCodeableConcept": coded((LOINC, code))}, "used", number, None) for number, code in enumerate(
            ("LA28813-6", "LA28814-4", "LA28815-1", "LA28816-9", "LA28817-7"), start=1)),
        ({"valueCodeableConcept": coded((LOINC, "LA28818-5"))}, "rejected", None, "out-of-range"),
        ({"valueCodeableConcept": coded((LOINC, "LA28815-1"), (SNOMED_CT, "413497009"))}, "used", 3, None),
        ({"valueCodeableConcept": coded((LOINC, "LA28815-1"), (SNOMED_CT, "413496000"))}, "conflicting", None,
         "two-concepts"),
        ({"valueQuantity": a_quantity(3, "{score}")}, "used", 3, None),
        ({"valueQuantity": a_quantity(3, "{class}")}, "used", 3, None),
        ({"valueQuantity": a_quantity(3, "1")}, "used", 3, None),
        ({"valueQuantity": a_quantity(3.0, None)}, "used", 3, None),
        ({"valueQuantity": {"value": 3, "unit": "score"}}, "used", 3, None),
        ({"valueQuantity": a_quantity(3, "mg/dL")}, "rejected", None, "answer-unknown"),
        ({"valueQuantity": a_quantity(3, "%")}, "rejected", None, "answer-unknown"),
        ({"valueQuantity": a_quantity(3, "of five")}, "rejected", None, "answer-unknown"),
        ({"valueQuantity": a_quantity(3, None, comparator="<")}, "rejected", None, "answer-unknown"),
        ({"valueQuantity": a_quantity(2.5, None)}, "rejected", None, "out-of-range"),
        ({"valueQuantity": a_quantity(6, None)}, "rejected", None, "out-of-range"),
        ({"valueQuantity": a_quantity(0, "{score}")}, "rejected", None, "out-of-range"),
        ({"valueQuantity": {"value": "3"}}, "rejected", None, "answer-unknown"),
        ({"valueString": "ASA III"}, "used", 3, None),
        ({"valueString": "IVE"}, "used", 4, None),
        ({"valueString": "2 E"}, "used", 2, None),
        ({"valueString": "III-IV"}, "rejected", None, "answer-unknown"),
        ({"valueBoolean": True}, "rejected", None, "answer-unknown"),
        ({"valueInteger": 3, "effectiveDateTime": days_ago(91)}, "stale", 3, "stale"),
        ({}, "missing", None, "unknown"),
    ],
)  # fmt: skip
def test_an_asa_class_is_one_to_five(members: Any, status: str, value: float | None, reason: str | None) -> None:
    found = derived(an_observation("97816-3", None, **members))["asa_class"]
    assert (found.status, found.value, found.reason) == (status, value, reason)


@pytest.mark.parametrize(
    ("answer", "value"),
    [("FUNC-INDEPENDENT", "independent"), ("FUNC-PARTIAL", "partially-dependent"), ("FUNC-TOTAL", "totally-dependent")],
)
def test_functional_status_comes_by_the_sites_map(answer: str, value: str) -> None:
    item = an_answer(coded((DEMO_CODES, "FUNC")), (DEMO_CODES, answer))
    assert derived(item)["functional_status"].value == value


def test_functional_status_without_a_map_says_so() -> None:
    assert derived(maps=EMPTY)["functional_status"].reason == "no-site-map"
    assert derived()["functional_status"].reason == "never-recorded"


@pytest.mark.parametrize(
    ("system", "code", "value", "reason"),
    [
        (SNOMED_CT, "449868002", "current", None),
        (LOINC, "LA18982-1", "current", None),
        (SNOMED_CT, "8517006", "former", None),
        (LOINC, "LA18978-9", "never", None),
        (SNOMED_CT, "266927001", None, "status-unknown"),
        (SNOMED_CT, "77176002", None, "status-unknown"),
        (SNOMED_CT, "44054006", None, "answer-unknown"),
    ],
)
def test_smoking_is_never_former_or_current(system: str, code: str, value: str | None, reason: str | None) -> None:
    found = derived(an_answer("72166-2", (system, code)))["smoking_status"]
    assert (found.value, found.reason) == (value, reason)


@pytest.mark.parametrize(
    ("condition", "value", "flags"),
    [
        (a_condition("F17.210"), "current", ("by-diagnosis",)),
        (a_condition("F17.211"), "former", ("by-diagnosis",)),
        (a_condition("Z87.891"), "former", ("by-diagnosis",)),
        (a_condition("F17.210", status="resolved", abatementDateTime=date_ago(100)), "former",
         ("by-diagnosis", "stopped-within-a-year")),
        (a_condition("F17.220"), None, ()),
        (a_condition("E11.9"), None, ()),
    ],
)  # fmt: skip
def test_without_an_answer_a_diagnosis_tells_and_none_is_not_never(
    condition: Any, value: str | None, flags: tuple[str, ...]
) -> None:
    found = derived(condition)["smoking_status"]
    assert (found.value, found.flags) == (value, flags)


def test_an_answer_wins_over_a_diagnosis() -> None:
    found = derived(an_answer("72166-2", (LOINC, "LA18978-9")), a_condition("F17.210"))
    assert found["smoking_status"].value == "never"


@pytest.mark.parametrize(
    ("name", "question", "system", "first", "other", "value"),
    [
        ("asa_class", "97816-3", SNOMED_CT, "413496000", "413497009", 2),
        ("smoking_status", "72166-2", LOINC, "LA18978-9", "LA15920-4", "never"),
    ],
)
def test_two_answers_of_one_time_are_one_or_conflict(
    name: str, question: str, system: str, first: str, other: str, value: int | str
) -> None:
    def found(*codes: str) -> Any:
        return derived(*(an_answer(question, (system, code), id=f"o-{n}") for n, code in enumerate(codes)))[name]

    assert (found(first, first).status, found(first, first).value) == ("used", value)
    for codes in ((first, other), (other, first)):
        assert (found(*codes).status, found(*codes).reason) == ("conflicting", "values-differ")

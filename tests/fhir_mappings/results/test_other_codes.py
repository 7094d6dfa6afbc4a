"""A result of an input, by a code that the input does not take, is recorded and not read: never "none found"."""

from __future__ import annotations

import pytest

from fhir_mappings.features.queries import prefetch_templates
from fhir_mappings.report.mapping_report_steps import steps
from fhir_mappings.results.measurement_rules import RULES
from fhir_mappings.terminology.code_systems import LOINC
from fhir_mappings.terminology.value_sets import STANDARD
from tests.builders import DEMO_MAPS, a_quantity, an_observation, coded, days_ago, derived
from tests.fhir_mappings.report.test_mapping_report import reported

OTHERS = [
    (name, code)
    for name, rule in RULES.items()
    if f"{rule.idea}-not-used" in STANDARD.by_id
    for code in STANDARD.codes(f"{rule.idea}-not-used", LOINC)
]


@pytest.mark.parametrize(("name", "code"), OTHERS)
def test_it_is_told_as_recorded_under_a_code_that_is_not_read(name: str, code: str) -> None:
    rule = RULES[name]
    sent = an_observation(code, rule.soft[0], rule.unit, effectiveDateTime=days_ago(3))
    told = derived(sent)[name]
    assert (told.status, told.reason, told.value) == ("rejected", "other-code", None)
    beside = derived(sent | {"code": coded((LOINC, code), (LOINC, STANDARD.codes(rule.idea, LOINC)[0]))})[name]
    assert beside.usable


def test_a_newer_one_is_told_beside_the_one_that_counts() -> None:
    older, newer = (an_observation(code, 9.5, "g/dL", id=code, effectiveDateTime=days_ago(days))
                    for code, days in (("718-7", 9), ("14775-1", 1)))  # fmt: skip
    told = derived(older, newer)["haemoglobin"]
    assert (told.value, told.flags) == (9.5, ("newer-unreadable",))
    part = {"code": coded((LOINC, "14775-1")), "valueQuantity": a_quantity(8, "g/dL")}
    assert derived(an_observation("24338-6", None, component=[part]))["haemoglobin"].reason == "other-code"


def test_nothing_is_asked_for_by_such_a_code() -> None:
    asked = " ".join(prefetch_templates(DEMO_MAPS).values())
    assert [code for _, code in OTHERS if f"|{code}," in asked] == []


def test_the_mapping_report_names_it() -> None:
    found = reported(an_observation("14775-1", 9.5, "g/dL"))
    (step,) = [one for one in steps(found) if "14775-1" in one.found]
    assert "Map them in a ConceptMap" in step.remedy

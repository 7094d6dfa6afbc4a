"""No code says two things that exclude each other, and the check can fail."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from fhir_mappings.terminology import exclusions
from fhir_mappings.terminology.code_systems import ICD_10_CM, SNOMED_CT
from fhir_mappings.terminology.value_sets import STANDARD, CodeRule, ValueSets


@pytest.mark.parametrize(("one", "other"), exclusions.pairs())
def test_no_code_is_in_two_sets_that_exclude_each_other(one: str, other: str) -> None:
    for name, excluded in ((one, other), (other, one)):
        listed = {(rule.system, rule.value) for rule in STANDARD.by_id[name].includes if rule.kind != "regex"}
        held = {pair for pair in listed if name in STANDARD.containing(*pair)}
        assert [pair for pair in sorted(held) if excluded in STANDARD.containing(*pair)] == []


@pytest.mark.parametrize(
    ("name", "rule", "told"),
    [
        ("smoking-never", CodeRule(SNOMED_CT, "code", "449868002"), ("smoking-current", "smoking-never", "449868002")),
        ("cancer-history", CodeRule(ICD_10_CM, "prefix", "C50"), ("cancer-history", "cancer", "C50")),
        (
            "spine-fusion",
            CodeRule(SNOMED_CT, "code", "387731002"),
            ("spine-fusion", "spine-decompression", "387731002"),
        ),
    ],
)
def test_a_code_in_two_excluding_sets_is_told(name: str, rule: CodeRule, told: tuple[str, str, str]) -> None:
    changed = replace(STANDARD.by_id[name], includes=(*STANDARD.by_id[name].includes, rule))
    assert told in exclusions.overlaps(ValueSets([*STANDARD.by_id.values(), changed]))

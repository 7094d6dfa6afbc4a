"""A combination counts for each ingredient, in whatever group ATC has it; what a group may hold is open, not absent."""

from __future__ import annotations

import pytest

from fhir_mappings.terminology.code_systems import ATC
from tests.builders import a_condition, a_medication_request, coded, derived

CLASSES = ("insulin", "anticoagulant", "antiplatelet", "steroid", "opioid", "hypertension_on_medication")


def told(code: str) -> tuple[set[str], set[str]]:
    """Which classes are taken by a medicine of this code, and which may be."""
    found = derived(a_medication_request(coded((ATC, code))), a_condition("I10"))
    return (
        {name for name in CLASSES if found[name].value is True},
        {name for name in CLASSES if found[name].reason == "not-understood"},
    )


@pytest.mark.parametrize(
    ("code", "taken", "may_be"),
    [
        ("N02BA01", {"antiplatelet"}, set()),  # aspirin in any dose
        ("N02BA15", {"antiplatelet"}, set()),  # carbasalate
        ("C07FX04", {"antiplatelet", "hypertension_on_medication"}, set()),
        ("C10BX06", {"antiplatelet", "hypertension_on_medication"}, set()),
        ("C10BX08", {"antiplatelet"}, set()),
        ("C10BX03", {"hypertension_on_medication"}, set()),
        ("C10BX16", set(), {"antiplatelet", "hypertension_on_medication"}),
        ("C10BX", set(), {"antiplatelet", "hypertension_on_medication"}),
        ("N02AJ07", {"antiplatelet", "opioid"}, set()),
        ("M01BA03", {"antiplatelet"}, {"steroid"}),
        ("M01BA01", set(), {"steroid"}),
        ("H02BX01", set(), {"steroid"}),
        ("R05DA20", set(), {"opioid"}),
        ("R05FA02", set(), {"opioid"}),
        ("N02B", set(), {"antiplatelet"}),
        ("C10AA05", set(), set()),
        ("C10BA02", set(), set()),
        ("N02BE01", set(), set()),
        ("N02BE51", set(), set()),
        ("M01AE01", set(), set()),
        ("R05CB06", set(), set()),
    ],
)
def test_what_a_combination_has_is_taken_and_what_it_may_have_is_open(
    code: str, taken: set[str], may_be: set[str]
) -> None:
    assert told(code) == (taken, may_be)

"""Beside its value a result of one value holds something else: where nothing says of what, of anything."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.terminology.code_systems import LOINC
from tests.builders import a_quantity, an_observation, coded, derived

LOCAL = coded(("urn:oid:1.2.3", "KREA"), text="Kreatinin")
MODIFIER = [{"url": "http://hospital.example/not-this-patient", "valueBoolean": True}]
NEVER, UNCLEAR = "never-recorded", "not-understood"


def part_of(code: dict[str, Any], value: float, unit: str) -> dict[str, Any]:
    return {"code": code, "valueQuantity": a_quantity(value, unit)}


@pytest.mark.parametrize("code", ["718-7", "2160-0", "8302-2", "97816-3"])
def test_a_part_that_says_nothing_in_a_result_of_one_value_may_be_of_any_input(code: str) -> None:
    whole = an_observation(code, 7, "1", component=[part_of(LOCAL, 4.4, "mg/dL")])
    for sent in (whole, whole | {"modifierExtension": MODIFIER}):
        assert {derived(sent)[name].reason for name in ("platelets", "albumin")} == {UNCLEAR}
    known = whole | {"component": [part_of(coded((LOINC, "8867-4")), 71, "/min")]}
    assert derived(known)["platelets"].reason == NEVER

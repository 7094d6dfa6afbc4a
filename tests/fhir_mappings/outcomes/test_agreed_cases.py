"""The agreed cases of derived outcomes: small records, each with its answer and why."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.outcomes.derived import WORDS
from fhir_mappings.outcomes.outcome_definitions import DEFINITIONS
from tests.fhir_mappings.outcomes import base_case

CASES = list(base_case.cases())


@pytest.mark.parametrize("case", CASES, ids=lambda one: f"{one['file']}: {one['name']}")
def test_the_answer_is_the_agreed_one(case: dict[str, Any]) -> None:
    entries = base_case.resources(case.get("without", ()), case.get("add", ()))
    as_of = case.get("as_of", base_case.AS_OF)
    found = base_case.derived(entries, as_of, case.get("complete", ()))[case["outcome"]]
    said = {name: getattr(found, name) for name in case["expect"]}
    assert said == case["expect"], case["why"]


def test_there_are_enough_of_every_outcome_and_every_reason() -> None:
    assert len(CASES) >= 40
    assert len({one["name"] for one in CASES}) == len(CASES)
    assert all(one["why"] for one in CASES)
    assert {one["outcome"] for one in CASES} == {one.name for one in DEFINITIONS}
    assert {one["expect"]["why"] for one in CASES} == set(WORDS)

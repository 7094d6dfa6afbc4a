"""Pregnancy leads out of scope (inputs 7)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.terminology.code_systems import LOINC
from tests.builders import a_condition, a_record, an_answer, date_ago, days_ago

PREGNANT, NOT_PREGNANT = (LOINC, "LA15173-0"), (LOINC, "LA26683-5")


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([], "no"),
        ([a_condition("Z33.1")], "yes"),
        ([a_condition("O09.90", onsetDateTime=date_ago(300))], "yes"),
        ([a_condition("O09.90", onsetDateTime=date_ago(301))], "no"),
        ([a_condition("Z33.1", status="resolved")], "no"),
        ([a_condition("Z33.1", onsetDateTime=date_ago(250)), a_condition("Z37.0", onsetDateTime=date_ago(20))], "no"),
        ([a_condition("Z33.1", onsetDateTime=date_ago(20)), a_condition("Z37.0", onsetDateTime=date_ago(500))], "yes"),
        ([a_condition("O94"), a_condition("Z32.02")], "no"),
        ([an_answer("82810-3", PREGNANT)], "yes"),
        ([an_answer("82810-3", PREGNANT, effectiveDateTime=days_ago(301))], "no"),
        ([an_answer("82810-3", NOT_PREGNANT, effectiveDateTime=days_ago(5)),
          a_condition("Z33.1", onsetDateTime=date_ago(20))], "no"),
        ([an_answer("82810-3", NOT_PREGNANT, effectiveDateTime=days_ago(30)),
          a_condition("Z33.1", onsetDateTime=date_ago(20))], "yes"),
    ],
)  # fmt: skip
def test_pregnancy_by_diagnosis_or_answer(resources: list[Any], expected: str) -> None:
    assert a_record(*resources).pregnancy == expected


def test_what_was_not_searched_is_unknown() -> None:
    assert a_record(conditions=SearchResult(failure="fetch-failed")).pregnancy == "unknown"

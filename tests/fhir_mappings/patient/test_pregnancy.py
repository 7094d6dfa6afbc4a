"""Pregnancy leads out of scope (inputs 7)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.terminology.code_systems import LOINC
from tests.builders import a_condition, a_record, an_answer, an_observation, date_ago, days_ago

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
        ([a_condition("Z33.1"), a_condition("Z37.0", onsetDateTime=date_ago(20))], "no"),
        ([a_condition("Z33.1"), a_condition("Z37.0", onsetDateTime=date_ago(500))], "unknown"),  # which came first?
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


@pytest.mark.parametrize(
    "said",
    [
        {"valueCodeableConcept": {"coding": [{"system": LOINC, "code": "LA4489-6"}]}},
        {"valueCodeableConcept": {"coding": [{"system": "urn:oid:1.2.3", "code": "P"}]}},
        {"valueCodeableConcept": {"text": "maybe"}},
        {"dataAbsentReason": {"coding": [{"code": "asked-unknown"}]}},
        {"valueString": "no"},
    ],
)
def test_an_answer_that_says_nothing_or_is_not_understood_is_no_no(said: dict[str, Any]) -> None:
    answer = an_observation("82810-3", None, **said)
    assert a_record(answer).pregnancy == "unknown"
    assert a_record(answer | {"effectiveDateTime": days_ago(301)}).pregnancy == "no"
    assert a_record(answer, a_condition("Z33.1")).pregnancy == "yes"
    earlier = an_answer("82810-3", NOT_PREGNANT, effectiveDateTime=days_ago(30))
    assert a_record(earlier, answer | {"id": "later"}).pregnancy in ("no", "unknown")


def test_what_was_not_searched_is_unknown() -> None:
    assert a_record(conditions=SearchResult(failure="fetch-failed")).pregnancy == "unknown"

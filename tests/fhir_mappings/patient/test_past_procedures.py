"""Earlier spine surgery and dialysis (inputs 5 and 7)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.terminology.code_systems import CPT, ICD_9_CM, ICD_10_PCS, ICD_DIAGNOSES, SNOMED_CT
from fhir_mappings.terminology.concept_maps import ConceptMaps
from tests.builders import a_condition, a_procedure, date_ago, days_ago, derived


@pytest.mark.parametrize(
    ("resource", "value"),
    [
        (a_procedure(CPT, "63030"), True),
        (a_procedure(ICD_10_PCS, "0SG00AJ", performedDateTime="1999"), True),
        (a_procedure(SNOMED_CT, "387731002", performedDateTime=None), True),
        (a_procedure(CPT, "63030", status="in-progress"), None),  # of years ago: never closed
        (a_procedure(CPT, "63030", status="in-progress", performedDateTime=days_ago(0.2)), False),
        (a_procedure(CPT, "63030", status="on-hold", performedDateTime=date_ago(1)), False),
        (a_procedure(CPT, "63030", status="on-hold", performedDateTime=date_ago(2)), None),
        (a_procedure(CPT, "63030", status="not-done"), False),
        (a_procedure(CPT, "63030", performedDateTime=days_ago(-1.1)), False),
        (a_procedure(CPT, "63030", performedDateTime=days_ago(-0.01)), None),  # by another clock it is over
        (a_procedure(ICD_10_PCS, "0DTJ4ZZ"), False),
        (a_procedure(SNOMED_CT, "1"), None),  # in no list: it could be one
        (a_condition("Z98.1"), True),
        (a_condition("M96.1"), True),
        (a_condition("M96.1", status="resolved"), False),
    ],
)
def test_an_earlier_operation_on_the_spine(resource: dict[str, Any], value: bool | None) -> None:
    assert derived(resource)["previous_spine_surgery"].value is value


@pytest.mark.parametrize(
    ("resources", "value"),
    [
        ([a_condition("Z99.2")], True),
        ([a_condition("N18.6")], True),
        ([a_condition("N18.6"), a_condition("Z94.0")], False),
        ([a_condition("N18.6"), a_condition("Z94.0"), a_condition("Z99.2")], True),
        ([a_condition("N18.5")], False),
        ([a_condition("I12.0")], False),
        ([a_procedure(CPT, "90935", performedDateTime=date_ago(14))], True),
        ([a_procedure(CPT, "90935", performedDateTime=date_ago(15))], False),
        ([a_procedure(ICD_10_PCS, "5A1D70Z", performedDateTime=days_ago(1))], True),
    ],
)
def test_dialysis(resources: list[Any], value: bool) -> None:
    assert derived(*resources)["dialysis"].value is value


@pytest.mark.parametrize(
    ("performed", "value", "reason"),
    [
        ({"performedPeriod": {"start": date_ago(400)}}, None, "date-imprecise"),  # it may go on, as a treatment does
        ({"performedPeriod": {"start": date_ago(10)}}, True, None),
        ({"performedPeriod": {"start": date_ago(400), "end": date_ago(390)}}, False, None),
        ({"performedPeriod": {"end": date_ago(3)}}, True, None),
        ({"performedPeriod": {"start": date_ago(400), "end": date_ago(-30)}}, None, "date-imprecise"),
        ({"performedPeriod": {"start": date_ago(400), "end": "12.03.2026"}}, None, "date-unreadable"),
        ({"performedPeriod": {"start": "12.03.2026"}}, None, "date-unreadable"),
        ({"performedDateTime": "12.03.2026"}, None, "date-unreadable"),
        ({"performedDateTime": "2026-11"}, None, "date-imprecise"),
        ({"performedDateTime": "2025-11"}, False, None),
        ({}, None, "undated"),
    ],
)
def test_a_dialysis_that_is_completed_is_open_only_where_no_day_says_when(
    performed: dict[str, Any], value: bool | None, reason: str | None
) -> None:
    found = derived(a_procedure(CPT, "90935", **{"performedDateTime": None, **performed}))["dialysis"]
    assert (found.value, found.reason) == (value, reason)


@pytest.mark.parametrize(
    ("performed", "value"),
    [
        ({"performedPeriod": {"start": date_ago(400)}}, False),  # completed, and of a day long ago
        ({"performedPeriod": {"start": date_ago(400), "end": date_ago(390)}}, False),
        ({"performedPeriod": {"start": date_ago(400), "end": date_ago(390)}, "status": "in-progress"}, None),
        ({"performedPeriod": {"start": date_ago(400)}, "status": "stopped"}, None),
        ({"performedPeriod": {"start": date_ago(10)}}, None),
        ({"performedPeriod": {"start": date_ago(400), "end": date_ago(-30)}}, None),
        ({"performedPeriod": {"start": date_ago(400), "end": "12.03.2026"}}, None),
        ({"performedPeriod": {"start": "12.03.2026"}}, None),
        ({}, None),
    ],
)
def test_what_is_not_understood_could_be_a_dialysis_where_no_day_says_when_it_was(
    performed: dict[str, Any], value: bool | None
) -> None:
    unknown = a_procedure("urn:oid:1.2.3", "X", **{"performedDateTime": None, **performed})
    assert derived(unknown)["dialysis"].value is value


def test_any_of_two_sources_needs_both_searched_to_be_false() -> None:
    failed = SearchResult(failure="fetch-failed")
    assert derived(procedures=failed)["dialysis"].reason == "fetch-failed"
    assert derived(conditions=failed)["previous_spine_surgery"].reason == "fetch-failed"
    assert derived(a_condition("Z99.2"), procedures=failed)["dialysis"].value is True


@pytest.mark.parametrize("system", sorted(ICD_DIAGNOSES))
@pytest.mark.parametrize("code", ["81.08", "80.51", "03.09", "39.95", "M54.5", "Z98.1", "DM545"])
def test_a_system_of_diagnoses_classifies_no_operation(system: str, code: str) -> None:
    told = derived(a_procedure(system, code, performedDateTime=date_ago(3)))
    for name in ("previous_spine_surgery", "dialysis"):
        assert (told[name].status, told[name].reason) == ("missing", "not-understood")


def test_what_a_site_says_of_such_a_code_is_read() -> None:
    """ICD-9-CM numbers its operations apart from its diagnoses; only the site knows which of the two it sends."""
    maps = ConceptMaps({(ICD_9_CM, "8108"): ((SNOMED_CT, "387731002"),)})
    assert derived(a_procedure(ICD_9_CM, "81.08"), maps=maps)["previous_spine_surgery"].value is True
    told = derived(a_procedure(ICD_9_CM, "39.95", performedDateTime=date_ago(3)), maps=maps)
    assert told["dialysis"].reason == "not-understood"

"""Charlson, the Hospital Frailty Risk Score and ARISCAT's infection, by their published maps."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.terminology.code_systems import ICD_10, SNOMED_CT
from tests.builders import a_condition, a_medication_request, coded, date_ago, derived


@pytest.mark.parametrize(
    ("codes", "name", "value"),
    [
        (["I50.9"], "charlson_heart_failure", True),
        (["I43"], "charlson_heart_failure", True),
        (["J45.909"], "charlson_pulmonary_disease", True),
        (["M05.9"], "charlson_rheumatic_disease", True),
        (["E11.22"], "charlson_complicated_diabetes", True),
        (["E11.9"], "charlson_complicated_diabetes", False),
        (["G81.90"], "charlson_paralysis", True),
        (["N18.6"], "charlson_kidney_disease", True),
        (["B20"], "charlson_hiv", True),
        (["K70.30"], "charlson_liver_disease", "mild"),
        (["K70.30", "I85.01"], "charlson_liver_disease", "moderate-or-severe"),
        (["C50.911"], "charlson_malignancy", "malignancy"),
        (["C50.911", "C79.51"], "charlson_malignancy", "metastatic"),
        (["I10"], "charlson_malignancy", "none"),
    ],
)
def test_a_charlson_category_is_read_by_quans_map(codes: list[str], name: str, value: Any) -> None:
    assert derived(*(a_condition(code) for code in codes))[name].value == value


@pytest.mark.parametrize(
    ("codes", "points"), [(["F00", "N39.0"], 10.3), (["G81.9", "I69.3", "W19"], 11.3), (["N39.0", "N39.41"], 3.2)]
)
def test_frailty_points_count_each_code_once(codes: list[str], points: float) -> None:
    """The worked examples of two public implementations."""
    coded_there = [a_condition(coded((ICD_10, code)), recordedDate=date_ago(30)) for code in codes]
    assert derived(*coded_there)["hfrs_points"].value == points


def test_a_code_known_for_more_than_two_years_has_no_weight() -> None:
    found = derived(a_condition("F00", recordedDate=date_ago(731)), a_condition("N39.0", recordedDate=date_ago(730)))
    assert found["hfrs_points"].value == 3.2


@pytest.mark.parametrize(("began", "value"), [(date_ago(30), True), (date_ago(31), False), (None, False)])
def test_a_respiratory_infection_counts_for_a_month(began: str | None, value: bool) -> None:
    found = derived(a_condition("J18.9", status="resolved", onsetDateTime=began))
    assert found["respiratory_infection"].value is value


def test_nothing_is_concluded_from_a_search_that_failed() -> None:
    found = derived(conditions=SearchResult(failure="fetch-failed"))
    assert {found[name].reason for name in ("charlson_hiv", "charlson_malignancy", "hfrs_points")} == {"fetch-failed"}


@pytest.mark.parametrize(
    ("resources", "value"),
    [
        ([], "none"),
        ([a_medication_request("274783")], "none"),  # nothing is inferred across inputs
        ([a_condition("E11.9")], "without-insulin"),
        ([a_condition("E11.9"), a_condition("Z79.4")], "insulin"),
        ([a_condition("E11.9"), a_medication_request("274783")], "insulin"),
    ],
)
def test_diabetes_is_told_with_its_treatment(resources: list[Any], value: str) -> None:
    assert derived(*resources)["diabetes_treatment"].value == value


def test_diabetes_of_unknown_treatment_is_missing() -> None:
    found = derived(a_condition("E11.9"), a_medication_request({"text": "pen"}))["diabetes_treatment"]
    assert (found.status, found.reason) == ("missing", "not-understood")


@pytest.mark.parametrize(
    ("start", "end", "hours", "reason"),
    [
        ("2026-12-01T08:00:00Z", "2026-12-01T11:30:00Z", 3.5, None),
        ("2026-12-01", "2026-12-02", None, "never-recorded"),
        ("2026-12-01T08:00:00Z", "2026-12-03T08:00:00Z", None, "implausible"),
        ("2026-12-01T08:00:00Z", "2026-12-01T08:00:00Z", None, "implausible"),
    ],
)
def test_the_planned_duration_is_the_orders(start: str, end: str, hours: float | None, reason: str | None) -> None:
    found = derived(order={"occurrencePeriod": {"start": start, "end": end}})["planned_duration"]
    assert (found.value, found.reason) == (hours, reason)


def test_a_diagnosis_outside_icd_leaves_the_frailty_points_a_lower_limit() -> None:
    in_icd, in_snomed = a_condition("F03.90"), a_condition(coded((SNOMED_CT, "84114007")))
    whole, partly = derived(in_icd)["hfrs_points"], derived(in_icd, in_snomed)["hfrs_points"]
    assert (partly.status, partly.reason, partly.value, partly.comparator) == (
        "missing",
        "outside-icd",
        whole.value,
        ">=",
    )
    long_known = in_snomed | {"recordedDate": date_ago(900), "onsetDateTime": date_ago(900)}
    assert derived(in_icd, long_known)["hfrs_points"].status == "used"

"""Diagnoses count by code, status and time (inputs 1.1 and 5)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.terminology.code_systems import ICD_9_CM, ICD_10, ICD_10_CM, SNOMED_CT
from tests.builders import a_condition, a_record, as_json, coded, date_ago, days_ago, derived

VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
INPUTS = ("diabetes", "heart_failure", "ischaemic_heart_disease", "cerebrovascular_disease", "copd",
          "chronic_kidney_disease", "cancer", "metastatic_cancer", "dementia")  # fmt: skip


def true_inputs(*conditions: Any) -> set[str]:
    found = derived(*conditions)
    return {name for name in INPUTS if found[name].value is True}


@pytest.mark.parametrize(
    ("code", "inputs"),
    [
        ("E11.65", {"diabetes"}),
        ("e119", {"diabetes"}),
        ("I50.22", {"heart_failure"}),
        ("I13.2", {"heart_failure", "chronic_kidney_disease"}),
        ("I97.130", set()),
        ("I25.10", {"ischaemic_heart_disease"}),
        ("I25.3", set()),
        ("G45.9", {"cerebrovascular_disease"}),
        ("Z86.73", {"cerebrovascular_disease"}),
        ("J44.1", {"copd"}),
        ("Z99.81", set()),
        ("N18.31", {"chronic_kidney_disease"}),
        ("N18.2", set()),
        ("C50.911", {"cancer"}),
        ("C79.51", {"cancer", "metastatic_cancer"}),
        ("C44.91", set()),
        ("F03.90", {"dementia"}),
        ("Z83.3", set()),
        ("R73.03", set()),
    ],
)
def test_a_diagnosis_is_read_by_its_code(code: str, inputs: set[str]) -> None:
    assert true_inputs(a_condition(code)) == inputs


@pytest.mark.parametrize(
    ("concept", "inputs"),
    [
        (coded((SNOMED_CT, "44054006")), {"diabetes"}),
        (coded(("http://snomed.info/", "84114007")), {"heart_failure"}),
        (coded((ICD_9_CM, "428.0")), {"heart_failure"}),
        (coded((ICD_10, "I50.9")), {"heart_failure"}),
        (coded((SNOMED_CT, "160303001")), set()),
        (coded((SNOMED_CT, "15777000")), set()),
        (coded(("urn:oid:1.2.3", "E11.9")), set()),
        ({"text": "Diabetes mellitus type 2"}, set()),
        (coded((ICD_10_CM, "I13.2"), (ICD_10_CM, "I50.9"), (ICD_10_CM, "N18.6")),
         {"heart_failure", "chronic_kidney_disease"}),
    ],
)  # fmt: skip
def test_every_code_system_and_never_a_text_is_read(concept: Any, inputs: set[str]) -> None:
    assert true_inputs(a_condition(concept)) == inputs


@pytest.mark.parametrize(
    ("members", "counts"),
    [
        ({}, True),
        ({"verificationStatus": None}, True),
        *(({"verificationStatus": coded((VERIFICATION, status))}, False)
          for status in ("unconfirmed", "provisional", "differential", "refuted", "entered-in-error")),
        ({"status": "recurrence"}, True),
        ({"status": "relapse"}, True),
        ({"status": "inactive"}, False),
        ({"status": "remission"}, False),
        ({"status": "resolved"}, False),
        ({"abatementDateTime": date_ago(3)}, False),
        ({"abatementDateTime": date_ago(-30)}, True),
        ({"status": "resolved", "abatementString": "last winter"}, False),
        *(({"status": one, "abatementString": "2019-03"}, False) for one in (None, "active")),  # a date all the same
        ({"status": None}, True),  # on the problem list
        ({"status": None, "category": None}, False),
        ({"status": None, "category": None, "recordedDate": date_ago(730)}, True),
        ({"status": None, "category": None, "recordedDate": date_ago(731)}, False),
        ({"status": None, "category": None, "onsetDateTime": date_ago(100)}, True),
        ({"category": None}, True),
        ({"recordedDate": days_ago(-0.5)}, True),
        ({"recordedDate": days_ago(-2)}, False),  # known only after the hook
        ({"onsetDateTime": "1980"}, True),
    ],
)  # fmt: skip
def test_a_diagnosis_counts_by_its_status_and_when_it_was_known(members: dict[str, Any], counts: bool) -> None:
    found = derived(a_condition("E11.9", **members))["diabetes"]
    assert (found.status, found.value) == ("used", counts)


UNREAD_ENDS = [
    *({"abatementString": text} for text in ("N/A", "ongoing", "unknown", "last winter", "in 2019", "2019-13")),
    {"abatementAge": {"value": 120, "unit": "a", "system": "http://unitsofmeasure.org", "code": "a"}},
    {"abatementAge": {"value": 50}},
    {"abatementRange": {"low": {"value": 50}}},
    {"abatementDateTime": "unknown"},
    {"abatementPeriod": {"end": "N/A"}},
    {"abatementPeriod": {"start": "2019-01-01", "end": "12.03.2026"}},
]
HOLDS = [{}, {"status": "relapse"}, {"status": None, "clinicalStatus": coded(("http://snomed.info/sct", "55561003"))}]
HOLDS += [{"status": None}, {"status": None, "category": None}]


@pytest.mark.parametrize("end", UNREAD_ENDS, ids=str)
@pytest.mark.parametrize("holds", HOLDS, ids=str)
def test_an_end_that_is_not_read_leaves_it_open_where_no_status_says_that_it_is_over(holds: Any, end: Any) -> None:
    found = derived(a_condition("J44.9", **holds, **end))
    assert (found["copd"].status, found["copd"].reason) == ("missing", "not-understood")
    assert derived(a_condition("I50.9", **holds, **end))["heart_failure"].value is True  # lifelong


@pytest.mark.parametrize(
    ("code", "name"),
    [("I50.9", "heart_failure"), ("I21.4", "ischaemic_heart_disease"), ("I63.9", "cerebrovascular_disease")],
)
def test_history_counts_for_good_where_the_rcri_says_so(code: str, name: str) -> None:
    assert derived(a_condition(code, status="resolved", abatementDateTime="2001"))[name].value is True


@pytest.mark.parametrize(
    ("code", "members", "value", "flags"),
    [
        ("C50.911", {"onsetDateTime": "2010"}, True, ("over-five-years",)),
        ("C50.911", {"onsetDateTime": date_ago(100)}, True, ()),
        ("C50.911", {"status": "resolved", "abatementDateTime": date_ago(1826)}, True, ("history",)),
        ("C50.911", {"status": "resolved", "abatementDateTime": date_ago(1827)}, False, ("only-in-the-past",)),
        ("Z85.3", {"recordedDate": date_ago(100)}, False, ("only-in-the-past",)),
        ("Z85.3", {"onsetDateTime": date_ago(100)}, True, ("history",)),
        ("Z85.3", {"onsetDateTime": "2001"}, False, ("only-in-the-past",)),
        ("Z85.828", {"onsetDateTime": date_ago(100)}, False, ()),
    ],
)
def test_cancer_counts_within_five_years(code: str, members: Any, value: bool, flags: tuple[str, ...]) -> None:
    found = derived(a_condition(code, **members))["cancer"]
    assert (found.value, found.flags) == (value, flags)


AN_AGE = {"value": 50, "unit": "a"}


@pytest.mark.parametrize(
    "onset", [{"onsetAge": AN_AGE}, {"onsetString": "spring"}, {"onsetDateTime": "12.03.2009"}, {}]
)
@pytest.mark.parametrize(
    ("code", "members", "is_open"),
    [
        ("C50.911", {"status": "resolved", "abatementDateTime": "2012"}, False),
        ("C50.911", {"status": "resolved", "recordedDate": "2010"}, False),
        ("C50.911", {"status": "resolved", "recordedDate": "2010", "abatementString": "later"}, True),
        ("C50.911", {"status": "resolved", "recordedDate": "2010", "abatementDateTime": "12.03.2026"}, True),
        ("C50.911", {"status": "resolved"}, True),
        ("Z85.3", {"recordedDate": "2010", "abatementDateTime": "2012"}, False),
        ("Z85.3", {"status": "resolved", "recordedDate": "2010", "abatementString": "later"}, True),
    ],
)
def test_a_past_cancer_is_open_only_where_no_day_says_when_it_ended(
    code: str, members: dict[str, Any], is_open: bool, onset: dict[str, Any]
) -> None:
    found = derived(a_condition(code, **members, **onset))["cancer"]
    told = "undated" if members == {"status": "resolved"} and not onset else "date-unreadable"
    assert (found.value, found.reason) == ((None, told) if is_open else (False, None))


@pytest.mark.parametrize(
    ("onset", "is_open"), [({"onsetAge": AN_AGE}, True), ({}, False), ({"onsetDateTime": "2001"}, False)]
)
def test_a_history_of_cancer_is_open_where_its_onset_is_told_unreadably(onset: dict[str, Any], is_open: bool) -> None:
    found = derived(a_condition("Z85.3", recordedDate="2010", **onset))["cancer"]
    assert found.value is (None if is_open else False)


@pytest.mark.parametrize(
    ("code", "began", "value", "reason"),
    [
        ("R65.21", days_ago(1), "septic-shock", None),
        ("A41.9", days_ago(1.9), "sepsis", None),
        ("A41.9", days_ago(2.1), "none", None),
        ("A41.9", date_ago(2), "sepsis", None),
        ("A41.9", date_ago(3), "none", None),
        ("R65.10", days_ago(1), "sirs", None),
        ("T81.44XA", days_ago(1), "sepsis", None),
        ("A41.9", None, None, "undated"),
        ("E11.9", days_ago(1), "none", None),
    ],
)
def test_sepsis_counts_within_48_hours(code: str, began: str | None, value: str | None, reason: str | None) -> None:
    found = derived(a_condition(code, onsetDateTime=began))["sepsis"]
    assert (found.value, found.reason) == (value, reason)


def test_the_same_disease_twelve_times_counts_once() -> None:
    many = [a_condition("I50.9", id=f"c-{number}", recordedDate=date_ago(number)) for number in range(12)]
    assert derived(*many)["heart_failure"] == derived(*many[::-1])["heart_failure"]


@pytest.mark.parametrize(
    ("search", "status", "value", "reason"),
    [
        (SearchResult(supplied="null"), "used", False, None),
        (SearchResult(supplied="empty"), "used", False, None),
        (SearchResult(failure="fetch-failed"), "missing", None, "fetch-failed"),
        (SearchResult(failure="not-authorised"), "missing", None, "not-authorised"),
        (SearchResult(failure="not-provided"), "missing", None, "not-provided"),
        (SearchResult(truncated=True), "missing", None, "truncated"),
        (SearchResult(resources=as_json([{"resourceType": "Condition"}])), "missing", None, "not-understood"),
    ],
)
def test_nothing_recorded_is_not_the_same_as_unknown(
    search: SearchResult, status: str, value: bool | None, reason: str | None
) -> None:
    found = derived(conditions=search)["heart_failure"]
    assert (found.status, found.value, found.reason) == (status, value, reason)


def test_a_match_in_a_list_cut_short_is_a_match() -> None:
    cut = SearchResult(resources=as_json([a_condition("I50.9")]), truncated=True)
    found = derived(conditions=cut)["heart_failure"]
    assert (found.value, found.flags) == (True, ("truncated",))


def test_a_diagnosis_in_words_only_is_counted_and_makes_the_list_partial() -> None:
    record = a_record(a_condition({"text": "Diabetes"}), a_condition("I50.9"))
    assert record.set_aside == {"no-code": 1}
    assert derived(a_condition({"text": "Diabetes"}), a_condition("I50.9"))["diabetes"].flags == ("partial",)


@pytest.mark.parametrize("over", range(4))
@pytest.mark.parametrize("members", [{}, {"onsetDateTime": date_ago(1)}], ids=str)
def test_what_is_over_hides_nothing_that_is_not_understood_and_current(members: Any, over: int) -> None:
    known = derived(a_condition(coded(("urn:x", "now")), id="now", **members))
    past = [
        a_condition(
            coded(("urn:x", f"past-{n}")), id=f"past-{n}", status="resolved", recordedDate="2001", onsetDateTime="2001"
        )
        for n in range(over)
    ]
    beside = derived(a_condition(coded(("urn:x", "now")), id="now", **members), *past)
    told = {name for name, one in beside.items() if one.usable}
    assert told <= {name for name, one in known.items() if one.usable}
    record = a_record(a_condition(coded(("urn:x", "now")), id="now", **members), *past)
    assert record.pregnancy == "unknown"

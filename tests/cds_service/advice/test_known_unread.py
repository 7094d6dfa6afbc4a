"""What the record knows and no figure of the card reads is told; what is read, normal, absent or not known is not."""

from __future__ import annotations

import pytest

from cds_service.advice import known_unread
from fhir_mappings.features.feature_catalogue import FEATURES
from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.results.feature import Feature
from tests import builders
from tests.builders import Resource, a_condition, a_medication_request, a_patient
from tests.cds_service.advice import people


def told(*resources: Resource) -> tuple[str, ...]:
    return known_unread.of(people.an_assessment(people.asa(3), *resources))


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        (a_condition("Z99.2"), "dialysis"),
        (a_condition("C79.51"), "spread of the cancer"),
        (a_condition("I50.9"), "heart failure"),
        (a_condition("F03.90"), "dementia"),
        (a_medication_request("1364430"), "anticoagulant use"),
        (people.result("718-7", 9.4, "g/dL"), "haemoglobin 9.4 g/dL (10 Nov)"),
        (people.result("1751-7", 2.9, "g/dL"), "albumin 2.9 g/dL (10 Nov)"),
        (people.result("2951-2", 128, "mmol/L"), "sodium 128 mmol/L (10 Nov)"),
        (people.result("4548-4", 9.1, "%"), "HbA1c 9.1 % (10 Nov)"),
        (people.smoker(), "current smoker (10 Nov)"),
    ],
)
def test_it_is_told_where_it_is_known_and_only_there(resource: Resource, words: str) -> None:
    assert words in told(resource)
    assert words not in told()


@pytest.mark.parametrize(
    "resource",
    [people.result("718-7", 14.1, "g/dL"), people.result("1751-7", 4.1, "g/dL"), people.result("4548-4", 6.1, "%")],
)
def test_a_result_within_bounds_is_no_news(resource: Resource) -> None:
    assert told(resource) == ()


def _result(name: str, value: float) -> Feature:
    return Feature(name=name, status="used", value=value, model_value=value)


@pytest.mark.parametrize(
    ("name", "news", "none"),
    [
        ("haemoglobin", 12.9, 13.0), ("albumin", 3.4, 3.5), ("egfr", 59.9, 60.0), ("sodium", 134, 135),
        ("platelets", 149, 150), ("spo2", 95, 96), ("bmi", 18.4, 18.5), ("bmi", 40.0, 39.9),
        ("creatinine", 1.6, 1.5), ("inr", 1.6, 1.5), ("hba1c", 8.0, 7.9),
    ],
)  # fmt: skip
def test_a_result_is_news_at_the_limit_of_its_source_as_the_source_has_it(name: str, news: float, none: float) -> None:
    assert known_unread._is_news(_result(name, news))
    assert not known_unread._is_news(_result(name, none))


def test_what_a_figure_reads_is_not_told_again() -> None:
    assert not any("cancer" in one for one in told(a_condition("C61")))
    partly = (people.function("PARTIAL"), people.result("2160-0", 2.4, "mg/dL"))
    assert told(*partly) == ()


def test_of_a_metastatic_cancer_only_the_spread_is_in_no_figure_where_one_reads_cancer() -> None:
    """ "Metastatic cancer, in no figure" would be untrue beside a death figure that counts cancer."""
    found = told(a_condition("C79.51"))
    assert "spread of the cancer" in found
    assert not any("metastatic" in one for one in found)


def test_a_result_that_is_too_old_is_not_known() -> None:
    assert told(people.result("718-7", 9.4, "g/dL", days=300)) == ()


def test_what_says_the_same_is_told_once() -> None:
    found = told(a_condition("Z99.2"), a_condition("N18.6"), people.result("2160-0", 5.1, "mg/dL"))
    assert found == ("dialysis",)


def test_nothing_is_known_of_a_list_that_was_not_read() -> None:
    nothing = SearchResult(failure="fetch-failed", supplied="fetched")
    record = builders.a_record(a_patient(), people.asa(3), conditions=nothing, medications=nothing)
    assert known_unread.of(people.assessed(record)) == ()


def test_every_name_is_a_feature() -> None:
    names = {*known_unread._PRESENT, *known_unread._PRESENT_AFTER_RESULTS, *known_unread._RESULTS, *known_unread._WORST}
    assert names <= set(FEATURES)
    assert set(known_unread._BELOW) | set(known_unread._ABOVE) | set(known_unread._FROM) == set(known_unread._RESULTS)

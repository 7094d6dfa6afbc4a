"""What only suggestions ask is read from the same record, to the day."""

from __future__ import annotations

import pytest

from fhir_mappings.features import existing_tests
from fhir_mappings.features.existing_tests import TESTS_DAYS, Workup
from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.terminology.code_systems import ATC, LOINC
from tests.builders import (
    Resource,
    a_condition,
    a_medication_request,
    a_record,
    an_observation,
    coded,
    days_ago,
)

CODES = {
    "ferritin": "2276-4",
    "transferrin-saturation": "2502-3",
    "nt-probnp": "33762-6",
    "vitamin-d": "62292-8",
    "ecg": "34534-8",
    "dxa": "24701-5",
}


def read(*resources: Resource, **searches: SearchResult) -> Workup:
    return existing_tests.read_existing_tests(a_record(*resources, **searches))


def test_where_every_search_found_nothing_nothing_was_done() -> None:
    assert read() == Workup(not_done=frozenset(TESTS_DAYS))


@pytest.mark.parametrize("name", CODES)
def test_a_result_counts_up_to_its_last_day(name: str) -> None:
    days = TESTS_DAYS[name]
    within = an_observation(CODES[name], 1.0, "1", effectiveDateTime=days_ago(days))
    older = an_observation(CODES[name], 1.0, "1", effectiveDateTime=days_ago(days + 0.1))
    assert name not in read(within).not_done
    assert name in read(older).not_done


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_result_that_does_not_count_was_not_done(status: str) -> None:
    assert "ferritin" in read(an_observation("2276-4", 20, "ng/mL", status=status)).not_done


@pytest.mark.parametrize(
    "members", [{"status": "registered"}, {"status": "unknown"}, {"effectiveDateTime": 20261124}, {"component": 5}]
)
def test_of_a_result_that_is_awaited_or_cannot_be_read_nothing_is_said(members: dict[str, object]) -> None:
    found = read(an_observation("2276-4", 20, "ng/mL", **members))
    assert "ferritin" not in found.done | found.not_done


def test_a_result_without_a_value_was_done_all_the_same() -> None:
    assert "ecg" not in read(an_observation("34534-8", None, effectiveDateTime=days_ago(3))).not_done


@pytest.mark.parametrize("failure", ["fetch-failed", "not-authorised", "not-provided"])
def test_after_a_failed_search_nothing_counts_as_not_done(failure: str) -> None:
    found = read(labs=SearchResult(failure=failure))  # type: ignore[arg-type]
    assert found.not_done == {"ecg", "dxa", "frailty-score", "dasi"}


def test_a_list_cut_short_proves_nothing() -> None:
    assert "ecg" not in read(observations=SearchResult(truncated=True)).not_done


@pytest.mark.parametrize(
    ("code", "idea"),
    [
        ("D50.9", "iron-deficiency"),
        ("M81.0", "osteoporosis"),
        ("M80.08XA", "osteoporosis"),
        ("G47.33", "sleep-apnoea"),
        ("I20.0", "active-cardiac-condition"),
        ("I50.23", "active-cardiac-condition"),
        ("K31.84", "slow-gastric-emptying"),
    ],
)
def test_a_current_diagnosis_is_read(code: str, idea: str) -> None:
    assert read(a_condition(code)).diagnoses == {idea}
    assert read(a_condition(code, status="resolved")).diagnoses == frozenset()


@pytest.mark.parametrize("code", ["I50.22", "I20.9", "G47.30", "D64.9"])
def test_its_neighbours_are_not(code: str) -> None:
    assert read(a_condition(code)).diagnoses == frozenset()


@pytest.mark.parametrize(
    ("rxnorm", "atc", "drug_class"),
    [
        ("1545653", "A10BK03", "sglt2_inhibitor"),
        ("1991302", "A10BJ06", "glp1_receptor_agonist"),
        ("32968", "B01AC04", "p2y12_inhibitor"),
    ],
)
def test_a_medicine_is_known_by_rxnorm_and_by_atc(rxnorm: str, atc: str, drug_class: str) -> None:
    assert read(a_medication_request(rxnorm)).medicines == {drug_class}
    assert read(a_medication_request(coded((ATC, atc)))).medicines == {drug_class}


def test_aspirin_is_no_p2y12_inhibitor() -> None:
    assert read(a_medication_request("1191")).medicines == frozenset()


def test_the_codes_are_asked_for() -> None:
    from fhir_mappings.features.queries import prefetch_templates
    from fhir_mappings.terminology.concept_maps import EMPTY

    asked = " ".join(prefetch_templates(EMPTY).values())
    assert all(f"{LOINC}|{code}" in asked for code in CODES.values())

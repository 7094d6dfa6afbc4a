"""Age and sex, and what happens where they are not simply there (inputs 3)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.fhir.search_result import SearchResult
from tests.builders import a_patient, a_record, an_observation, derived

BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
MASKED = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]}


@pytest.mark.parametrize(
    ("birth", "status", "age", "reason"),
    [
        ("1955-11-20", "used", 71, None),  # today is the birthday
        ("1955-11-21", "used", 70, None),
        ("1956-07", "used", 70, None),
        ("1956", "used", 70, None),  # as if on 1 July
        ("2026-11-20", "used", 0, None),
        ("1906-11-20", "used", 120, None),
        ("1905-11-20", "rejected", None, "implausible"),
        ("2026-11-21", "rejected", None, "implausible"),
        ("1900-01-01", "missing", None, "placeholder"),
        ("1956/07/01", "rejected", None, "date-unreadable"),
        (None, "missing", None, "never-recorded"),
    ],
)
def test_an_age_is_whole_years_on_the_day_of_the_hook(
    birth: str | None, status: str, age: float | None, reason: str | None
) -> None:
    patient = a_patient(birthDate=birth) if birth else {"resourceType": "Patient", "id": "pt-1"}
    found = derived(patient)["age"]
    assert (found.status, found.value, found.reason) == (status, age, reason)


def test_an_approximate_age_says_what_it_could_be() -> None:
    found = derived(a_patient(birthDate="1961"))["age"]
    assert found.flags == ("age-approximate", "age-between:64-65")
    assert found.possible == (64, 65)
    assert derived()["age"].possible is None


def test_a_month_that_leaves_one_age_leaves_the_age_exact() -> None:
    assert derived(a_patient(birthDate="1961-03"))["age"].possible is None
    assert derived(a_patient(birthDate="1961-11"))["age"].possible == (64, 65)


def test_a_filtration_rate_from_an_approximate_age_says_between_which_rates_it_lies() -> None:
    creatinine = an_observation("2160-0", 1.1, "mg/dL")
    found = derived(a_patient(birthDate="1961"), creatinine)["egfr"]
    assert "age-approximate" in found.flags
    assert found.possible is not None
    low, high = found.possible
    assert low < high
    assert found.value in (low, high)


def test_a_masked_birth_date_is_missing_as_masked() -> None:
    patient = {"resourceType": "Patient", "id": "pt-1", "gender": "male", "_birthDate": MASKED}
    assert derived(patient)["age"].reason == "masked"


@pytest.mark.parametrize(
    ("members", "sex", "flags"),
    [
        ({"gender": "female"}, "female", ()),
        ({"gender": "other"}, None, ()),
        ({"gender": "unknown"}, None, ()),
        ({"gender": "other", "extension": [{"url": BIRTH_SEX, "valueCode": "F"}]}, "female", ()),
        ({"gender": "male", "extension": [{"url": BIRTH_SEX, "valueCode": "F"}]}, "female", ("sex-differs",)),
        ({"gender": "male", "extension": [{"url": BIRTH_SEX, "valueCode": "UNK"}]}, "male", ()),
    ],
)
def test_sex_is_as_recorded_at_birth_and_never_a_default(
    members: dict[str, Any], sex: str | None, flags: tuple[str, ...]
) -> None:
    found = derived(a_patient(**members))["sex"]
    assert (found.value, found.flags) == (sex, flags)
    assert found.reason == (None if sex else "sex-not-recorded")


@pytest.mark.parametrize("members", [{"deceasedBoolean": True}, {"deceasedDateTime": "2026-11-01"}])
def test_a_dead_patient_is_known_as_such(members: dict[str, Any]) -> None:
    assert a_record(a_patient(**members)).deceased
    assert not a_record(a_patient(deceasedBoolean=False)).deceased


@pytest.mark.parametrize(
    ("search", "reason"),
    [(SearchResult(supplied="null"), "never-recorded"), (SearchResult(failure="fetch-failed"), "fetch-failed")],
)
def test_without_a_patient_age_and_sex_say_why(search: SearchResult, reason: str) -> None:
    found = derived(patient=search)
    assert [found[name].reason for name in ("age", "sex")] == [reason, reason]

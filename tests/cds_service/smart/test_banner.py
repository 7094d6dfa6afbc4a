"""The banner says whose profile it is, in whatever way a Patient is written; nothing in it can keep a page closed."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.smart import banner
from tests import builders

MEDICAL_RECORD = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}
SOCIAL_SECURITY = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "SS"}]}


def of(**members: Any) -> banner.Banner:
    return banner.of(builders.a_record(builders.a_patient(**members)).person)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([{"use": "official", "family": "Vega", "given": ["Maria", "Luz"]}], "Maria Luz Vega"),
        ([{"text": "Vega, Maria"}], "Vega, Maria"),
        ([{"use": "old", "family": "Before"}, {"use": "usual", "family": "Now"}], "Now"),
        ([{"use": "usual", "family": "Called"}, {"use": "official", "family": "Passport"}], "Passport"),
        ([{"use": "maiden", "family": "Before"}], ""),
        ([{"family": ""}], ""),
        ([{"family": "x" * 500}], "x" * 80),
        ([{"family": 7}], ""),
        ("Maria", ""),
    ],
)
def test_the_name_by_which_the_person_is_known_stands_first(names: Any, told: str) -> None:
    assert of(name=names).name == told


def test_the_record_number_is_told_and_no_other_identifier() -> None:
    both = [{"type": SOCIAL_SECURITY, "value": "999-99"}, {"type": MEDICAL_RECORD, "value": "MRN 4711"}]
    assert of(identifier=both).number == "MRN 4711"
    assert of(identifier=both[:1]).number == ""
    assert of(identifier=[{"value": 4711}]).number == ""


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("1955-03-02", "born 2 Mar 1955"),
        ("1955-03", "born 1955-03"),
        ("1955", "born 1955"),
        (None, "day of birth not known"),
        ("unknown", "day of birth not known"),
    ],
)
def test_the_day_of_birth_is_as_exact_as_it_is_recorded(written: str | None, told: str) -> None:
    assert of(birthDate=written).born == told


def test_without_a_patient_resource_there_is_nothing_to_say() -> None:
    assert banner.of(None) == banner.Banner("", "day of birth not known", "", "")

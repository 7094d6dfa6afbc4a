"""Two cards are the same only for the same patient, user, operation, models and bands."""

from __future__ import annotations

import msgspec
import pytest

from cds_service.advice import repeats
from cds_service.advice.assessment import Assessment
from tests.builders import a_condition, an_observation
from tests.cds_service.advice import people

TYPICAL = people.an_assessment(people.asa(2))


def key(assessment: Assessment, patient: str = "pt-1", user: str = "Practitioner/1") -> str:
    return repeats.key(assessment, patient_id=patient, user_id=user)


def test_a_result_that_changes_no_band_is_no_news() -> None:
    with_potassium = people.an_assessment(people.asa(2), an_observation("2823-3", 4.2, "mmol/L"))
    assert key(msgspec.structs.replace(with_potassium, assessment_id="another")) == key(TYPICAL)


def test_another_band_is_news() -> None:
    assert key(people.an_assessment(people.asa(4), a_condition("C61"))) != key(TYPICAL)


@pytest.mark.parametrize("other", [{"patient": "pt-2"}, {"user": "Practitioner/2"}])
def test_another_patient_or_user_is_news(other: dict[str, str]) -> None:
    assert key(TYPICAL, **other) != key(TYPICAL)


def test_another_version_of_a_model_is_news() -> None:
    first, *others = TYPICAL.estimates
    newer = msgspec.structs.replace(first, score=msgspec.structs.replace(first.score, version="2.0.0"))
    assert key(msgspec.structs.replace(TYPICAL, estimates=(newer, *others))) != key(TYPICAL)


def test_the_key_holds_no_identifier() -> None:
    assert "pt-1" not in key(TYPICAL)
    assert len(key(TYPICAL)) == 64


def test_a_window_of_nothing_never_remembers() -> None:
    assert repeats.never_shown("any") is None

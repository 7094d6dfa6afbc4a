"""Every rule of silence, each with the reason that the record keeps (R-B07)."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from cds_service.advice import silence
from cds_service.advice.assessment import Assessment
from cds_service.advice.options import Option
from cds_service.advice.silence import WORDS, Reason
from fhir_mappings import features
from tests import builders
from tests.builders import a_condition, a_patient, a_record
from tests.cds_service.advice import people
from tests.cds_service.advice.banned import banned_words

FERRITIN = Option(id="ferritin", consider="a ferritin test", reason="haemoglobin 10.9 g/dL")


def for_patient(*resources: builders.Resource, **order: Any) -> Reason | None:
    record = a_record(*resources)
    return silence.for_patient(record, features.derive(record, builders.a_planned_procedure(**order)))


def test_every_reason_has_words_that_explain_it() -> None:
    assert set(WORDS) == set(get_args(Reason))


@pytest.mark.parametrize("reason", WORDS)
def test_the_words_of_a_reason_give_no_direction(reason: Reason) -> None:
    assert banned_words(WORDS[reason]) == []


@pytest.mark.parametrize("user", ["Patient/1", "RelatedPerson/1"])
def test_a_patient_is_not_shown_an_estimate_for_clinicians(user: str) -> None:
    assert silence.for_user(user) == "non-clinician"


@pytest.mark.parametrize("user", ["Practitioner/1", "PractitionerRole/1"])
def test_a_clinician_is(user: str) -> None:
    assert silence.for_user(user) is None


def test_an_adult_before_elective_surgery_is_told() -> None:
    assert for_patient() is None


@pytest.mark.parametrize("members", [{"deceasedBoolean": True}, {"deceasedDateTime": "2026-11-01"}])
def test_the_dead_are_not_assessed(members: dict[str, Any]) -> None:
    assert for_patient(a_patient(**members)) == "deceased"


@pytest.mark.parametrize(
    ("born", "reason"),
    [
        ("2008-11-21", "out-of-scope"),  # 17, eighteen tomorrow
        ("2008-11-20", None),  # eighteen today
        ("2008", "out-of-scope"),  # 18 by the middle of the year, and possibly 17
        ("2007", None),
    ],
)
def test_a_child_is_out_of_scope_and_so_is_who_might_be_one(born: str, reason: str | None) -> None:
    assert for_patient(a_patient(birthDate=born)) == reason


def test_without_an_age_there_is_no_number() -> None:
    assert for_patient(a_patient(birthDate=None)) == "required-input-missing"


def test_pregnancy_is_out_of_scope() -> None:
    woman = a_patient(birthDate="1990-01-01", gender="female")
    assert for_patient(woman, a_condition("Z33.1", recordedDate=builders.date_ago(30))) == "out-of-scope"


@pytest.mark.parametrize(
    "order",
    [
        {"priority": "stat"},
        {"priority": "asap"},
        {"priority": "urgent"},
        {"occurrenceDateTime": "2026-11-21T07:00:00Z"},  # 22 h after the hook
        {"reasonCode": [builders.coded(("http://hl7.org/fhir/sid/icd-10-cm", "S32.010A"))]},
    ],
)
def test_what_is_not_elective_is_not_assessed(order: dict[str, Any]) -> None:
    assert for_patient(**order) == "not-elective"


def test_an_operation_that_no_model_covers_is_out_of_scope() -> None:
    scores = people.an_assessment(people.asa(2)).scores
    outside = [msgspec.structs.replace(score, status="out-of-scope") for score in scores]
    assert silence.for_scores(outside) == "out-of-scope"
    assert silence.for_scores(scores) is None


def below_and_above() -> tuple[Assessment, Assessment]:
    old = a_patient(birthDate="1942-03-02")
    return people.an_assessment(people.asa(2)), people.an_assessment(old, people.asa(4), a_condition("C61"))


def test_below_the_floor_with_nothing_to_suggest_is_silence() -> None:
    typical, warning = below_and_above()
    assert typical.indicator == "info"
    assert warning.indicator == "warning"
    assert silence.for_floor(typical, None) == "below-floor"
    assert silence.for_floor(warning, None) is None


def test_an_open_suggestion_is_worth_a_card() -> None:
    typical, _ = below_and_above()
    assert silence.for_floor(typical, None, [FERRITIN]) is None


def test_an_option_that_rests_on_age_alone_is_no_reason_for_a_card() -> None:
    typical, _ = below_and_above()
    on_age = msgspec.structs.replace(FERRITIN, worth_a_card=False)
    assert silence.for_floor(typical, None, [on_age]) == "below-floor"
    assert silence.for_floor(typical, None, [on_age, FERRITIN]) is None


def test_a_floor_of_the_tenant_counts_from_the_probability() -> None:
    typical, _ = below_and_above()
    assert typical.headline is not None
    probability = typical.headline.score.probability or 0.0
    assert silence.for_floor(typical, probability) is None
    assert silence.for_floor(typical, probability + 1e-9) == "below-floor"


def test_what_cannot_be_computed_is_told_whatever_the_floor() -> None:
    typical, _ = below_and_above()
    assert silence.for_floor(msgspec.structs.replace(typical, headline=None), None) is None

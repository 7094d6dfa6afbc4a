"""Every rule of silence, each with the reason that the record keeps (R-B07)."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from cds_service.advice import silence
from cds_service.advice.assessment import Assessment, Estimate
from cds_service.advice.silence import WORDS, Reason
from cds_service.tenants import speaking
from fhir_mappings.features import features
from models_onnx.missing_ranges import MissingRange
from models_onnx.score import Range
from tests import builders
from tests.acceptance.golden_people import KNEE, PCS
from tests.builders import a_condition, a_patient, a_record
from tests.cds_service.advice import people
from tests.cds_service.advice.banned import banned_words


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
    assert silence.for_scores([outside[0], *scores[1:]]) is None, "one model that covers it suffices"


def below_and_above() -> tuple[Assessment, Assessment]:
    young, old = a_patient(birthDate="1990-03-02"), a_patient(birthDate="1942-03-02")
    return people.an_assessment(young, people.asa(2)), people.an_assessment(old, people.asa(4), a_condition("C61"))


ALWAYS: dict[str, float] = {}


def test_DEC_39_below_every_floor_is_silence_and_a_warning_never_is() -> None:
    typical, warning = below_and_above()
    assert typical.indicator == "info"
    assert warning.indicator == "warning"
    assert silence.for_floor(typical, speaking.CARD_FLOORS) == "below-floor"
    assert silence.for_floor(warning, speaking.CARD_FLOORS) is None
    assert silence.for_floor(warning, dict.fromkeys(speaking.CARD_FLOORS, 1.0)) is None


def test_DEC_39_a_row_of_the_short_list_opens_a_card() -> None:
    typical, _ = below_and_above()
    assert silence.for_floor(typical, speaking.CARD_FLOORS, opened=True) is None


def test_without_floors_there_is_always_a_card() -> None:
    typical, _ = below_and_above()
    for floors in (ALWAYS, dict.fromkeys(speaking.CARD_FLOORS, 0.0)):
        assert silence.for_floor(typical, floors) is None
        assert silence.for_floor(msgspec.structs.replace(typical, headline=None, estimates=()), floors) is None


@pytest.mark.parametrize("outcome", speaking.CARD_FLOORS)
def test_a_floor_counts_for_its_own_outcome_and_whatever_heads_the_card(outcome: str) -> None:
    typical, _ = below_and_above()
    (one,) = [estimate for estimate in estimates(typical) if estimate.outcome.name == outcome] or [None]
    if one is None:
        assert outcome == "pneumonia"  # in one public source only, so not served (registry.yaml)
        return
    twice = one.spoken_of / 2
    assert silence.for_floor(typical, {outcome: twice}) is None
    just_above = one.spoken_of + 1e-9
    assert silence.for_floor(typical, {outcome: just_above}) == "below-floor"


def test_DEC_39_one_outcome_at_its_floor_opens_the_card() -> None:
    typical, _ = below_and_above()
    first, second, *_ = estimates(typical)
    floors = {first.outcome.name: first.spoken_of / 2, second.outcome.name: 1.0}
    assert silence.for_floor(typical, floors) is None
    assert silence.for_floor(typical, floors | {first.outcome.name: 1.0}) == "below-floor"


def estimates(assessment: Assessment) -> tuple[Estimate, ...]:
    return tuple(one for one in assessment.estimates if one.outcome.may_head)


def test_DEC_39_what_is_missing_opens_no_card_by_what_it_could_be() -> None:
    """Without ASA class and results the published equations could say anything: only what is known counts."""
    unknown = people.an_assessment(a_patient(birthDate="1954-03-02"), codes=((PCS, KNEE),))
    lacking = [one for one in estimates(unknown) if not one.score.has_figure]
    assert lacking
    for one in lacking:
        assert one.high > 2 * speaking.CARD_FLOORS[one.outcome.name]
        assert one.spoken_of == one.low
    assert silence.for_floor(unknown, speaking.CARD_FLOORS) == "below-floor"


def test_DEC_39_what_could_not_be_understood_opens_a_card_by_its_high_end() -> None:
    """A range is no average over what is missing: something is in the record that nobody here could read."""
    typical, _ = below_and_above()
    (death,) = [one for one in typical.estimates if one.outcome.name == "30-day-death"]
    score = msgspec.structs.replace(death.score, status="range", probability=None)
    unread = MissingRange(model="m", version="1", outcome="30-day-death", range=Range(0.001, 0.05), unknown=())
    ranged = msgspec.structs.replace(death, score=score, unknown=unread)
    assert silence.for_floor(msgspec.structs.replace(typical, estimates=(ranged,)), speaking.CARD_FLOORS) is None

"""A card is one screen: the answer first, no more than three options, two links and five reasons to differ."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.advice.assessment import Assessment
from cds_service.cards import cards
from cds_service.cards.cards import EXTENSION, OVERRIDE_REASONS, SUMMARY_LIMIT, Place
from tests.builders import a_condition, a_patient, an_observation
from tests.cds_service.advice import people
from tests.cds_service.advice.banned import banned_words

URL = "https://risk.example.org"
PEOPLE: dict[str, tuple[dict[str, Any], ...]] = {
    "typical": (people.asa(2), an_observation("2160-0", 1.1, "mg/dL")),
    "ill": (a_patient(birthDate="1942-03-02"), people.asa(4), a_condition("C61"), a_condition("E11.9")),
    "little known": (),
    "dependent": (people.asa(3), people.function("PARTIAL")),
}


def cards_of_all() -> list[Any]:
    return [pytest.param(people.a_card(*resources), id=name) for name, resources in PEOPLE.items()]


CARDS = cards_of_all()


@pytest.mark.parametrize("card", CARDS)
def test_the_summary_is_one_sentence_of_fewer_than_140_characters(card: cards.Card) -> None:
    assert 0 < len(card.summary) < SUMMARY_LIMIT
    assert "\n" not in card.summary


@pytest.mark.parametrize("card", CARDS)
def test_no_card_gives_a_direction(card: cards.Card) -> None:
    rendered = [card.summary, card.detail or "", *(one.label for one in card.suggestions)]
    rendered += [action.description for one in card.suggestions for action in one.actions]
    rendered += [link.label for link in card.links] + [reason.display or "" for reason in card.override_reasons]
    assert banned_words(" ".join(rendered)) == []


@pytest.mark.parametrize("card", CARDS)
def test_the_detail_is_short_plain_markdown(card: cards.Card) -> None:
    detail = card.detail or ""
    assert len(detail) <= 1200
    assert not re.search(r"^\s*[|#>]|<|!\[|\]\(|^\s{2,}[-*]", detail, re.M)


@pytest.mark.parametrize("card", CARDS)
def test_a_card_is_never_critical(card: cards.Card) -> None:
    assert card.indicator in ("info", "warning")


@pytest.mark.parametrize("card", CARDS)
def test_suggestions_and_selection_behaviour_come_together(card: cards.Card) -> None:
    assert len(card.suggestions) <= 3
    assert card.selection_behavior == ("any" if card.suggestions else None)
    assert all(one.actions and one.is_recommended is False for one in card.suggestions)
    assert all(len(one.actions) == 1 or "these blood tests" in one.label for one in card.suggestions)


@pytest.mark.parametrize("card", CARDS)
def test_the_card_states_its_version_its_time_and_its_limits(card: cards.Card) -> None:
    assert "Data as of 20 Nov 2026 10:00 CET" in (card.detail or "")
    assert re.search(r"[Nn]ot calibrated here; informs only\.", card.detail or "")


def test_every_uuid_is_its_own() -> None:
    found = [people.a_card(*resources) for resources in PEOPLE.values()]
    uuids = [card.uuid for card in found] + [one.uuid for card in found for one in card.suggestions]
    assert len(uuids) == len(set(uuids))


@pytest.mark.parametrize("card", CARDS)
def test_the_topic_is_static_and_alphanumeric(card: cards.Card) -> None:
    assert card.source.topic is not None
    assert card.source.topic.code == "SurgRiskSpine"
    assert re.fullmatch(r"[A-Za-z0-9]{1,100}", card.source.topic.code)


def test_override_reasons_have_code_system_and_display() -> None:
    assert 5 <= len(OVERRIDE_REASONS) <= 6
    assert all(reason.code and reason.system and reason.display for reason in OVERRIDE_REASONS)


@pytest.mark.parametrize("card", CARDS)
def test_links_and_source_name_nobody(card: cards.Card) -> None:
    urls = [link.url for link in card.links] + [card.source.url or ""]
    assert all(re.fullmatch(rf"{URL}/models/[a-z0-9-]+", url) for url in urls)


def test_a_registered_profile_is_a_second_link_with_an_opaque_context() -> None:
    place = Place(public_url=URL, launch_url=f"{URL}/launch")
    *_, link = people.a_card(people.asa(2), place=place).links
    assert (link.type, link.url, link.app_context) == ("smart", f"{URL}/launch", people.ASSESSMENT_ID)


def test_the_result_is_left_out_where_the_tenant_turned_it_off() -> None:
    assert EXTENSION in (people.a_card(people.asa(2)).extension or {})
    assert people.a_card(people.asa(2), place=Place(public_url=URL, discrete_result=False)).extension is None


def test_saving_to_the_chart_is_an_option_only_where_the_tenant_wants_it() -> None:
    place = Place(public_url=URL, save_to_chart=True)
    *_, last = people.a_card(people.asa(2), place=place).suggestions
    (action,) = last.actions
    assert (action.type, (action.resource or {})["resourceType"]) == ("create", "RiskAssessment")
    kinds = {(action.resource or {})["resourceType"] for one in people.a_card(people.asa(2)).suggestions
             for action in one.actions}  # fmt: skip
    assert "RiskAssessment" not in kinds


def test_with_saving_a_card_still_has_three_suggestions_and_tells_the_third_option_in_words() -> None:
    place = Place(public_url=URL, codes=people.CODES)
    everything_known = (people.asa(3), people.function("INDEPENDENT"), people.result("39156-5", 27, "kg/m2"))
    results = (people.result("2160-0", 0.9, "mg/dL"), people.result("4548-4", 9.1, "%"))
    person = (*everything_known, *results, a_condition("I25.10"))
    three = people.a_card(*person, place=place)
    assert len(three.suggestions) == 3
    saving = msgspec.structs.replace(place, save_to_chart=True)
    card = people.a_card(*person, place=saving)
    assert [one.label for one in card.suggestions[:2]] == [one.label for one in three.suggestions[:2]]
    assert card.suggestions[2].label.startswith("Save this estimate")
    assert three.suggestions[2].label in (card.detail or "")


def test_a_gap_may_be_told_instead_of_silence() -> None:
    card = cards.for_gap(TYPICAL.procedure, Place(public_url=URL))
    assert card.summary == "Risk of spinal fusion not computable: the patient's age is not known"
    assert (card.indicator, card.suggestions, card.extension) == ("info", (), None)
    assert (card.detail or "").endswith("The risk was not judged: this is not a low one.")


@given(
    label=st.text("abcdefghij ", min_size=1, max_size=200),
    probability=st.floats(0, 1),
    missing=st.integers(0, 40),
)
def test_the_summary_fits_whatever_the_numbers(label: str, probability: float, missing: int) -> None:
    assessment = with_headline(TYPICAL, label, probability)
    inputs = tuple(name for name, feature in assessment.features.items() if not feature.usable)[:missing]
    assert len(cards.summary(msgspec.structs.replace(assessment, inputs=inputs))) < SUMMARY_LIMIT


TYPICAL = people.an_assessment(people.asa(2))


def with_headline(assessment: Assessment, label: str, probability: float) -> Assessment:
    assert assessment.headline is not None
    score = msgspec.structs.replace(assessment.headline.score, probability=probability)
    return msgspec.structs.replace(
        assessment,
        headline=msgspec.structs.replace(assessment.headline, score=score),
        procedure=msgspec.structs.replace(assessment.procedure, label=label),
    )

"""The result as data holds every prediction and every input, and no member without a value."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.cards import discrete
from fhir_mappings.features.features import FEATURES
from tests.builders import a_condition
from tests.cds_service.advice import people

RESULT = discrete.result(
    people.an_assessment(people.asa(3), a_condition("E11.9"), people.result("14682-9", 133, "umol/L"))
)


def walk(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value, *(found for one in value.values() for found in walk(one))]
    return [found for one in value for found in walk(one)] if isinstance(value, list) else []


def test_every_champion_and_every_input_is_there() -> None:
    states = people.models().states
    champions = [card.name for card in people.models().cards if states[card.name, card.version] == "champion"]
    assert [one["model"] for one in RESULT["predictions"]] == champions
    assert [one["name"] for one in RESULT["inputs"]] == list(FEATURES)


def test_no_member_is_empty() -> None:
    assert all(value not in (None, "", []) for one in walk(RESULT) for value in one.values())


def test_it_is_json_without_a_patient() -> None:
    text = json.dumps(RESULT)
    assert "Patient/" not in text.replace('"source": "Patient/pt-1"', "")


def test_what_the_card_tells_is_marked_as_shown() -> None:
    shown = [one["outcome"] for one in RESULT["predictions"] if one.get("shown")]
    assert len(shown) == len(set(shown))
    assert "30-day-death" in shown


def test_contributions_of_a_shown_probability_cover_every_input_of_its_model() -> None:
    cards = {card.name: card for card in people.models().cards}
    for one in RESULT["predictions"]:
        if one["status"] == "computed" and one["model"] in cards:
            names = {entry["input"] for entry in one["contributions"]}
            assert names == {item.name for item in cards[one["model"]].inputs}


def test_a_converted_result_keeps_what_was_recorded_beside_it() -> None:
    (creatinine,) = [one for one in RESULT["inputs"] if one["name"] == "creatinine"]
    assert (creatinine["status"], creatinine["value"], creatinine["unit"]) == ("used-with-conversion", 1.5, "mg/dL")
    assert (creatinine["recordedValue"], creatinine["recordedUnit"]) == (133, "umol/L")


@pytest.mark.parametrize("status", ["missing", "stale", "rejected", "conflicting"])
def test_an_input_that_was_not_used_says_why(status: str) -> None:
    stale = people.result("2160-0", 1.0, "mg/dL", days=300)
    result = discrete.result(people.an_assessment(people.asa(3), stale))
    assert all("reason" in one for one in result["inputs"] if one["status"] == status)

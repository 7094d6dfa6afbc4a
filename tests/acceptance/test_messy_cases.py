"""The messy cases over HTTP: each folder's `http` is what the whole service answers, in status, numbers and words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from fhir_mappings.features import reasons
from fhir_mappings.features.features import FEATURES
from fhir_mappings.results.feature import Feature
from tests import patience
from tests.acceptance import messy_cases
from tests.acceptance.messy_cases import AS_OF, CASES, EXTENSION, SILENCE

# Models of class B are off unless switched on, and what a release adds to the models is no matter of these cases.
TOLD = frozenset(
    {"sort-2014", "elective-death", "elective-complication", "gupta-mica", "gupta-respiratory-failure", "rcri", "mfi-5"}
)
STATUSES = {"used", "used-with-conversion", "stale", "missing", "rejected", "conflicting"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder: Path = tmp_path_factory.mktemp("messy")
    return an_app(folder)


def an_app(folder: Path) -> Flask:
    database = f"sqlite:///{folder}/record.sqlite3"
    return create_app(Settings(demo=True, database_url=database, state_directory=folder), clock=lambda: AS_OF)


@pytest.fixture(scope="module")
def answers(app: Flask, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Every case's responses: each is posted once for all tests; that of a server that hangs by a demo in haste."""
    http: FlaskClient = app.test_client()
    with patience.in_time():
        in_time: FlaskClient = an_app(tmp_path_factory.mktemp("in-time")).test_client()
    return {name: messy_cases.post(name, in_time if messy_cases.hangs(name) else http) for name in CASES}


def card_of(response: Any) -> dict[str, Any]:
    (card,) = response.get_json()["cards"]
    found: dict[str, Any] = card
    return found


def with_a_card() -> list[str]:
    return [name for name, case in CASES.items() if case["http"].get("cards") == "some"]


def test_every_case_is_of_one_instant() -> None:
    assert {case["as_of"] for case in CASES.values()} == {AS_OF.strftime("%Y-%m-%dT%H:%M:%SZ")}
    assert len(CASES) >= 50


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_answered_with_its_status_and_its_card_or_silence(name: str, answers: dict[str, list[Any]]) -> None:
    expected = CASES[name]["http"]
    for response in answers[name]:
        assert response.status_code == expected["status"], response.get_data(as_text=True)
        body = response.get_json()
        if expected["status"] != 200:
            assert body["resourceType"] == "OperationOutcome"
        elif expected["cards"] == "none":
            assert body["cards"] == []
            assert body["extension"][SILENCE]["reason"] == expected["audit"]
        else:
            assert len(body["cards"]) == 1


@pytest.mark.parametrize("name", with_a_card())
def test_what_can_be_computed_is_computed_and_nothing_else(name: str, answers: dict[str, list[Any]]) -> None:
    predictions = card_of(answers[name][0])["extension"][EXTENSION]["predictions"]
    expected = CASES[name]["http"]
    told = {one["model"]: one for one in predictions if one["model"] in TOLD}
    computed = {model for model, one in told.items() if one["status"] in ("computed", "score-only")}
    assert computed == set(expected["computed"]) & TOLD
    ranged = {model for model, one in told.items() if one["status"] == "range"}
    assert ranged == set(expected.get("range", ())) & TOLD
    lacking = {model: one["needs"] for model, one in told.items() if one["status"] == "not-computable"}
    assert lacking == {model: needs for model, needs in expected.get("not_computable", {}).items() if model in TOLD}
    for model, points in expected.get("points", {}).items():
        assert told[model]["points"] == points
    assert set(told) == TOLD
    assert all("probability" not in told[model] and "points" not in told[model] for model in lacking)


@pytest.mark.parametrize("name", [name for name in CASES if "says" in CASES[name]["http"]])
def test_the_words_of_a_case_are_on_the_card_or_in_the_error(name: str, answers: dict[str, list[Any]]) -> None:
    for response in answers[name]:
        text = response.get_data(as_text=True)
        if response.status_code == 200 and response.get_json()["cards"]:
            card = card_of(response)
            suggested = " ".join(one["label"] for one in card.get("suggestions", ()))
            text = f"{card['summary']} {card.get('detail', '')} {suggested}"
        elif response.status_code == 200:
            text = response.get_json()["extension"][SILENCE]["text"]
        for words in CASES[name]["http"]["says"]:
            assert words in text


@pytest.mark.parametrize("name", with_a_card())
def test_every_input_of_a_case_is_told_with_its_status_as_data(name: str, answers: dict[str, list[Any]]) -> None:
    inputs = {one["name"]: one for one in card_of(answers[name][0])["extension"][EXTENSION]["inputs"]}
    assert list(inputs) == list(FEATURES)
    for feature, wanted in CASES[name]["inputs"].items():
        told = inputs[feature]
        for member in {"status", "reason", "value", "comparator", "flags", "source"} & set(wanted):
            if wanted[member] is not None:
                assert told.get(member, [] if member == "flags" else None) == wanted[member], feature
    assert all("reason" in one for one in inputs.values() if one["status"] not in ("used", "used-with-conversion"))


@pytest.mark.parametrize("name", [name for name in CASES if "never_on_card" in CASES[name]])
def test_what_a_patient_record_says_in_words_is_never_on_a_card(name: str, answers: dict[str, list[Any]]) -> None:
    text = answers[name][0].get_data(as_text=True).lower()
    assert [words for words in CASES[name]["never_on_card"] if words in text] == []


def test_the_same_request_twice_has_the_same_answer(answers: dict[str, list[Any]]) -> None:
    first, second = answers["same-hook-instance-twice"]
    assert first.get_data() == second.get_data()


def test_unknown_members_change_no_number(answers: dict[str, list[Any]]) -> None:
    """Messy case P1: the same patient as in P5, whose request has no unknown member."""
    with_members, without = (
        [one.get("probability") for one in card_of(answers[name][0])["extension"][EXTENSION]["predictions"]]
        for name in ("unknown-members", "patient-prefix")
    )
    assert with_members == without


def test_every_status_occurs_and_every_reason_that_occurs_has_words(answers: dict[str, list[Any]]) -> None:
    seen, unworded = set(), set()
    for name in with_a_card():
        for one in card_of(answers[name][0])["extension"][EXTENSION]["inputs"]:
            seen.add(one["status"])
            if one["status"] in ("used", "used-with-conversion"):
                continue
            told = reasons.words(Feature(name=one["name"], status=one["status"], reason=one["reason"]))
            if told in ("", "not usable"):
                unworded.add(one["reason"])
    assert seen == STATUSES
    assert unworded == set()

"""Apfel is told where its two questions are answered; else it says what it needs, and no card mentions it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cds_service.demo import patients
from tests.acceptance.requests import (
    LOCAL,
    LOINC,
    a_patient,
    a_request,
    an_asa_class,
    an_order,
    bundle,
    days_ago,
)
from tests.acceptance.test_findings import sent

NEVER_SMOKED, SMOKES = "LA18978-9", "LA18976-3"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def an_observation(name: str, coding: tuple[str, str], **value: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": coding[0], "code": coding[1]}]},
        "subject": {"reference": "Patient/pt-b"},
        "effectiveDateTime": days_ago(5),
    } | value


def answers(*, smoking: str = NEVER_SMOKED, history: bool | None = None, plan: bool | None = None) -> dict[str, Any]:
    smoked = {"valueCodeableConcept": {"coding": [{"system": LOINC, "code": smoking}]}}
    found = [an_asa_class(), an_observation("smoking", (LOINC, "72166-2"), **smoked)]
    for name, code, value in (("nausea", "PONV-HISTORY", history), ("plan", "OPIOID-PLAN", plan)):
        if value is not None:
            found.append(an_observation(name, (LOCAL, code), valueBoolean=value))
    return bundle(*found)


def an_opioid() -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": "oxycodone",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "7804"}]},
        "subject": {"reference": "Patient/pt-b"},
    }


def apfel(card: dict[str, Any]) -> dict[str, Any]:
    predictions = card["extension"]["io.surgical-risk.assessment"]["predictions"]
    (found,) = [one for one in predictions if one["model"] == "apfel"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("gender", "given", "points", "rate"),
    [
        ("female", {"history": False, "plan": True}, 3, 0.61),
        ("female", {"history": True, "plan": True}, 4, 0.79),
        ("male", {"history": False, "plan": False}, 1, 0.21),
        ("male", {"history": False, "plan": False, "smoking": SMOKES}, 0, 0.10),
    ],
)
def test_points_and_their_published_rate(
    post: Any, gender: str, given: dict[str, Any], points: int, rate: float
) -> None:
    card = post(a_request(patient=a_patient(gender=gender), observations=answers(**given))).json["cards"][0]
    found = apfel(card)
    assert (found["status"], found["points"], found["maximumPoints"]) == ("score-only", points, 4)
    assert [one["probability"] for one in found["publishedRates"]] == [rate]
    assert "probability" not in found


def test_points_and_rate_of_a_healthy_demo_patient_stand_in_the_data_and_not_on_the_card(post: Any) -> None:
    person = next(one for one in patients.load(datetime.now(UTC)) if one.id == "demo-healthy")
    card = post(sent(person)).json["cards"][0]
    assert (apfel(card)["points"], apfel(card)["publishedRates"][0]["probability"]) == (3, 0.61)
    assert "Apfel" not in card["detail"]


def test_an_answer_no_is_no_search_that_found_nothing(post: Any) -> None:
    card = post(a_request(observations=answers(history=False, plan=False))).json["cards"][0]
    inputs = {one["name"]: one for one in card["extension"]["io.surgical-risk.assessment"]["inputs"]}
    assert (inputs["heart_failure"]["value"], "source" in inputs["heart_failure"]) == (False, False)
    assert inputs["postoperative_opioid_planned"]["value"] is False
    assert inputs["postoperative_opioid_planned"]["source"] == "Observation/plan"


def test_an_opioid_among_the_drafts_is_the_plan(post: Any) -> None:
    observations = answers(history=False)
    request = a_request(an_order(), an_opioid(), selections=["ServiceRequest/fusion"], observations=observations)
    assert apfel(post(request).json["cards"][0])["points"] == 2


@pytest.mark.parametrize(
    ("given", "needs"),
    [
        ({}, ["nausea_or_motion_sickness_history", "postoperative_opioid_planned"]),
        ({"history": True}, ["postoperative_opioid_planned"]),
        ({"plan": False}, ["nausea_or_motion_sickness_history"]),
    ],
)
def test_without_answers_it_says_what_it_needs_and_the_card_is_silent_about_it(
    post: Any, given: dict[str, Any], needs: list[str]
) -> None:
    card = post(a_request(observations=answers(**given))).json["cards"][0]
    found = apfel(card)
    assert (found["status"], found["needs"]) == ("not-computable", needs)
    assert "nausea" not in json.dumps([card["summary"], card["detail"]]).lower()


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_its_page_is_there(http: Any, accept: str) -> None:
    page = http.get("/models/nausea-and-vomiting", headers={"Accept": accept})
    assert page.status_code == 200
    assert b"Apfel simplified risk score" in page.data

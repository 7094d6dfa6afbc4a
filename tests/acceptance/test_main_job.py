"""From an order to a card: the numbers are the published equations' own, on this patient's data."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.acceptance.conftest import Post
from tests.acceptance.requests import (
    PCS,
    a_condition,
    a_patient,
    a_request,
    a_result,
    an_asa_class,
    an_order,
    bundle,
)

EXTENSION = "io.surgical-risk.assessment"


def card_of(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.get_data(as_text=True)
    (card,) = response.json["cards"]
    return dict(card)


def prediction(card: dict[str, Any], model: str) -> dict[str, Any]:
    (found,) = [p for p in card["extension"][EXTENSION]["predictions"] if p["model"] == model]
    return dict(found)


def inputs(card: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in card["extension"][EXTENSION]["inputs"]}


def test_the_card_for_a_72_year_old_with_asa_iii_and_elective_lumbar_fusion_shows_0_82_percent(post: Post) -> None:
    card = card_of(post(a_request()))
    sort = prediction(card, "sort-2014")
    assert sort["probability"] == pytest.approx(0.008187, abs=5e-7)
    assert (sort["status"], sort["shown"], sort["band"]) == ("computed", True, "typical")
    # Any complication, at one and a half times what is typical, heads the card (DEC-32); death is told below it.
    beginning = "Any complication in hospital after spinal fusion: about 273 (261 to 278) in 1,000, depending on body"
    assert card["summary"].startswith(beginning)
    assert "- Death: 8 (usual 8)" in card["detail"].splitlines()


def test_the_card_is_short_plain_and_says_its_limits(post: Post) -> None:
    card = card_of(post(a_request()))
    assert len(card["summary"]) < 140
    assert len(card["detail"]) <= 1200
    assert not re.search(r"[|<]|\n#|!\[", card["detail"])
    assert "informs only." in card["detail"]
    assert "ot calibrated here" in card["detail"]
    # Without the BMI it could be typical: a warning never stands because something is missing (DEC-39).
    assert card["indicator"] == "info"
    assert card["source"]["topic"]["code"] == "SurgRiskSpine"
    assert all({"code", "system", "display"} <= reason.keys() for reason in card["overrideReasons"])


def test_an_order_coded_in_icd_10_pcs_gives_the_same_number(post: Post) -> None:
    coded = card_of(post(a_request(an_order((PCS, "0SG0071")))))
    assert prediction(coded, "sort-2014")["probability"] == pytest.approx(0.008187, abs=5e-7)


def test_order_sign_gives_the_same_number_without_selections(post: Post) -> None:
    body = a_request() | {"hook": "order-sign"}
    del body["context"]["selections"]
    assert prediction(card_of(post(body)), "sort-2014")["probability"] == pytest.approx(0.008187, abs=5e-7)


def test_without_an_asa_class_nothing_is_defaulted_and_the_card_says_what_is_needed(post: Post) -> None:
    card = card_of(post(a_request(observations=bundle())))
    sort = prediction(card, "sort-2014")
    assert sort["status"] == "not-computable"
    assert sort["needs"] == ["asa_class"]
    assert "probability" not in sort
    assert inputs(card)["asa_class"] == {"name": "asa_class", "status": "missing", "reason": "never-recorded"}
    assert "ASA class" in card["detail"]


def test_a_diagnosis_that_a_successful_search_did_not_find_is_known_to_be_absent(post: Post) -> None:
    cancer = inputs(card_of(post(a_request(conditions=None))))["cancer"]
    assert (cancer["status"], cancer["value"]) == ("used", False)


def test_a_list_that_was_neither_sent_nor_to_be_had_leaves_the_diagnosis_unknown(post: Post) -> None:
    card = card_of(post(a_request(conditions=...)))
    assert inputs(card)["cancer"]["status"] == "missing"
    assert inputs(card)["cancer"]["reason"] == "not-provided"
    sort = prediction(card, "sort-2014")
    assert (sort["status"], "probability" in sort) == ("range", False)
    assert sort["missingRange"]["low"] == pytest.approx(0.008187, abs=5e-7)
    assert sort["missingRange"]["high"] == pytest.approx(0.015829, abs=1e-5)


def test_cancer_on_the_list_raises_the_risk(post: Post) -> None:
    card = card_of(post(a_request(conditions=bundle(a_condition("C50.9")))))
    assert prediction(card, "sort-2014")["probability"] == pytest.approx(0.015829, abs=1e-5)


def test_creatinine_in_micromoles_is_converted_and_says_so(post: Post) -> None:
    card = card_of(post(a_request(labs=bundle(a_result("14682-9", 168, "umol/L")))))
    creatinine = inputs(card)["creatinine"]
    assert (creatinine["value"], creatinine["unit"], creatinine["status"]) == (1.9, "mg/dL", "used-with-conversion")
    assert (creatinine["recordedValue"], creatinine["recordedUnit"]) == (168, "umol/L")
    assert creatinine["source"] == "Observation/lab-14682-9"


def test_points_scores_have_points_and_no_probability_of_their_own(post: Post) -> None:
    rcri = prediction(card_of(post(a_request())), "rcri")
    assert rcri["status"] == "score-only"
    assert (rcri["points"], rcri["maximumPoints"]) == (0, 6)
    assert "probability" not in rcri
    assert {rate["source"] for rate in rcri["publishedRates"]} >= {"Lee 1999 validation", "CCS 2017"}


def test_advice_is_about_the_selected_order_only(post: Post) -> None:
    brace = {"resourceType": "DeviceRequest", "id": "brace", "status": "draft", "intent": "order"}
    response = post(a_request(an_order(), brace, selections=["DeviceRequest/brace"]))
    assert response.status_code == 200
    assert response.json["cards"] == []


def test_the_discrete_result_names_the_order_and_every_feature(post: Post) -> None:
    result = card_of(post(a_request()))["extension"][EXTENSION]
    assert result["procedure"]["group"] == "spine-fusion"
    assert result["procedure"]["order"] == "ServiceRequest/fusion"
    assert {"age", "sex", "creatinine", "egfr", "asa_class", "cancer", "urgency", "procedure_group"} <= {
        item["name"] for item in result["inputs"]
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", result["asOf"])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"patient": a_patient(age=12)}, "out-of-scope"),
        ({"patient": a_patient(deceasedBoolean=True)}, "deceased"),
        ({"conditions": bundle(a_condition("Z33.1"))}, "out-of-scope"),
    ],
)
def test_a_patient_outside_the_scope_gets_silence_with_its_reason(
    post: Post, changed: dict[str, Any], reason: str
) -> None:
    response = post(a_request(**changed))
    assert response.status_code == 200
    assert response.json["cards"] == []
    assert response.json["extension"]["io.surgical-risk.silence"]["reason"] == reason


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (an_order(priority="stat"), "not-elective"),
        (an_order(("http://example.org/local", "1234")), "unmapped-procedure"),
        (an_order(doNotPerform=True), "not-surgical"),
    ],
)
def test_an_order_that_nothing_may_be_said_of_gets_silence_with_its_reason(
    post: Post, order: dict[str, Any], reason: str
) -> None:
    response = post(a_request(order))
    assert response.json["cards"] == []
    assert response.json["extension"]["io.surgical-risk.silence"]["reason"] == reason


def test_an_asa_class_older_than_90_days_is_told_and_not_used(post: Post) -> None:
    card = card_of(post(a_request(observations=bundle(an_asa_class(days=120)))))
    assert inputs(card)["asa_class"]["status"] == "stale"
    assert inputs(card)["asa_class"]["value"] == 3
    assert prediction(card, "sort-2014")["status"] == "not-computable"

"""The estimate for the chart is the one that was told, whether it comes from the card or from the record."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from cds_service.cards import chart, discrete
from cds_service.cards.chart import Owner
from tests.builders import an_observation
from tests.cds_service.advice import people

URL = "https://risk.example.org"
CARD = str(uuid.UUID(int=1))


def a_result(*resources: dict[str, Any]) -> dict[str, Any]:
    """As it comes back from the record: through JSON."""
    told = discrete.result(people.an_assessment(*(resources or (people.asa(3),))))
    decoded: dict[str, Any] = json.loads(json.dumps(told))
    return decoded


def test_every_told_probability_is_a_prediction_in_per_cent() -> None:
    result = a_result()
    told = [one for one in result["predictions"] if one.get("shown") and one["status"] == "computed"]
    resource = chart.resource(result, Owner("pt-1"), public_url=URL)
    assert told
    assert [one["probabilityDecimal"] for one in resource["prediction"]] == pytest.approx(
        [100 * one["probability"] for one in told], abs=1e-4
    )


def test_the_basis_is_the_resources_that_were_used() -> None:
    result = a_result(people.asa(3), an_observation("2160-0", 1.1, "mg/dL", effectiveDateTime="2026-01-01"))
    references = [one["reference"] for one in chart.resource(result, Owner("pt-1"), public_url=URL)["basis"]]
    assert "Observation/o-97816-3" in references
    assert "Observation/o-2160-0" not in references  # too old to be used


def test_it_is_identified_by_the_assessment_and_says_that_nobody_reviewed_it() -> None:
    resource = chart.resource(a_result(), Owner("pt-1", "e1"), public_url=URL)
    assert resource["identifier"][0]["value"] == f"urn:uuid:{people.ASSESSMENT_ID}"
    assert "not reviewed by a clinician" in resource["note"][0]["text"]
    assert resource["encounter"] == {"reference": "Encounter/e1"}


def test_the_draft_order_is_named_when_it_is_read_and_not_when_it_is_saved() -> None:
    assert chart.resource(a_result(), Owner("pt-1"), public_url=URL)["basedOn"] == {
        "reference": "ServiceRequest/order-1"
    }
    saved = chart.save_suggestion(a_result(), Owner("pt-1"), public_url=URL, card_uuid=CARD)
    assert "basedOn" not in (saved.actions[0].resource or {})


def test_saving_is_offered_once_and_never_preselected() -> None:
    saved = chart.save_suggestion(a_result(), Owner("pt-1"), public_url=URL, card_uuid=CARD)
    assert saved.is_recommended is False
    assert len(saved.actions) == 1


def test_points_stand_in_the_note_and_are_no_prediction() -> None:
    result = a_result(people.asa(3), an_observation("2160-0", 1.1, "mg/dL"))
    resource = chart.resource(result, Owner("pt-1"), public_url=URL)
    assert "Heart risk points (RCRI): 0 of 6." in resource["note"][0]["text"]
    codes = [one["outcome"]["coding"][0]["code"] for one in resource["prediction"]]
    assert "major-cardiac-event" not in codes

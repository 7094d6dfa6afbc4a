"""An estimate in FHIR says per cent, says that software made it, and names only what was used."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_mappings.writing.risk_assessment import (
    AI_ASSERTED,
    BASELINE,
    INTERVAL,
    ChartEstimate,
    ChartPrediction,
    ModelUsed,
    risk_assessment,
)

DEATH = ChartPrediction(
    outcome="30-day-death",
    text="Death within 30 days",
    model="sort-2014",
    probability=0.124,
    low=0.10,
    high=0.15,
    peer_probability=0.062,
    horizon_days=30,
)


def an_estimate(*predictions: ChartPrediction, **members: Any) -> ChartEstimate:
    given: dict[str, Any] = {
        "assessment_id": "5f0b6b3c-0a55-4c1b-9c0e-0a6f5d1c2b3a",
        "occurred": datetime(2026, 11, 24, 9, 0, tzinfo=UTC),
        "patient_id": "pt-b",
        "predictions": predictions or (DEATH,),
        "models": (
            ModelUsed(name="sort-2014", version="1.0.0", card_url="https://risk.example.org/models/30-day-death"),
        ),
        "basis": ("Observation/asa", "Patient/pt-b"),
        "note": "Not reviewed; 2 inputs missing.",
    }
    return ChartEstimate(**given | members)


def contained(resource: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = [one for one in resource["contained"] if one["resourceType"] == kind]
    return dict(found)


def test_a_probability_is_told_in_per_cent_because_r4_means_per_cent() -> None:
    (prediction,) = risk_assessment(an_estimate())["prediction"]
    assert prediction["probabilityDecimal"] == 12.4


def test_the_relative_risk_compares_with_the_same_operation() -> None:
    (prediction,) = risk_assessment(an_estimate())["prediction"]
    assert prediction["relativeRisk"] == 2.0


def test_interval_and_baseline_are_extensions_in_per_cent() -> None:
    (prediction,) = risk_assessment(an_estimate())["prediction"]
    by_url = {extension["url"]: extension for extension in prediction["extension"]}
    assert by_url[INTERVAL]["valueRange"]["low"]["value"] == 10
    assert by_url[INTERVAL]["valueRange"]["high"]["value"] == 15
    assert by_url[BASELINE]["valueDecimal"] == 6.2


def test_the_horizon_is_told_in_days() -> None:
    (prediction,) = risk_assessment(an_estimate())["prediction"]
    assert prediction["whenRange"]["high"]["value"] == 30


def test_a_stay_in_hospital_begins_with_the_operation_and_has_no_known_end() -> None:
    bare = ChartPrediction(outcome="any-complication", text="Any complication in hospital", model="m", probability=0.2)
    (prediction,) = risk_assessment(an_estimate(bare))["prediction"]
    assert prediction["whenRange"]["low"]["value"] == 0
    assert "high" not in prediction["whenRange"]


def test_what_is_not_known_of_a_prediction_is_left_out() -> None:
    bare = ChartPrediction(outcome="any-complication", text="Any complication", model="m", probability=0.2)
    (prediction,) = risk_assessment(an_estimate(bare))["prediction"]
    assert set(prediction) == {"outcome", "probabilityDecimal", "whenRange"}


def test_it_is_preliminary_and_labelled_as_asserted_by_software() -> None:
    resource = risk_assessment(an_estimate())
    assert resource["status"] == "preliminary"
    assert resource["meta"]["security"] == [AI_ASSERTED]


def test_the_provenance_names_reason_device_and_model_card() -> None:
    resource = risk_assessment(an_estimate())
    provenance = contained(resource, "Provenance")
    assert provenance["target"] == [{"reference": "#"}]
    assert provenance["reason"] == [{"coding": [AI_ASSERTED]}]
    assert provenance["agent"][0]["who"] == {"reference": f"#{contained(resource, 'Device')['id']}"}
    card = contained(resource, "DocumentReference")
    assert provenance["entity"] == [{"role": "derivation", "what": {"reference": f"#{card['id']}"}}]
    assert card["content"][0]["attachment"]["url"] == "https://risk.example.org/models/30-day-death"


def test_the_basis_is_what_was_used_and_nothing_else() -> None:
    resource = risk_assessment(an_estimate())
    assert resource["basis"] == [{"reference": "Observation/asa"}, {"reference": "Patient/pt-b"}]


def test_method_and_device_name_the_version_of_the_model() -> None:
    resource = risk_assessment(an_estimate())
    assert resource["method"]["text"] == "sort-2014 1.0.0"
    assert contained(resource, "Device")["version"] == [{"value": "sort-2014 1.0.0"}]


def test_without_a_computed_outcome_there_is_no_prediction() -> None:
    assert "prediction" not in risk_assessment(an_estimate(predictions=()))


def test_a_probability_above_one_is_refused_by_no_silent_clipping() -> None:
    with pytest.raises(ValueError, match="100"):
        risk_assessment(an_estimate(ChartPrediction(outcome="x", text="x", model="m", probability=1.2)))

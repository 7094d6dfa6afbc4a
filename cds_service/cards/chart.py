"""An estimate for the chart: from the discrete result, live or kept in the record, to a FHIR RiskAssessment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from cds_service.advice import outcomes
from cds_service.cards.suggestions import SAVE, suggestion_uuid
from cds_service.hooks.card import Action, Suggestion
from fhir_mappings.writing.risk_assessment import ChartEstimate, ChartPrediction, ModelUsed, risk_assessment


class Owner(msgspec.Struct, frozen=True):
    """Whose estimate it is; the discrete result names no patient."""

    patient_id: str
    encounter_id: str | None = None


def resource(result: Mapping[str, Any], owner: Owner, *, public_url: str) -> dict[str, Any]:
    """The RiskAssessment of a discrete result; only what was told and computed is a prediction."""
    return risk_assessment(_estimate(result, owner, public_url))


def save_suggestion(result: Mapping[str, Any], owner: Owner, *, public_url: str, card_uuid: str) -> Suggestion:
    """The option to save the estimate, for tenants whose EHR takes a RiskAssessment (R-C05): never silently.

    The draft order is not named in it: it may never be saved, and a reference to nothing would fail.
    """
    estimate = msgspec.structs.replace(_estimate(result, owner, public_url), order=None)
    text = "Save this estimate to the chart, marked as made by software and not yet reviewed"
    return Suggestion(
        label=text,
        uuid=suggestion_uuid(card_uuid, SAVE),
        is_recommended=False,
        actions=(Action(type="create", description=f"{text}.", resource=risk_assessment(estimate)),),
    )


def _estimate(result: Mapping[str, Any], owner: Owner, public_url: str) -> ChartEstimate:
    told = [prediction for prediction in result["predictions"] if prediction.get("shown")]
    missing = sum(one["status"] not in ("used", "used-with-conversion") for one in result["inputs"])
    return ChartEstimate(
        assessment_id=result["assessmentId"],
        occurred=datetime.fromisoformat(result["asOf"]),
        patient_id=owner.patient_id,
        encounter_id=owner.encounter_id,
        order=result["procedure"]["order"],
        predictions=tuple(_prediction(one) for one in told if one["status"] == "computed" or _is_range(one)),
        models=tuple(_model(one, public_url) for one in told if one["status"] in ("computed", "score-only", "range")),
        basis=_basis(result["inputs"]),
        note=f"Made by software and not reviewed by a clinician; {missing} inputs missing or not usable."
        + "".join(f" {_points(one)}." for one in told if "maximumPoints" in one),
    )


def _is_range(told: Mapping[str, Any]) -> bool:
    """Whether it tells from where to where a probability lies, and no single number (DEC-38)."""
    return told["status"] == "range" and "missingRange" in told


def _prediction(told: Mapping[str, Any]) -> ChartPrediction:
    between = told["missingRange"] if _is_range(told) else None
    return ChartPrediction(
        outcome=told["outcome"],
        text=_heading(told),
        model=told["model"],
        probability=told.get("probability"),
        between=(between["low"], between["high"]) if between else None,
        low=told.get("low"),
        high=told.get("high"),
        peer_probability=told.get("peerProbability"),
        horizon_days=told.get("horizonDays"),
        rationale=f"{told['model']} {told['version']}",
    )


def _model(told: Mapping[str, Any], public_url: str) -> ModelUsed:
    page = f"added/{told['model']}" if "added" in told else told["outcome"]
    url = f"{public_url.rstrip('/')}/models/{page}"
    return ModelUsed(name=told["model"], version=told["version"], card_url=url)


def _basis(inputs: list[Mapping[str, Any]]) -> tuple[str, ...]:
    """The resources that were used, each once; those of stale, missing and rejected inputs are none of them."""
    used = (one for one in inputs if one["status"] in ("used", "used-with-conversion"))
    references = (part for one in used for part in one.get("source", "").split())
    return tuple(dict.fromkeys(references))


def _points(told: Mapping[str, Any]) -> str:
    points = told.get("pointsRange")
    count = f"{points['low']:g} to {points['high']:g}" if points else f"{told['points']:g}"
    return f"{_heading(told)}: {count} of {told['maximumPoints']:g}"


def _heading(told: Mapping[str, Any]) -> str:
    if "added" in told:
        return f"{told['added']['heading']} (this site's model)"
    return outcomes.heading(told["outcome"], told["model"])

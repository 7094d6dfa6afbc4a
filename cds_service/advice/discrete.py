"""The result as data: every prediction and every input with its status, for integrators."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cds_service.advice.assessment import Assessment, Estimate
from fhir_mappings.feature import Feature
from models_onnx.score import PublishedRate, Score


def result(assessment: Assessment) -> dict[str, Any]:
    """The whole assessment; members without a value are left out."""
    shown = {estimate.score.model: estimate for estimate in assessment.estimates}
    procedure = assessment.procedure
    return {
        "assessmentId": assessment.assessment_id,
        "asOf": _instant(assessment.as_of),
        "procedure": {
            "group": procedure.group,
            "system": procedure.system,
            "code": procedure.code,
            "order": procedure.order,
        },
        "predictions": [_prediction(assessment, score, shown.get(score.model)) for score in assessment.scores],
        "inputs": [_input(feature) for feature in assessment.features.values()],
    }


def _prediction(assessment: Assessment, score: Score, shown: Estimate | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "outcome": score.outcome,
        "horizon": score.horizon,
        "model": score.model,
        "version": score.version,
        "modelSha256": score.sha256,
        "status": score.status,
    }
    if score.horizon_days is not None:
        told["horizonDays"] = score.horizon_days
    if shown is not None:
        told["shown"] = True
    if score.status == "computed":
        told |= _computed(assessment, score, shown)
    if score.missing_range is not None:
        told["missingRange"] = {"low": score.missing_range.low, "high": score.missing_range.high}
    if score.points is not None:
        told |= {"points": score.points, "maximumPoints": score.maximum_points}
    if score.published_rates:
        told["publishedRates"] = [_rate(rate) for rate in score.published_rates]
    if score.reason is not None:
        told["reason"] = score.reason
    if score.needs:
        told["needs"] = list(score.needs)
    return told


def _computed(assessment: Assessment, score: Score, shown: Estimate | None) -> dict[str, Any]:
    """The probability unrounded, with what it compares with; contributions in log-odds against the reference."""
    peer = shown.peer if shown else None
    return _present(
        {
            "probability": score.probability,
            "low": score.low,
            "high": score.high,
            "band": shown.band if shown else None,
            "peerProbability": peer.probability if peer else None,
            "peerGroup": _peers(assessment) if peer else None,
            "contributions": [{"input": item.input, "logOdds": item.log_odds} for item in score.contributions],
        }
    )


def _peers(assessment: Assessment) -> str:
    return f"{assessment.procedure.label}, adults"


def _rate(rate: PublishedRate) -> dict[str, Any]:
    return _present({"source": rate.source, "probability": rate.probability, "low": rate.low, "high": rate.high})


def _input(feature: Feature) -> dict[str, Any]:
    told: dict[str, Any] = {"name": feature.name, "status": feature.status}
    if feature.value is not None:
        told["value"] = _rounded(feature.value)
        if feature.unit and feature.unit != "1":
            told["unit"] = feature.unit
    if feature.time is not None:
        told["time"] = _time(feature)
    for name, value in (("source", feature.source), ("reason", feature.reason), ("comparator", feature.comparator)):
        if value:
            told[name] = value
    if feature.flags:
        told["flags"] = list(feature.flags)
    if feature.recorded_value is not None:
        told |= {"recordedValue": feature.recorded_value, "recordedUnit": feature.recorded_unit or "1"}
    return told


def _rounded(value: float | bool | str | None) -> float | bool | str | None:
    """People and integrators are told 2 decimals; models get the unrounded number (inputs 1.4)."""
    return round(value, 2) if isinstance(value, float) else value


def _time(feature: Feature) -> str | None:
    if feature.time is None:
        return None
    return feature.time.date().isoformat() if feature.date_only else _instant(feature.time)


def _instant(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, "", [])}

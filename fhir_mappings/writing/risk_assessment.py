"""An estimate as FHIR: one RiskAssessment with its Device, model cards and Provenance contained, labelled as AI.

Profile: R-C05 to R-C07. The label and the three members of the Provenance follow the HL7 AI
Transparency guide (HL7/aitransparency-ig): AIAST in meta.security, the Device as agent, the model card as entity.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from fhir_mappings.terminology.code_systems import UCUM

OUTCOMES = "https://surgical-risk.io/fhir/CodeSystem/outcome"
MODELS = "https://surgical-risk.io/fhir/CodeSystem/model"
ASSESSMENTS = "https://surgical-risk.io/fhir/CodeSystem/assessment"
INTERVAL = "https://surgical-risk.io/fhir/StructureDefinition/prediction-interval"
BASELINE = "https://surgical-risk.io/fhir/StructureDefinition/baseline-probability"

_AI_GUIDE = "http://hl7.org/fhir/uv/aitransparency/CodeSystem"
AI_ASSERTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "AIAST",
    "display": "Artificial Intelligence asserted",
}
_DEVICE_TYPE = {"system": f"{_AI_GUIDE}/AIdeviceTypeCS", "code": "Artificial-Intelligence"}
_MODEL_CARD = {"system": f"{_AI_GUIDE}/AIinputsCS", "code": "AIModelCard", "display": "AI Model-Card"}
_AUTHOR = {"system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": "author"}
_CREATE = {"system": "http://terminology.hl7.org/CodeSystem/v3-DataOperation", "code": "CREATE"}


class ChartPrediction(msgspec.Struct, frozen=True, kw_only=True):
    """One computed outcome. Probabilities from 0 to 1 here; FHIR R4 is told per cent.

    `between`: from where to where it lies, where there is no single `probability`.
    """

    outcome: str
    text: str
    model: str
    probability: float | None
    between: tuple[float, float] | None = None
    low: float | None = None
    high: float | None = None
    peer_probability: float | None = None
    horizon_days: int | None = None
    rationale: str | None = None


class ModelUsed(msgspec.Struct, frozen=True, kw_only=True):
    """A model whose result is told, and where its card stands."""

    name: str
    version: str
    card_url: str


class ChartEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the resource tells. `basis`: references of the resources used, and of no others."""

    assessment_id: str
    occurred: datetime
    patient_id: str
    predictions: tuple[ChartPrediction, ...]
    models: tuple[ModelUsed, ...]
    basis: tuple[str, ...]
    note: str
    mitigation: str | None = None
    encounter_id: str | None = None
    order: str | None = None


def risk_assessment(estimate: ChartEstimate) -> dict[str, Any]:
    """The RiskAssessment, status preliminary: only a clinician makes it final. Raises ValueError if it is not one."""
    # Imported where the first resource is written: the library takes 0.2 s that no answer should wait for.
    from fhir.resources.R4B.riskassessment import RiskAssessment  # noqa: PLC0415

    resource = {
        "resourceType": "RiskAssessment",
        "meta": {"security": [AI_ASSERTED]},
        "contained": [_device(estimate), *_model_cards(estimate), _provenance(estimate)],
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{estimate.assessment_id}"}],
        "basedOn": {"reference": estimate.order} if estimate.order else None,
        "status": "preliminary",
        "method": _method(estimate),
        "code": {"coding": [{"system": ASSESSMENTS, "code": "surgical-risk"}], "text": "Surgical risk assessment"},
        "subject": {"reference": f"Patient/{estimate.patient_id}"},
        "encounter": {"reference": f"Encounter/{estimate.encounter_id}"} if estimate.encounter_id else None,
        "occurrenceDateTime": estimate.occurred.isoformat(),
        "performer": {"reference": "#device"},
        "basis": [{"reference": reference} for reference in estimate.basis] or None,
        "prediction": [_prediction(one) for one in estimate.predictions] or None,
        "mitigation": estimate.mitigation,
        "note": [{"text": estimate.note}],
    }
    built = RiskAssessment.model_validate({name: value for name, value in resource.items() if value is not None})
    return msgspec.json.decode(built.model_dump_json(), type=dict[str, Any])


def _method(estimate: ChartEstimate) -> dict[str, Any]:
    codings = [{"system": MODELS, "version": model.version, "code": model.name} for model in estimate.models]
    return {"coding": codings, "text": ", ".join(f"{model.name} {model.version}" for model in estimate.models)}


def _prediction(prediction: ChartPrediction) -> dict[str, Any]:
    told: dict[str, Any] = {
        "outcome": {"coding": [{"system": OUTCOMES, "code": prediction.outcome}], "text": prediction.text},
    }
    if prediction.between is not None:
        low, high = prediction.between
        told["probabilityRange"] = {"low": _percent_quantity(low), "high": _percent_quantity(high)}
    if prediction.probability is not None:
        told["probabilityDecimal"] = percent(prediction.probability)
    if prediction.peer_probability and prediction.probability is not None:
        told["relativeRisk"] = round(prediction.probability / prediction.peer_probability, 3)
    told["whenRange"] = _when(prediction.horizon_days)
    if prediction.rationale:
        told["rationale"] = prediction.rationale
    if extensions := _extensions(prediction):
        told["extension"] = extensions
    return told


def _when(days: int | None) -> dict[str, Any]:
    """From the day of the operation on; "in hospital" has an end that nobody knows yet: a Range without `high`."""
    return {"low": _days(0)} | ({} if days is None else {"high": _days(days)})


def _extensions(prediction: ChartPrediction) -> list[dict[str, Any]]:
    extensions: list[dict[str, Any]] = []
    if prediction.low is not None and prediction.high is not None:
        interval = {"low": _percent_quantity(prediction.low), "high": _percent_quantity(prediction.high)}
        extensions.append({"url": INTERVAL, "valueRange": interval})
    if prediction.peer_probability is not None:
        extensions.append({"url": BASELINE, "valueDecimal": percent(prediction.peer_probability)})
    return extensions


def percent(probability: float) -> float:
    """A probability of 0 to 1 in per cent: R4 means per cent (invariant ras-2: at most 100). Raises ValueError."""
    if not 0 <= probability <= 1:
        raise ValueError("a probability lies between 0 and 1, that is 0 and 100 per cent")
    return round(100 * probability, 4)


def _percent_quantity(probability: float) -> dict[str, Any]:
    return {"value": percent(probability), "unit": "%", "system": UCUM, "code": "%"}


def _days(number: int) -> dict[str, Any]:
    return {"value": number, "unit": "days", "system": UCUM, "code": "d"}


def _device(estimate: ChartEstimate) -> dict[str, Any]:
    return {
        "resourceType": "Device",
        "id": "device",
        "type": {"coding": [_DEVICE_TYPE]},
        "deviceName": [{"name": "Surgical risk service", "type": "user-friendly-name"}],
        "version": [{"value": f"{model.name} {model.version}"} for model in estimate.models],
    }


def _model_cards(estimate: ChartEstimate) -> list[dict[str, Any]]:
    return [
        {
            "resourceType": "DocumentReference",
            "id": f"card-{model.name}",
            "status": "current",
            "type": {"coding": [_MODEL_CARD]},
            "content": [{"attachment": {"contentType": "text/html", "url": model.card_url}}],
        }
        for model in estimate.models
    ]


def _provenance(estimate: ChartEstimate) -> dict[str, Any]:
    """Contained, and about the resource that contains it: one action can then save both (R-C02, R-C07)."""
    return {
        "resourceType": "Provenance",
        "id": "provenance",
        "target": [{"reference": "#"}],
        "recorded": estimate.occurred.isoformat(),
        "reason": [{"coding": [AI_ASSERTED]}],
        "activity": {"coding": [_CREATE]},
        "agent": [{"type": {"coding": [_AUTHOR]}, "who": {"reference": "#device"}}],
        "entity": [{"role": "derivation", "what": {"reference": f"#card-{model.name}"}} for model in estimate.models],
    }

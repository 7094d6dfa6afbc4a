"""What a prediction of ours and one of a site's own model differ in, as pages tell them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.advice.outcomes import BY_NAME


def adds_up(prediction: Mapping[str, Any]) -> bool:
    """Whether its contributions lead from a reference to its figure; those by occlusion do not."""
    return bool(prediction.get("contributions")) and prediction.get("added", {}).get("method") != "occlusion"


def page(prediction: Mapping[str, Any]) -> str:
    """Where its model is described."""
    model = prediction["model"]
    return f"/models/added/{model}" if "added" in prediction else f"/models/{prediction['outcome']}#{model}"


def denominator(prediction: Mapping[str, Any]) -> int:
    """Of how many a prediction is told."""
    if added := prediction.get("added"):
        return int(added["denominator"])
    outcome = BY_NAME.get(prediction["outcome"])
    return outcome.denominator if outcome else 100

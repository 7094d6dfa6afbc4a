"""What the models are given of the features: values, and of what is not exactly known, the limits."""

from __future__ import annotations

from fhir_mappings.feature import Features
from models_onnx.inexact import Within
from models_onnx.score import InputValue


def values(features: Features) -> dict[str, InputValue | None]:
    """The value of every feature that may be scored, None for every other."""
    return {name: feature.model_value if feature.usable else None for name, feature in features.items()}


def limits(features: Features) -> dict[str, Within]:
    """Of the usable features that are not exactly known, what they could be.

    An age of which the year or month of birth is known is a number and its neighbour; a result above or below a
    limit, or a range, is no number at all (inputs 1.5: "missing for continuous use").
    """
    return {
        name: Within(*feature.possible, censored="bound" in feature.flags)
        for name, feature in features.items()
        if feature.possible is not None and feature.usable
    }

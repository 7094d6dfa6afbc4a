"""The mapping and the models agree on every input by name, kind, unit and categories, or the service does not start."""

from __future__ import annotations

from collections.abc import Sequence

from fhir_mappings.features import FEATURES
from models_onnx.model_card import ModelCard, ModelInput


class ContractError(Exception):
    """A model asks for an input that the mapping does not give in that form."""


def check(cards: Sequence[ModelCard]) -> None:
    """Raise ContractError naming every disagreement."""
    problems = [f"{card.name}: {problem}" for card in cards for item in card.inputs if (problem := _disagreement(item))]
    if problems:
        raise ContractError("; ".join(problems))


def _disagreement(item: ModelInput) -> str | None:
    feature = FEATURES.get(item.name)
    if feature is None:
        return f"input {item.name} is no feature"
    if (item.kind, item.unit) != (feature.kind, feature.unit):
        return f"input {item.name} is {item.kind} in {item.unit!r}, the feature {feature.kind} in {feature.unit!r}"
    if not set(item.categories) <= set(feature.categories):
        return f"input {item.name} has categories that the feature has not"
    return None

"""Whether an oxygen saturation was measured with added oxygen: then it says nothing of room air (ARISCAT)."""

from __future__ import annotations

from fhir_mappings.fhir.elements import Quantity
from fhir_mappings.fhir.resources import Component, Observation
from fhir_mappings.terminology.concept_maps import Vocabulary


def is_on_oxygen(observation: Observation, words: Vocabulary) -> bool:
    """Whether a component tells an oxygen flow above 0 or a concentration above 21 % (ARISCAT: room air)."""
    return any(_is_added_oxygen(component, words) for component in observation.component)


def _is_added_oxygen(component: Component, words: Vocabulary) -> bool:
    quantity = component.value_quantity
    if quantity is None or quantity.value is None:
        return False
    ideas = {idea for coding in component.code.coding for idea in words.ideas(coding.system, coding.code)}
    if "oxygen-flow" in ideas:
        return quantity.value > 0
    return "oxygen-concentration" in ideas and _percent(quantity) > 21


def _percent(quantity: Quantity) -> float:
    value = quantity.value or 0.0
    return value * 100 if (quantity.code or quantity.unit) == "1" else value

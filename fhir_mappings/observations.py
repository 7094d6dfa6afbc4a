"""Which Observation speaks of which input: indexed once by code, dropped where its status says so."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from fhir_mappings.concept_maps import Vocabulary
from fhir_mappings.elements import CodeableConcept, Quantity
from fhir_mappings.resources import Component, Observation, Valued

# https://hl7.org/fhir/R4/valueset-observation-status.html; the others are never used (inputs 1.3 step 1).
_USABLE = frozenset({"final", "amended", "corrected", "preliminary"})
_LOWER = "-lower-rank"

MEASURED = (
    "creatinine",
    "haemoglobin",
    "albumin",
    "platelets",
    "inr",
    "sodium",
    "glucose",
    "hba1c",
    "height",
    "weight",
    "bmi",
    "spo2",
    "egfr",
)
ANSWERED = ("asa-class", "functional-status", "smoking-status", "pregnancy-status")


class Recorded(Struct, frozen=True, gc=False):
    """One result or answer for one input: the Observation, and itself or the component that holds the value."""

    observation: Observation
    valued: Valued
    lower_rank: bool = False
    two_concepts: bool = False
    on_oxygen: bool = False

    @property
    def is_component(self) -> bool:
        """Whether the value stands in a panel."""
        return self.valued is not self.observation

    @property
    def source(self) -> str:
        """The reference of the Observation."""
        return f"Observation/{self.observation.id or ''}"


RecordedByInput = dict[str, list[Recorded]]


def _roles(names: Iterable[str]) -> dict[str, tuple[str, bool]]:
    roles = {}
    for name in names:
        roles[name] = (name, False)
        roles[name + _LOWER] = (name, True)
    return roles


def index(observations: Iterable[Observation], words: Vocabulary, names: Iterable[str]) -> RecordedByInput:
    """Per input (named as its value set) everything recorded for it, in no order; components beside the panels."""
    found: RecordedByInput = {}
    roles = _roles(names)
    ideas_of = words.ideas
    for observation in observations:
        if observation.status not in _USABLE:
            continue
        codings = observation.code.coding
        if len(codings) == 1:
            ideas = ideas_of(codings[0].system, codings[0].code)
        else:
            ideas = _all_ideas(observation.code, words)
        if ideas:
            _file(observation, observation, ideas, roles, words, found)
        for component in observation.component:
            if component_ideas := _all_ideas(component.code, words):
                _file(observation, component, component_ideas, roles, words, found)
    return found


def _all_ideas(concept: CodeableConcept, words: Vocabulary) -> tuple[str, ...]:
    if not concept.coding:
        return words.ideas_of_text(concept.text) if concept.text else ()
    return tuple(dict.fromkeys(idea for one in concept.coding for idea in words.ideas(one.system, one.code)))


def _file(
    observation: Observation,
    valued: Valued,
    ideas: tuple[str, ...],
    roles: dict[str, tuple[str, bool]],
    words: Vocabulary,
    found: RecordedByInput,
) -> None:
    meant: dict[str, bool] = {}
    for idea in ideas:
        role = roles.get(idea)
        if role:
            meant[role[0]] = role[1] and meant.get(role[0], True)
    if not meant or _is_bare_panel(valued):
        return
    on_oxygen = bool(observation.component) and "spo2" in meant and _is_on_oxygen(observation, words)
    for name, lower in meant.items():
        recorded = Recorded(observation, valued, lower, len(meant) > 1, on_oxygen)
        found.setdefault(name, []).append(recorded)


def _is_bare_panel(valued: Valued) -> bool:
    """Whether it has components but neither a value nor a reason for having none."""
    return (
        isinstance(valued, Observation)
        and bool(valued.component)
        and valued.value_quantity is None
        and valued.value_string is None
        and valued.value_codeable_concept is None
        and valued.value_integer is None
        and valued.value_range is None
        and valued.data_absent_reason is None
    )


def _is_on_oxygen(observation: Observation, words: Vocabulary) -> bool:
    """Whether a component tells an oxygen flow above 0 or a concentration above 21 % (ARISCAT: room air)."""
    return any(_is_added_oxygen(component, words) for component in observation.component)


def _is_added_oxygen(component: Component, words: Vocabulary) -> bool:
    quantity = component.value_quantity
    if quantity is None or quantity.value is None:
        return False
    ideas = _all_ideas(component.code, words)
    if "oxygen-flow" in ideas:
        return quantity.value > 0
    return "oxygen-concentration" in ideas and _percent(quantity) > 21


def _percent(quantity: Quantity) -> float:
    value = quantity.value or 0.0
    return value * 100 if (quantity.code or quantity.unit) == "1" else value

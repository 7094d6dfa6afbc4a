"""The models agree with the mapping on every input and with the card on every outcome, or no service starts."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cds_service.advice.outcomes import BY_NAME
from fhir_mappings.features.features import FEATURES
from models_onnx import data_files
from models_onnx.added_card import AddedCard, AddedInput
from models_onnx.model_card import ModelInput

if TYPE_CHECKING:  # the process that forks the workers checks too, and may not load onnxruntime
    from models_onnx.registry import Registry


class ContractError(Exception):
    """A model asks for an input that the mapping does not give in that form, or foresees what no card can tell."""


def check(models: Registry) -> None:
    """Raise ContractError naming every disagreement."""
    problems = [
        f"{card.name}: {problem}" for card in models.cards for item in card.inputs if (problem := _disagreement(item))
    ]
    problems += [
        f"{card.name} {card.version}: a champion, but no card tells its outcome {card.outcome}"
        for card in models.cards
        if models.states[card.name, card.version] == "champion" and card.outcome not in BY_NAME
    ]
    if problems:
        raise ContractError("; ".join(problems))


def check_added(card: AddedCard, models: Registry, path: Path | None = None) -> None:
    """Raise ContractError naming every way in which a model that a site adds does not fit; `path`: its file, for lines.

    What it reads of a site folder depends on the tenant (site_model_inputs.py).
    """
    if problems := list(_problems(card, models)):
        where = (f"{path}:{data_files.line_of(path, member)}: " if path else "" for member, _ in problems)
        told = "; ".join(place + words for place, (_, words) in zip(where, problems, strict=True))
        raise ContractError(told if path else f"{card.name}: {told}")


def _problems(card: AddedCard, models: Registry) -> Iterator[tuple[str, str]]:
    """What does not fit, with the member of model.yaml that says it."""
    for number, item in enumerate(card.inputs):
        if (problem := _own(item) if item.site or item.declared else _disagreement(item)) is not None:
            yield f"inputs[{number}]", problem
    groups = FEATURES["procedure_group"].categories
    for name in card.operations:
        if name not in groups:
            yield "operations", f"operations: no procedure group is called {name}"
    if any(name == card.name for name, _ in models.states):
        yield "name", f"a model that is shipped is called {card.name}; give it another name"
    shipped = {one.horizon for one in models.cards if one.outcome == card.outcome.name}
    if shipped and card.outcome.horizon not in shipped:
        told = " or ".join(sorted(shipped))
        yield "outcome", f"the horizon of {card.outcome.name} is {told}; name an outcome of your own for another"


def _own(item: AddedInput) -> str | None:
    """Of a site folder, or declared for the fit alone: what is read here is neither."""
    if item.name in FEATURES:
        return (
            f"input {item.name} is read by this service itself; take `{'site' if item.site else 'declared'}: true` away"
        )
    return None


def _disagreement(item: ModelInput | AddedInput) -> str | None:
    feature = FEATURES.get(item.name)
    if feature is None:
        near = difflib.get_close_matches(item.name, FEATURES, n=3)
        there = f" (there are {', '.join(near)})" if near else " (of a site's folder it would say `site: true`)"
        return f"input {item.name} is no feature{there}"
    if (item.kind, item.unit) != (feature.kind, feature.unit):
        return f"input {item.name} is {item.kind} in {item.unit!r}, the feature {feature.kind} in {feature.unit!r}"
    if not set(item.categories) <= set(feature.categories):
        return f"input {item.name} has categories that the feature has not"
    return None

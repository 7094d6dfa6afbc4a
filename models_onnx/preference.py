"""Which model an outcome prefers: the order of registry.yaml and nothing else says it (DEC-36)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from models_onnx.model_card import ModelCard, ModelError

State = Literal["champion", "challenger", "prepared", "retired"]
Version = tuple[str, str]


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of registry.yaml: which version of a model is told, silently recorded, or neither.

    `beside`: as champion it stands in the discrete result beside the model that is told, and is never told itself.
    """

    model: str
    version: str
    state: State
    beside: bool = False


def of(entries: Sequence[Entry], cards: Mapping[Version, ModelCard]) -> dict[str, tuple[str, ...]]:
    """For each outcome the names of its models in the order in which the first that answers is told.

    A model stands where its first version is named: a promotion moves nothing. Raises ModelError where the file
    contradicts itself or names nothing to tell.
    """
    _check_champions(entries)
    _check_places(entries)
    order: dict[str, dict[str, None]] = {}
    for entry in entries:
        if not entry.beside:
            order.setdefault(cards[entry.model, entry.version].outcome, {})[entry.model] = None
    return {outcome: tuple(names) for outcome, names in order.items()}


def _check_champions(entries: Sequence[Entry]) -> None:
    champions = [entry.model for entry in entries if entry.state == "champion"]
    if twice := sorted({name for name in champions if champions.count(name) > 1}):
        raise ModelError(f"registry.yaml: a model has two champions: {', '.join(twice)}")
    if not any(entry.state == "champion" and not entry.beside for entry in entries):
        raise ModelError("registry.yaml: no model would be told")


def _check_places(entries: Sequence[Entry]) -> None:
    beside = {entry.model for entry in entries if entry.beside}
    if unsure := sorted({entry.model for entry in entries if not entry.beside} & beside):
        raise ModelError(f"registry.yaml: {', '.join(unsure)}: one version stands beside, another does not")

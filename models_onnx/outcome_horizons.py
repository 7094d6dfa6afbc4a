"""For how many days an operation is followed for an outcome, by its name; None: until discharge."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from models_onnx import registry
from models_onnx.site_outcomes import site_outcomes


def outcome_horizons(directory: Path = registry.PACKAGE) -> Mapping[str, int | None]:
    """Of every outcome that a hospital can fit for itself or a model in `directory` foresees.

    Where models of one outcome differ, as the first of registry.yaml has it: the one that is told.
    """
    known = {name: one.outcome.horizon_days for name, one in site_outcomes().items()}
    cards = {(card.name, card.version): card for card in registry.cards(directory)}
    for entry in registry.read_entries(directory / "registry.yaml"):
        if (card := cards.get((entry.model, entry.version))) is not None:
            known.setdefault(card.outcome, card.horizon_days)
    return known

"""What missing inputs could add, by operation and by which inputs are missing: counted once, then looked up.

Every model is additive, so what an input adds depends on its own value, on the operation, and on which other inputs
are missing; on nothing else (curves.py refuses to export any other model).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from models_onnx.encoding import Encoding
from models_onnx.model import Model
from models_onnx.model_card import ModelInput

# Operations times sets of missing inputs that a service meets; beyond it the least work is to begin again.
MOST = 2048


class StackedModels(Protocol):
    """What ranges and effects ask of the models of one stacked graph; Registry is that, and builds on this file."""

    models: tuple[Model, ...]
    encoding: Encoding
    inputs: tuple[ModelInput, ...]
    plausible: dict[str, tuple[float, ...]]
    effects: Effects

    def run(self, rows: NDArray[np.float64]) -> list[list[float]]:
        """The graph's numbers for each row."""


class Effect(NamedTuple):
    """What one missing input could add to a logit, counted from its first plausible value.

    From `low` to `high` with every other missing input filled in; from `alone_low` to `alone_high` with only this
    one, where `row` says which of the rows to run has only this one; None where that is the same or has no answer.
    """

    input: str
    low: float
    high: float
    alone_low: float = 0.0
    alone_high: float = 0.0
    row: int | None = None


class Lookup(NamedTuple):
    """For one operation and one set of missing inputs: the models that lack something, and what that could do.

    `fillings`: for each row that has to be run the columns to fill in, and with what; the first fills in all.
    """

    fillings: tuple[tuple[tuple[int, float], ...], ...]
    effects: tuple[tuple[Model, tuple[Effect, ...]], ...]


Rows = dict[str, slice]


class Effects:
    """The lookups of one registry. Two threads may count the same one; both find the same."""

    def __init__(self, registry: StackedModels) -> None:
        self._registry = registry
        self._column = {name: position for position, name in enumerate(registry.encoding.names)}
        # A points score has no probability to move; without its operation a model has no reference.
        self._models = [model for model in registry.models if model.card.kind == "probability"]
        operations = {model.card.operation_input for model in self._models}
        self._operation = next((entry for entry in registry.inputs if entry.name in operations), None)
        self._found: dict[tuple[float, int], Lookup] = {}

    def of(self, row: Sequence[float], present: int) -> Lookup:
        """The lookup for an encoded row and the bits of its inputs that are present."""
        if self._operation is None or math.isnan(number := row[self._column[self._operation.name]]):
            return Lookup((), ())
        found = self._found.get((number, present))
        if found is None:
            if len(self._found) >= MOST:
                self._found.clear()
            found = self._found[number, present] = self._counted(self._operation, number, present)
        return found

    def _counted(self, operation: ModelInput, number: float, present: int) -> Lookup:
        models = [model for model in self._models if model.knows(operation.categories[int(number)])]
        read = {name for model in models for name in model.names}
        bits = self._registry.encoding.bits
        lacking = [name for name in self._column if name in read and not bits[name] & present]
        if not lacking:
            return Lookup((), ())
        plausible = [self._registry.plausible[name] for name in lacking]
        full = [self._registry.plausible.get(name, (math.nan,))[0] for name in self._column]
        full[self._column[operation.name]] = number
        rows = [self._with(full, lacking, _last_again(step, plausible)) for step in zip_longest(*plausible)]
        alone: Rows = {}
        empty = self._with(full, lacking, [math.nan] * len(lacking))
        for name, values in zip(lacking, plausible, strict=True):
            alone[name] = slice(len(rows), len(rows) + len(values))
            rows += [self._with(empty, [name], [value]) for value in values]
        numbers = np.array(self._registry.run(np.array(rows)))
        filled = slice(0, max(map(len, plausible)))
        found = [(model, _effects(model, numbers, filled, alone)) for model in models]
        first = {name: (self._column[name], values[0]) for name, values in zip(lacking, plausible, strict=True)}
        return _numbered([(model, effects) for model, effects in found if effects], first)

    def _with(self, row: Sequence[float], names: Sequence[str], values: Sequence[float]) -> list[float]:
        changed = list(row)
        for name, value in zip(names, values, strict=True):
            changed[self._column[name]] = value
        return changed


def _numbered(found: Sequence[tuple[Model, tuple[Effect, ...]]], first: dict[str, tuple[int, float]]) -> Lookup:
    """The lookup, with a row for each input that some model answers with alone."""
    apart = list(dict.fromkeys(effect.input for _, effects in found for effect in effects if effect.row is not None))
    places = {name: 1 + k for k, name in enumerate(apart)}
    placed = (
        (model, tuple(e if e.row is None else e._replace(row=places[e.input]) for e in effects))
        for model, effects in found
    )
    return Lookup((tuple(first.values()), *((first[name],) for name in apart)), tuple(placed))


def _last_again(step: Sequence[float | None], plausible: Sequence[Sequence[float]]) -> list[float]:
    return [every[-1] if value is None else value for value, every in zip(step, plausible, strict=True)]


def _effects(model: Model, numbers: NDArray[np.float64], filled: slice, alone: Rows) -> tuple[Effect, ...]:
    """A model's missing inputs, largest effect first."""
    places = dict(zip(model.names, model.places.contributions, strict=True))
    own = [name for name in alone if name in places]
    found = []
    for name in own:
        together, only = numbers[filled, places[name]], numbers[alone[name], places[name]]
        effect = Effect(name, float((together - together[0]).min()), float((together - together[0]).max()))
        answered = np.isfinite(numbers[alone[name], model.places.logit]).all()
        if len(own) > 1 and answered:
            away = only - only[0]
            effect = effect._replace(alone_low=float(away.min()), alone_high=float(away.max()), row=0)
        found.append(effect)
    found.sort(key=lambda effect: effect.low - effect.high)
    return tuple(found)

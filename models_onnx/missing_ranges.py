"""What missing inputs could do to a prediction, and which of them would be worth knowing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from models_onnx.input_effects import Effect, StackedModels
from models_onnx.model import Model, Numbers, sigmoid
from models_onnx.score import InputValue, Range

Values = Mapping[str, InputValue | None]


class Unknown(msgspec.Struct, frozen=True, gc=False):
    """One missing input: the probabilities between which it could move the prediction (0 to 1), its effect in
    log-odds from its lowest to its highest plausible value, and whether some value of it crosses a threshold.
    """

    input: str
    low: float
    high: float
    spread: float
    crosses: bool


class MissingRange(msgspec.Struct, frozen=True, gc=False):
    """How far a model's missing inputs together could move its probability; `unknown`, largest effect first."""

    model: str
    version: str
    outcome: str
    range: Range
    unknown: tuple[Unknown, ...]


def missing_ranges(
    registry: StackedModels, values: Values, *, thresholds: Mapping[str, Sequence[float]] | None = None
) -> tuple[MissingRange, ...]:
    """The range of every probability model that lacks an input and holds for this person and operation.

    Over the plausible values of the missing inputs (each category; for a number the cards' `plausible` values:
    5th to 95th percentile where data are at hand, else one on each side of every cut-point). Exact, for every
    model is additive: what each value adds is looked up (input_effects.py), and one run of a few rows tells what it is
    added to. `thresholds` are probabilities by outcome, the limits of bands. Without age or operation: nothing.
    """
    if values.get("age") is None:
        return ()
    row, present = registry.encoding.row(values)
    lookup = registry.effects.of(row, present)
    ranged = [entry for entry in lookup.effects if entry[0].beyond(values) is None]
    if not ranged:
        return ()
    rows = np.array([row] * len(lookup.fillings))
    for number, filling in enumerate(lookup.fillings):
        for column, value in filling:
            rows[number, column] = value
    numbers = registry.run(rows)
    limits = thresholds or {}
    return tuple([_range(model, numbers, effects, limits.get(model.card.outcome, ())) for model, effects in ranged])


def _range(
    model: Model, numbers: Sequence[Numbers], effects: Sequence[Effect], thresholds: Sequence[float]
) -> MissingRange:
    logit = numbers[0][model.places.logit]
    low, high = logit, logit
    for effect in effects:
        low, high = low + effect.low, high + effect.high
    whole = Range(sigmoid(low), sigmoid(high))
    unknown = tuple([_unknown(model, effect, numbers, whole, thresholds) for effect in effects])
    return MissingRange(model.card.name, model.card.version, model.card.outcome, whole, unknown)


def _unknown(
    model: Model, effect: Effect, numbers: Sequence[Numbers], whole: Range, thresholds: Sequence[float]
) -> Unknown:
    """One input alone where the model answers without the others; else with the others anywhere in their ranges."""
    low, high = whole.low, whole.high
    if effect.row is not None:
        logit = numbers[effect.row][model.places.logit]
        low, high = sigmoid(logit + effect.alone_low), sigmoid(logit + effect.alone_high)
    spread = effect.high - effect.low
    crosses = spread > 0 and any(low < threshold <= high for threshold in thresholds)
    return Unknown(effect.input, low, high, spread, crosses)

"""What missing inputs could do to a prediction, and which of them would be worth knowing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from models_onnx.model import Model, Numbers, sigmoid
from models_onnx.score import InputValue, Range

if TYPE_CHECKING:
    from models_onnx.registry import Registry

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
    registry: Registry, values: Values, *, thresholds: Mapping[str, Sequence[float]] | None = None
) -> tuple[MissingRange, ...]:
    """The range of every probability model that lacks an input and holds for this person and operation.

    Over the plausible values of the missing inputs (each category; for a number the cards' `plausible` values:
    5th to 95th percentile where data are at hand, else one on each side of every cut-point). Exact, for every
    model is additive: all values are put in together, and each input's least and greatest contribution is taken.
    One run. `thresholds` are probabilities by outcome, the limits of bands. Without age or operation: nothing.
    """
    _, present = registry.encoding.row(values)
    models = [model for model in registry.models if _has_range(model, values, present)]
    lacking = [
        name
        for name, bit in registry.encoding.bits.items()
        if not bit & present and any(name in model.names for model in models)
    ]
    if not lacking:
        return ()
    rows, places = _rows(registry, values, lacking)
    numbers = registry.run(rows)
    found = [_range(model, numbers, places, (thresholds or {}).get(model.card.outcome, ())) for model in models]
    return tuple(entry for entry in found if entry is not None)


def _has_range(model: Model, values: Values, present: int) -> bool:
    if model.card.kind == "points" or values.get("age") is None:
        return False
    operation = model.card.operation_input
    if operation is not None and values.get(operation) is None:
        return False
    obstacle = model.obstacle(values, present)
    return obstacle is None or bool(obstacle.needs and model.graded(values))


def _rows(registry: Registry, values: Values, lacking: Sequence[str]) -> tuple[NDArray[np.float64], dict[str, range]]:
    """Rows with every missing input filled in, one plausible value after another; then rows with only one filled in.

    Also where each input's own rows lie; row 0 to the longest list of values are the filled ones.
    """
    column = {name: position for position, name in enumerate(registry.encoding.names)}
    start, _ = registry.encoding.row(values)
    plausible = [registry.plausible[name] for name in lacking]
    rows = []
    for step in zip_longest(*plausible):
        row = list(start)
        for name, value, every in zip(lacking, step, plausible, strict=True):
            row[column[name]] = every[-1] if value is None else value
        rows.append(row)
    places = {}
    for name, every in zip(lacking, plausible, strict=True):
        places[name] = range(len(rows), len(rows) + len(every))
        for value in every:
            row = list(start)
            row[column[name]] = value
            rows.append(row)
    return np.array(rows), places


def _range(
    model: Model, numbers: Sequence[Numbers], places: Mapping[str, range], thresholds: Sequence[float]
) -> MissingRange | None:
    filled = numbers[: next(iter(places.values())).start]
    told = [model.contributions(entry) for entry in filled]
    low = high = model.reference(filled[0])
    spreads = {}
    for position, name in enumerate(model.names):
        column = [row[position] for row in told]
        least, most = min(column), max(column)
        low, high = low + least, high + most
        if name in places:
            spreads[name] = most - least
    if not spreads:
        return None
    whole = Range(sigmoid(low), sigmoid(high))
    unknown = [
        _unknown(model, name, spread, numbers, places[name], whole, thresholds) for name, spread in spreads.items()
    ]
    unknown.sort(key=lambda entry: -entry.spread)
    return MissingRange(model.card.name, model.card.version, model.card.outcome, whole, tuple(unknown))


def _unknown(
    model: Model,
    name: str,
    spread: float,
    numbers: Sequence[Numbers],
    place: range,
    whole: Range,
    thresholds: Sequence[float],
) -> Unknown:
    """One input alone where the model answers without the others; else with the others anywhere in their ranges."""
    alone = [model.probability(numbers[row]) for row in place]
    answered = all(p == p for p in alone)  # noqa: PLR0124 (NaN is the only number that is not itself)
    low, high = (min(alone), max(alone)) if answered else (whole.low, whole.high)
    crosses = spread > 0 and any(low < threshold <= high for threshold in thresholds)
    return Unknown(name, low, high, spread, crosses)

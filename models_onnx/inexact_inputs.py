"""Numbers known only within limits: which models may use them, and between which figures the answer then lies.

Three rules, by what a model's card declares of the input (`cut_points`, `continuous`); source: inputs 1.5 and 3.
One possible number outside the population: out of scope. A cut-point between the possible numbers, or a censored
number for continuous use: as if it were missing. An approximate number for continuous use: used, and `ranges`
tells how far all possible numbers could move the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import msgspec
import numpy as np

from models_onnx.input_effects import StackedModels
from models_onnx.missing_ranges import MissingRange, Unknown, missing_ranges
from models_onnx.model import Model
from models_onnx.model_card import ModelInput
from models_onnx.open_inputs import NOTHING_OPEN, Open, widened
from models_onnx.score import InputValue, Range, Score

NOT_EXACT = "input-not-exact"
Values = Mapping[str, InputValue | None]


class Within(msgspec.Struct, frozen=True, gc=False):
    """From `low` to `high`, both included, in the unit of the input.

    `censored`: all that is known is a limit or a range, and no number stands for it. Otherwise the value given
    beside it is its best estimate, and `low` and `high` are finite.
    """

    low: float
    high: float
    censored: bool


Limits = Mapping[str, Within]


def refuses(entry: ModelInput, within: Within) -> bool:
    """Whether a model with this input cannot use a number of which only this is known."""
    if entry.continuous:
        return within.censored
    return any(within.low < cut <= within.high for cut in entry.cut_points)


def _refused(model: Model, limits: Limits) -> tuple[str, ...]:
    entries = (entry for entry in model.card.inputs if entry.name in limits)
    return tuple(entry.name for entry in entries if refuses(entry, limits[entry.name]))


def score(registry: StackedModels, values: Values, limits: Limits) -> tuple[Score, ...]:
    """Every model's answer where some numbers are known only within `limits`; one run of the graph.

    A model that cannot do without a number that it has to refuse is not computable, `input-not-exact`.
    """
    refused = [_refused(model, limits) for model in registry.models]
    known = {names: {**values, **dict.fromkeys(names)} for names in refused}
    rows = {names: registry.encoding.row(row) for names, row in known.items()}
    numbers = dict(zip(rows, registry.run(np.array([row for row, _ in rows.values()])), strict=True))
    told = []
    for model, names in zip(registry.models, refused, strict=True):
        answer = _outside(model, values, limits) or model.score(known[names], rows[names][1], numbers[names])
        told.append(msgspec.structs.replace(answer, reason=NOT_EXACT) if set(answer.needs) & set(names) else answer)
    return tuple(told)


def _outside(model: Model, values: Values, limits: Limits) -> Score | None:
    """Out of scope where one possible number is."""
    everything = -1  # every bit: what is missing is asked afterwards
    for end in ("low", "high"):
        found = model.obstacle({**values, **{name: getattr(one, end) for name, one in limits.items()}}, everything)
        if found is not None and found.status == "out-of-scope":
            return found
    return None


def ranges(
    registry: StackedModels,
    values: Values,
    limits: Limits,
    *,
    thresholds: Mapping[str, Sequence[float]] | None = None,
    opened: Open = NOTHING_OPEN,
) -> tuple[MissingRange, ...]:
    """As `known_ranges`, over every value of the inputs as well that rest on lists not all understood."""
    if not opened.possible:
        return known_ranges(registry, values, limits, thresholds=thresholds)
    found = known_ranges(registry, opened.first(values), limits, thresholds=thresholds)
    return widened(registry, values, found, opened, thresholds or {})


def known_ranges(
    registry: StackedModels, values: Values, limits: Limits, *, thresholds: Mapping[str, Sequence[float]] | None = None
) -> tuple[MissingRange, ...]:
    """As `missing_ranges.missing_ranges`, over every possible number of what is only approximately known as well.

    At the two ends of each such number, which for an age are all that is possible; a censored number that a model
    refuses is any of its plausible values.
    """
    if not limits:
        return missing_ranges(registry, values, thresholds=thresholds)
    found: dict[tuple[str, str], list[MissingRange]] = {}
    for names in {_censored(model, limits) for model in registry.models}:
        models = [model for model in registry.models if _censored(model, limits) == names]
        for corner in _corners(registry, limits):
            known = {**values, **corner, **dict.fromkeys(names)}
            for entry in _at(registry, models, known, thresholds=thresholds):
                found.setdefault((entry.model, entry.version), []).append(entry)
    joined = (_joined(entries) for entries in found.values())
    return tuple(entry for entry in joined if entry.unknown or entry.range.low < entry.range.high)


def _censored(model: Model, limits: Limits) -> tuple[str, ...]:
    return tuple(name for name in _refused(model, limits) if limits[name].censored)


def _corners(registry: StackedModels, limits: Limits) -> Iterator[dict[str, InputValue]]:
    """Every combination of the ends of the approximate numbers; one that is empty where there are none."""
    read = {name: one for name, one in limits.items() if not one.censored and name in registry.encoding.bits}
    approximate = {name: (one.low, one.high) for name, one in read.items()}
    return (dict(zip(approximate, ends, strict=True)) for ends in product(*approximate.values()))


def _at(
    registry: StackedModels, models: Sequence[Model], known: Values, *, thresholds: Mapping[str, Sequence[float]] | None
) -> Iterator[MissingRange]:
    """Of each of these models what it could say at one corner: a range where it lacks something, else one figure."""
    lacking = {(entry.model, entry.version): entry for entry in missing_ranges(registry, known, thresholds=thresholds)}
    row, present = registry.encoding.row(known)
    numbers = registry.run(np.array([row]))[0]
    for model in models:
        card = model.card
        if (card.name, card.version) in lacking:
            yield lacking[card.name, card.version]
        elif card.kind == "probability" and model.obstacle(known, present) is None:
            figure = model.probability(numbers)
            yield MissingRange(card.name, card.version, card.outcome, Range(figure, figure), ())


def _joined(entries: Sequence[MissingRange]) -> MissingRange:
    """From the lowest to the highest of all corners."""
    whole = Range(min(one.range.low for one in entries), max(one.range.high for one in entries))
    by_input: dict[str, list[Unknown]] = {}
    for unknown in (unknown for one in entries for unknown in one.unknown):
        by_input.setdefault(unknown.input, []).append(unknown)
    together = [
        Unknown(
            name,
            min(one.low for one in found),
            max(one.high for one in found),
            max(one.spread for one in found),
            any(one.crosses for one in found),
        )
        for name, found in by_input.items()
    ]
    together.sort(key=lambda one: -one.spread)
    return msgspec.structs.replace(entries[0], range=whole, unknown=tuple(together))

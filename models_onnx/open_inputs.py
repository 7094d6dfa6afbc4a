"""Inputs that rest on lists not all of which was understood: every value they could have, and how many at once.

Then a model says no single number: it says from where to where (DEC-38). Every model is additive (input_effects.py), so
what each such input could add is looked up in one run and added to what the rest gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from models_onnx.input_effects import StackedModels
from models_onnx.missing_ranges import MissingRange, Unknown
from models_onnx.model import Model, sigmoid
from models_onnx.score import InputValue, PointsRange, Range, Score

Values = Mapping[str, InputValue | None]
_LEAST = 1e-9  # of a logit or of points: what is less is rounding


class Open(msgspec.Struct, frozen=True):
    """By input every value that it could have; the first is the one where nothing counts that was not understood.

    At most `at_most` of the inputs `counted` can have another than their first value at once: so many things can the
    entries name that were not understood. The others (a list that was not seen at all) are free.
    """

    possible: Mapping[str, tuple[InputValue, ...]] = {}
    counted: frozenset[str] = frozenset()
    at_most: int = 0

    def first(self, values: Values) -> dict[str, InputValue | None]:
        """The values with each open input as if nothing counted that was not understood."""
        return {**values, **{name: possible[0] for name, possible in self.possible.items()}}


NOTHING_OPEN = Open()


class Addition(msgspec.Struct, frozen=True, gc=False):
    """What one open input could add to a logit or to points: from `low` (at most 0) to `high` (at least 0)."""

    input: str
    low: float
    high: float


class Span(msgspec.Struct, frozen=True):
    """What all open inputs of one model together could add; the one that matters most first."""

    low: float
    high: float
    additions: tuple[Addition, ...]

    @property
    def inputs(self) -> frozenset[str]:
        """The open inputs that could move the model."""
        return frozenset(one.input for one in self.additions)


Spans = dict[tuple[str, str], Span]


def spans(registry: StackedModels, values: Values, opened: Open) -> Spans:
    """By model and version what the open inputs could add; models that they cannot move are left out."""
    names = [name for name in opened.possible if name in registry.encoding.bits]
    if not names:
        return {}
    known = opened.first(values)
    # What an input adds does not hang on the others, but a graph without one of them may give no number at all.
    row = registry.encoding.row(known)[0]
    filled = [
        registry.plausible.get(name, (0.0,))[0] if np.isnan(number) else number
        for name, number in zip(registry.encoding.names, row, strict=True)
    ]
    rows, places = [filled], []
    for name in names:
        for value in opened.possible[name][1:]:
            changed = list(filled)
            column = registry.encoding.names.index(name)
            changed[column] = registry.encoding.row({name: value})[0][column]
            rows.append(changed)
            places.append(name)
    numbers = np.array(registry.run(np.array(rows)))
    found = ((model, _span(model, numbers, places, opened)) for model in registry.models)
    return {(model.card.name, model.card.version): span for model, span in found if span.additions}


def _span(model: Model, numbers: np.ndarray, places: Sequence[str], opened: Open) -> Span:
    column = dict(zip(model.names, model.places.contributions, strict=True))
    deltas: dict[str, list[float]] = {}
    for position, name in enumerate(places, start=1):
        if name in column:
            delta = float(numbers[position][column[name]] - numbers[0][column[name]])
            deltas.setdefault(name, [0.0]).append(delta)
    additions = [Addition(name, min(found), max(found)) for name, found in deltas.items()]
    additions = [one for one in additions if one.high - one.low > _LEAST]
    additions.sort(key=lambda one: (one.low - one.high, one.input))
    free = [one for one in additions if one.input not in opened.counted]
    counted = [one for one in additions if one.input in opened.counted]
    low = sum(one.low for one in free) + sum(sorted(one.low for one in counted)[: opened.at_most])
    high = sum(one.high for one in free) + sum(sorted((one.high for one in counted), reverse=True)[: opened.at_most])
    return Span(low, high, tuple(additions))


def ranged(model: Model, raw: Score, span: Span | None) -> Score:
    """A score whose open inputs could move it, as a range; the contributions left are those of what is known."""
    if span is None or raw.status not in ("computed", "score-only"):
        return raw
    known = tuple(one for one in raw.contributions if one.input not in span.inputs)
    depends_on = tuple(one.input for one in span.additions)
    if raw.points is not None:
        low, high = raw.points + span.low, raw.points + span.high
        points = PointsRange(low, high, model.card.rates_at(low), model.card.rates_at(high))
        return msgspec.structs.replace(
            raw, status="range", points=None, points_range=points, published_rates=(), depends_on=depends_on
        )
    logit = raw.logit or 0.0
    return msgspec.structs.replace(
        raw,
        status="range",
        probability=None,
        logit=None,
        depends_on=depends_on,
        low=None,
        high=None,
        contributions=known,
        missing_range=Range(sigmoid(logit + span.low), sigmoid(logit + span.high)),
    )


def widened(
    registry: StackedModels,
    values: Values,
    found: Sequence[MissingRange],
    opened: Open,
    thresholds: Mapping[str, Sequence[float]],
) -> tuple[MissingRange, ...]:
    """The ranges over what is missing or not exact, and over the open inputs as well."""
    by = spans(registry, values, opened)
    known = opened.first(values)
    row, present = registry.encoding.row(known)
    numbers = registry.run(np.array([row]))[0]
    ranges = {(one.model, one.version): one for one in found}
    for model in registry.models:
        card = model.card
        key, span = (card.name, card.version), by.get((card.name, card.version))
        if span is None or card.kind != "probability":
            continue
        if key not in ranges and model.obstacle(known, present) is None:
            figure = model.probability(numbers)
            ranges[key] = MissingRange(card.name, card.version, card.outcome, Range(figure, figure), ())
        if key in ranges:
            ranges[key] = _widened(ranges[key], span, thresholds.get(card.outcome, ()))
    return tuple(ranges.values())


def _widened(raw: MissingRange, span: Span, thresholds: Sequence[float]) -> MissingRange:
    low, high = (_logit(end) for end in (raw.range.low, raw.range.high))
    whole = Range(sigmoid(low + span.low), sigmoid(high + span.high))
    unknown = [
        Unknown(
            one.input,
            sigmoid(low + one.low),
            sigmoid(high + one.high),
            one.high - one.low,
            any(sigmoid(low + one.low) < limit <= sigmoid(high + one.high) for limit in thresholds),
        )
        for one in span.additions
    ]
    together = sorted((*raw.unknown, *unknown), key=lambda one: -one.spread)
    return msgspec.structs.replace(raw, range=whole, unknown=tuple(together))


def _logit(probability: float) -> float:
    return float(np.log(probability / (1.0 - probability)))

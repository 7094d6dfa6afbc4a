"""Feature values as the one row of numbers that the stacked graph reads; NaN where a value is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite, nan
from typing import Any

from models_onnx.model_card import ModelCard, ModelError, ModelInput
from models_onnx.score import InputValue

KINDS: dict[str, frozenset[type]] = {
    "number": frozenset({float, int}),
    "yes-no": frozenset({bool}),
    "category": frozenset({str}),
}


class InputError(ValueError):
    """A value of the wrong kind for its input; the message names the input, never the value."""


class Encoding:
    """The columns of the stacked graph, and how each feature's value becomes a number.

    A number is itself, a yes/no is 0 or 1, a category its position among the input's categories.
    """

    __slots__ = ("_columns", "bits", "inputs", "names")

    def __init__(self, inputs: Sequence[ModelInput]) -> None:
        self.inputs = tuple(inputs)
        self.names = tuple(entry.name for entry in inputs)
        self.bits = {name: 1 << position for position, name in enumerate(self.names)}
        self._columns = tuple((entry.name, KINDS[entry.kind], _codes(entry), 1 << k) for k, entry in enumerate(inputs))

    def row(self, values: Mapping[str, InputValue | None]) -> tuple[list[float], int]:
        """The numbers in column order, and one bit per input that is present.

        None or absent means missing; names that no model reads are ignored. Raises InputError.
        """
        numbers: list[float] = []
        present = 0
        for name, kinds, codes, bit in self._columns:
            value = values.get(name)
            if value is None:
                numbers.append(nan)
                continue
            present |= bit
            # By class, not by isinstance: a bool is an int, and 1 finds True in a dict.
            number: Any = value if codes is None else codes.get(value)
            if value.__class__ not in kinds or number is None or not isfinite(number):
                raise InputError(f"{name}: not a value of this input")
            numbers.append(number)
        return numbers, present

    def mask(self, names: Iterable[str]) -> int:
        """The bits of `names` together."""
        return sum(self.bits[name] for name in set(names))


def _codes(entry: ModelInput) -> dict[InputValue, float] | None:
    if entry.kind == "number":
        return None
    if entry.kind == "yes-no":
        return {False: 0.0, True: 1.0}
    return {category: float(k) for k, category in enumerate(entry.categories)}


def plausible_values(cards: Sequence[ModelCard]) -> dict[str, tuple[float, ...]]:
    """By input the numbers that stand for what a missing value could be: every category, or all cards' `plausible`."""
    found: dict[str, set[float]] = {}
    for entry in (entry for card in cards for entry in card.inputs):
        levels = {"category": len(entry.categories), "yes-no": 2}.get(entry.kind)
        numbers = entry.plausible if levels is None else tuple(map(float, range(levels)))
        found.setdefault(entry.name, set()).update(numbers)
    return {name: tuple(sorted(numbers)) for name, numbers in found.items()}


def union(cards: Sequence[ModelCard], order: Sequence[str]) -> Encoding:
    """The encoding of all models' inputs in the graph's `order`; raises ModelError where two models disagree."""
    known: dict[str, tuple[str, ModelInput]] = {}
    for card in cards:
        for entry in card.inputs:
            owner, first = known.setdefault(entry.name, (card.name, entry))
            if (first.kind, first.unit, first.categories) != (entry.kind, entry.unit, entry.categories):
                raise ModelError(f"{card.name}: its input {entry.name} differs from that of {owner}")
    if set(order) != set(known):
        raise ModelError("stacked.onnx: its inputs are not those of the cards")
    return Encoding([known[name][1] for name in order])

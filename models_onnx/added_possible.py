"""Everything that a person's inputs could be, in rows: what is known once, what is not in each of its values.

An added graph is not additive, so no input can be looked up apart from the others (as open_inputs.py does): every
combination is asked. The figure then is a range over these values, and only over these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import msgspec
import numpy as np
from numpy.typing import NDArray

from models_onnx.added_card import MOST_ROWS, AddedCard, AddedInput, within
from models_onnx.added_graph import code
from models_onnx.inexact_inputs import Within
from models_onnx.open_inputs import Open
from models_onnx.score import InputValue

Values = Mapping[str, InputValue | None]


class Possible(msgspec.Struct, frozen=True):
    """By input what it could be, as numbers of a row, the first what counts where nothing is open.

    `counted`: the inputs of which at most `at_most` can have another than their first value at once (open_inputs.py).
    """

    numbers: tuple[tuple[float, ...], ...]
    counted: tuple[int, ...] = ()
    at_most: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each input could have."""
        return tuple(len(each) for each in self.numbers)

    @property
    def is_one(self) -> bool:
        """Whether there is one person only."""
        return all(length == 1 for length in self.shape)

    @property
    def is_too_many(self) -> bool:
        """Whether one answer may not ask so much."""
        total = 1
        for length in self.shape:
            total *= length
            if total > MOST_ROWS:
                return True
        return False

    def rows(self) -> NDArray[np.float64]:
        """Every combination, the last input changing fastest."""
        return np.array(list(product(*self.numbers)), dtype=np.float64)

    def holds(self) -> NDArray[np.bool_]:
        """Of each combination whether so many inputs can differ at once; in the form of `shape`."""
        allowed = np.ones(self.shape, dtype=np.bool_)
        if len(self.counted) > self.at_most:
            places = np.indices(self.shape)
            allowed = sum(places[place] > 0 for place in self.counted) <= self.at_most
        return allowed


def of(card: AddedCard, values: Values, limits: Mapping[str, Within], opened: Open) -> Possible:
    """What this person's inputs could be. A value beyond the card's limits is out of scope and has been told before."""
    numbers = tuple(_numbers(entry, values.get(entry.name), limits.get(entry.name), opened) for entry in card.inputs)
    counted = tuple(place for place, entry in enumerate(card.inputs) if entry.name in opened.counted)
    return Possible(numbers, counted, opened.at_most)


def _numbers(entry: AddedInput, value: InputValue | None, limits: Within | None, opened: Open) -> tuple[float, ...]:
    if entry.name in opened.possible:
        return tuple(code(entry, one) for one in opened.possible[entry.name])
    if value is None:
        return tuple(code(entry, one) for one in entry.possible)
    if limits is None:
        return (code(entry, value),)
    known = [float(value)] if not limits.censored else []
    low, high = _bounded(entry, limits)
    inside = [float(one) for one in entry.possible if low < float(one) < high]
    return tuple(dict.fromkeys([*known, *sorted({low, high, *inside})]))


def _bounded(entry: AddedInput, limits: Within) -> tuple[float, float]:
    """From where to where, no further than the numbers that the model was made on."""
    plausible = [float(one) for one in entry.possible] or [limits.low, limits.high]
    low = max(limits.low, min(plausible) if entry.low is None else entry.low)
    high = min(limits.high, max(plausible) if entry.high is None else entry.high)
    return min(low, high), max(low, high)


def is_outside(
    entry: AddedInput, value: InputValue | None, limits: Within | None, could_be: Sequence[InputValue]
) -> bool:
    """Whether the model was not made for this value of an input, or for one that it could be.

    A number of which only a limit is known is outside where all that it could be is.
    """
    if could_be:
        return not all(within(entry, one) for one in could_be)
    if value is None:
        return False
    if limits is None:
        return not within(entry, value)
    ends = within(entry, limits.low), within(entry, limits.high)
    if not limits.censored:
        return not all(ends)
    return (entry.high is not None and limits.low > entry.high) or (entry.low is not None and limits.high < entry.low)


def spread(logits: NDArray[np.float64], place: int) -> float:
    """By how much one input moves the log-odds at most, the others being anything; what cannot be is NaN."""
    highest, lowest = np.fmax.reduce(logits, axis=place), np.fmin.reduce(logits, axis=place)
    return float(np.nanmax(highest - lowest))


def names_open(card: AddedCard, possible: Possible) -> Sequence[str]:
    """The inputs that could have more than one value."""
    return [entry.name for entry, each in zip(card.inputs, possible.numbers, strict=True) if len(each) > 1]

"""The graph of a model that a site added: asked in rows of numbers, answering with probabilities or not at all."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models_onnx.added_card import AddedCard, AddedInput
from models_onnx.model import NonFiniteScoreError
from models_onnx.model_card import ModelError
from models_onnx.score import InputValue
from models_onnx.sessions import open_session

# Rows of one run: the memory that a graph takes was measured with so many when it was added.
CHUNK = 256
_ROUNDING = 1e-6
_ELEMENTS = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}
_REAL = ("tensor(float)", "tensor(double)")
Rows = NDArray[np.float64]


class TooSlowError(ModelError):
    """A graph that did not answer within its time."""


class AddedGraph:
    """An open graph, and how the inputs of its card become what it reads. Thread-safe; made after the fork."""

    def __init__(self, content: bytes, card: AddedCard) -> None:
        """Raises ModelError where inputs or outputs are not those of the card."""
        try:
            self._session = open_session(content)
        except Exception as error:  # onnxruntime raises classes of its own for each way to be wrong
            raise ModelError(f"{card.name}: onnxruntime does not open model.onnx: {_first_line(error)}") from error
        self._card = card
        self._inputs = self._session.get_inputs()
        self._as_matrix = _is_matrix(self._inputs, card)
        if not self._as_matrix:
            _check_columns(self._inputs, card)
        self._output, self._column = _output(self._session.get_outputs(), card)

    def probabilities(self, rows: Rows, *, until: float = math.inf) -> NDArray[np.float64]:
        """The probability (0 to 1) of each row, columns in the order of the card's inputs.

        `until`: on the monotonic clock. Raises TooSlowError, and NonFiniteScoreError rather than return a number that
        is no probability.
        """
        found = []
        for start in range(0, len(rows), CHUNK):
            if time.monotonic() > until:
                raise TooSlowError(f"{self._card.name} {self._card.version}: no answer within its time")
            found.append(self._run(rows[start : start + CHUNK]))
        return np.concatenate(found)

    def _run(self, rows: Rows) -> NDArray[np.float64]:
        name = f"{self._card.name} {self._card.version}"
        try:
            told = self._session.run([self._output], self._feed(rows))[0]
        except Exception as error:
            raise NonFiniteScoreError(f"{name}: the graph fails: {_first_line(error)}") from error
        told = np.asarray(told)
        if told.ndim not in (1, 2) or told.shape[0] != len(rows) or told.dtype.kind != "f":
            raise NonFiniteScoreError(f"{name}: {len(rows)} rows gave an output of shape {told.shape}")
        if told.ndim == 2:
            if self._column >= told.shape[1] or (self._card.output is None and told.shape[1] != 1):
                raise NonFiniteScoreError(f"{name}: the output has {told.shape[1]} columns: {_SAY_WHICH}")
            told = told[:, self._column]
        figures = told.astype(np.float64)
        if not np.isfinite(figures).all():
            raise NonFiniteScoreError(f"{name}: the graph gave no finite number")
        if figures.min() < -_ROUNDING or figures.max() > 1 + _ROUNDING:
            raise NonFiniteScoreError(f"{name}: the graph gave a number that is no probability (0 to 1)")
        return np.clip(figures, 0.0, 1.0)

    def _feed(self, rows: Rows) -> dict[str, NDArray[Any]]:
        if self._as_matrix:
            return {self._inputs[0].name: rows.astype(_ELEMENTS[self._inputs[0].type])}
        places = {entry.name: place for place, entry in enumerate(self._card.inputs)}
        return {one.name: self._as_column(one, rows[:, places[one.name]], places[one.name]) for one in self._inputs}

    def _as_column(self, one: onnxruntime.NodeArg, numbers: NDArray[np.float64], place: int) -> NDArray[Any]:
        column: NDArray[Any] = numbers
        if one.type == "tensor(string)":
            column = np.array(self._card.inputs[place].categories, dtype=np.object_)[numbers.astype(np.int64)]
        column = column.astype(_ELEMENTS[one.type])
        return column.reshape(-1, 1) if len(one.shape) == 2 else column


_SAY_WHICH = "say in model.yaml which one is the probability, such as output: {name: probabilities, column: 1}"


def _is_matrix(inputs: list[onnxruntime.NodeArg], card: AddedCard) -> bool:
    """Whether the graph reads one table with a column per input; raises ModelError where it is another table."""
    if len(inputs) != 1 or (len(card.inputs) == 1 and inputs[0].name == card.inputs[0].name):
        return False
    one, width = inputs[0], len(card.inputs)
    if one.type not in _REAL or len(one.shape) != 2:
        raise ModelError(f"{card.name}: input {one.name} of the graph is {one.type} {one.shape}, no table of numbers")
    if one.shape[1] not in (width, None) and not isinstance(one.shape[1], str):
        raise ModelError(f"{card.name}: the graph reads {one.shape[1]} columns, model.yaml names {width} inputs")
    _refuse_fixed(one, card)
    return True


def _check_columns(inputs: list[onnxruntime.NodeArg], card: AddedCard) -> None:
    named = {entry.name: entry for entry in card.inputs}
    found = {one.name: one for one in inputs}
    for name in sorted({*named, *found}):
        if name not in found:
            raise ModelError(f"{card.name}: the graph has no input {name}; it has {', '.join(sorted(found))}")
        if name not in named:
            raise ModelError(f"{card.name}: the graph reads an input {name[:60]!r} that model.yaml does not name")
        one, entry = found[name], named[name]
        if one.type not in _ELEMENTS or (one.type == "tensor(string)") > (entry.kind == "category"):
            raise ModelError(f"{card.name}: input {name} of the graph is {one.type}, the feature a {entry.kind}")
        if len(one.shape) not in (1, 2) or (len(one.shape) == 2 and one.shape[1] not in (1, None)):
            raise ModelError(f"{card.name}: input {name} of the graph has the shape {one.shape}, not one column")
        _refuse_fixed(one, card)


def _refuse_fixed(one: onnxruntime.NodeArg, card: AddedCard) -> None:
    if isinstance(one.shape[0], int) and one.shape[0] > 0:
        raise ModelError(f"{card.name}: input {one.name} takes {one.shape[0]} rows only; export with a free batch axis")


def _output(outputs: list[onnxruntime.NodeArg], card: AddedCard) -> tuple[str, int]:
    names = ", ".join(one.name for one in outputs)
    if card.output is None and len(outputs) != 1:
        raise ModelError(f"{card.name}: the graph has {len(outputs)} outputs ({names}): {_SAY_WHICH}")
    asked = card.output.name if card.output is not None else outputs[0].name
    found = [one for one in outputs if one.name == asked]
    if not found:
        raise ModelError(f"{card.name}: the graph has no output {asked}; it has {names}")
    if found[0].type not in _REAL:
        raise ModelError(f"{card.name}: output {asked} is {found[0].type}, not numbers (skl2onnx: zipmap=False)")
    return asked, card.output.column if card.output is not None else 0


def code(entry: AddedInput, value: InputValue) -> float:
    """A value as the number that stands for it in a row: a category is its place, a yes 1."""
    return float(entry.categories.index(value)) if isinstance(value, str) else float(value)


def row(card: AddedCard, values: Mapping[str, InputValue]) -> list[float]:
    """One person as a row."""
    return [code(entry, values[entry.name]) for entry in card.inputs]


def _first_line(error: Exception) -> str:
    """What onnxruntime says, fit for one line; it knows no patient, for values are never part of its messages."""
    return " ".join(str(error).split())[:200]

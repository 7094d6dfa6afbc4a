"""The card of a model: what it is for, what it reads and where it holds; card.yaml as types."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from models_onnx import data_files
from models_onnx.data_files import DataFileError
from models_onnx.score import PublishedRate


class ModelError(Exception):
    """A model that may not be served; the message names the model and says why."""


class ModelInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One input of a model: the service checks name, kind, unit and categories against the features.

    `low` and `high` bound a number (`unit`, "1" where there is none): beyond them the bound is used.
    Without a `required` input there is no number; without another the model's own missing term is used.
    `plausible` numbers stand for what a missing one could be. A number declares how the model uses it: only by
    the side of its `cut_points` on which it lies (the least number of each upper side), or `continuous`, each
    number for itself; that decides what a number known only within limits is good for (inexact_inputs.py).
    """

    name: str
    kind: Literal["number", "yes-no", "category"]
    unit: str
    required: bool
    why: str
    categories: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    plausible: tuple[float, ...] = ()
    cut_points: tuple[float, ...] = ()
    continuous: bool = False


class ScopeLimit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A number below `low` or above `high` is a person for whom the model was not made."""

    input: str
    reason: str
    low: float | None = None
    high: float | None = None


class Scope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """For whom and for which operations the model holds; operations by procedure group, each with its reason."""

    limits: tuple[ScopeLimit, ...] = ()
    operations_outside: dict[str, str] = {}
    operations_not_graded: dict[str, str] = {}


class PointsBand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rates that publications report for `low` to `high` points, both included."""

    low: float
    high: float
    rates: tuple[PublishedRate, ...]


class ModelCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Everything that must be told of a model beside its numbers.

    `sha256` is that of model.onnx; `denominator` the one in which this outcome is told (in 100 or in 1,000);
    `reference` says with whom contributions compare. The 31 source attributes are told by source_attributes.py.
    """

    name: str
    version: str
    title: str
    outcome: str
    outcome_definition: str
    horizon: str
    kind: Literal["probability", "points"]
    trust: Literal["A", "B", "fitted"]
    denominator: Literal[100, 1000]
    summary: str
    reference: str
    population: str
    licence: str
    released: str
    inputs: tuple[ModelInput, ...]
    limits: tuple[str, ...]
    citations: tuple[str, ...]
    scope: Scope = Scope()
    horizon_days: int | None = None
    maximum_points: float | None = None
    published_rates: tuple[PointsBand, ...] = ()
    operation_input: str | None = None
    sha256: str = ""

    def rates_at(self, points: float) -> tuple[PublishedRate, ...]:
        """The published rates for a number of points; empty where nothing was published."""
        return next((band.rates for band in self.published_rates if band.low <= points <= band.high), ())


def read_evaluation(folder: Path) -> dict[str, Any] | None:
    """The figures of a fitted model (evaluation.json), None where a model has none; raises ModelError."""
    path = folder / "evaluation.json"
    if not path.exists():
        return None
    try:
        found: dict[str, Any] = data_files.read_json(path, dict)
    except (OSError, DataFileError) as error:
        raise ModelError(f"{folder.parent.name}: evaluation.json cannot be read: {data_files.why(error)}") from error
    return found


def read_card(path: Path) -> ModelCard:
    """The card in `path`; raises ModelError naming the file and the member that is wrong."""
    try:
        card = data_files.read_yaml(path, ModelCard)
    except (OSError, DataFileError) as error:
        raise ModelError(f"{path.parent.parent.name}: card.yaml cannot be read: {data_files.why(error)}") from error
    for entry in card.inputs:
        if entry.kind == "number" and entry.continuous == bool(entry.cut_points):
            raise ModelError(f"{card.name}: input {entry.name} has to be either continuous or have cut_points")
    return card

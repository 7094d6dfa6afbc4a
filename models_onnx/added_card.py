"""What a site says of a model that it adds: model.yaml as types, and what has to hold of it before its graph is opened.

Names, kinds and units of inputs are held against the features by the service (model_input_contract.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from models_onnx import data_files
from models_onnx.data_files import DataFileError
from models_onnx.model_card import ModelError
from models_onnx.score import InputValue

FILE = "model.yaml"
GRAPH = "model.onnx"
_NAME = re.compile(r"[a-z][a-z0-9-]{1,47}")
_OUTCOME = re.compile(r"[a-z0-9][a-z0-9-]{1,47}")
_VERSION = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST = 600
_STEPS = 9  # evenly from low to high, where no values are named
MOST_ROWS = 4_096  # that one answer may ask of a graph
_MOST_BYTES = 256 * 1024
_MOST_INPUTS = 40
_MOST_BACKGROUND = 64
_MOST_EXAMPLES = 50

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST)]
Method = Literal["additive", "shapley", "occlusion", "none"]


class AddedInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One input, in the order of the graph's columns; `name`, `kind` and `unit` are those of a feature.

    `low`, `high`: the numbers that the model was made on; a person beyond them is out of its scope. `values`: what a
    missing number could be, of low, high and seven steps between where none are named. A category is given to the graph
    as its place in `categories` (from 0), or as itself where the graph reads strings; another category is out of scope.
    Without a `required` input there is no answer at all, without another one a range. `site`: a laboratory value that
    the tenant's site folder adds, by its name there (docs/your-own-codes.md). `declared`: known of the operations that
    the model was fitted on, and read by nothing when one is ordered: there it is always missing, and told as such.
    """

    name: str
    kind: Literal["number", "yes-no", "category"]
    unit: str = "1"
    low: float | None = None
    high: float | None = None
    values: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    required: bool = False
    site: bool = False
    declared: bool = False

    @property
    def possible(self) -> tuple[InputValue, ...]:
        """Every value that a missing one is taken to have."""
        if self.kind == "yes-no":
            return (False, True)
        if self.kind == "category":
            return self.categories
        if self.values or self.low is None or self.high is None:
            return self.values
        return tuple(self.low + (self.high - self.low) * step / (_STEPS - 1) for step in range(_STEPS))


class AddedOutcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the model foresees: `heading` on a card and a page, `words` in a sentence, over `horizon`.

    Told in so many as `denominator`. `frequency`: whether it may head a card once it is validated, as rare or common.
    """

    name: str
    heading: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    words: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    definition: Text
    horizon: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    denominator: Literal[100, 1000]
    horizon_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] | None = None
    frequency: Literal["rare", "common", "none"] = "none"


class Explained(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the model's figure is told apart into inputs (added_contributions.py).

    `background`: the people with whom it is compared, `background_words` who they are. `evaluations`: how often the
    graph may be asked for it in one answer.
    """

    method: Method
    background: tuple[dict[str, InputValue], ...] = ()
    background_words: Annotated[str, msgspec.Meta(max_length=_LONGEST)] = ""
    evaluations: Annotated[int, msgspec.Meta(ge=64, le=MOST_ROWS)] = 2_048


class Output(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which output of the graph is the probability, and which of its columns where it has several."""

    name: str
    column: Annotated[int, msgspec.Meta(ge=0, le=1)] = 0


class Validation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The report on the hospital's own cases that stands behind the model: a file in its folder."""

    report: str
    sha256: str


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One invented person, and the probability that the model's makers had of it before it became a graph."""

    inputs: dict[str, InputValue]
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)]


class AddedCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """model.yaml. `operations`: the procedure groups for which the model holds; none: all that its inputs allow.

    `examples` find a column in the wrong place, which no other check can. `challenger`: scored and recorded beside
    what is told, and told to nobody (R-F09).
    """

    name: str
    version: str
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    summary: Text
    made_by: Text
    made_on: Text
    outcome: AddedOutcome
    inputs: tuple[AddedInput, ...]
    limits: tuple[Text, ...]
    contributions: Explained
    examples: tuple[Example, ...]
    operations: tuple[str, ...] = ()
    output: Output | None = None
    validation: Validation | None = None
    challenger: bool = False


def read_card(folder: Path) -> AddedCard:
    """The card in a folder; raises ModelError naming file, line and what is wrong."""
    path = folder / FILE
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ModelError(f"{path}: larger than {_MOST_BYTES:,} bytes")
        card = data_files.read_yaml(path, AddedCard)
    except DataFileError as error:
        raise ModelError(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: cannot be read") from error
    for complaint in _complaints(card):
        raise ModelError(f"{path}: {complaint}")
    return card


def is_name(name: str, version: str) -> bool:
    """Whether a model may be called so; both are names of folders."""
    return bool(_NAME.fullmatch(name) and _VERSION.fullmatch(version))


def _complaints(card: AddedCard) -> Iterator[str]:
    yield from _of_words(card)
    if not 1 <= len(card.inputs) <= _MOST_INPUTS:
        yield f"inputs: 1 to {_MOST_INPUTS}"
    names = [one.name for one in card.inputs]
    for name in sorted({one for one in names if names.count(one) > 1}):
        yield f"inputs: {name} is named twice"
    for entry in card.inputs:
        yield from complaints_of_input(entry)
    yield from _of_background(card)
    if not 1 <= len(card.examples) <= _MOST_EXAMPLES:
        yield f"examples: 1 to {_MOST_EXAMPLES} people, each with the probability that your own code gives"
    for place, example in enumerate(card.examples):
        yield from _of_person(card, example.inputs, f"examples: {place}")


def _of_words(card: AddedCard) -> Iterator[str]:
    if not _NAME.fullmatch(card.name):
        yield "name: lower-case letters, digits and hyphens, 2 to 48"
    if not _OUTCOME.fullmatch(card.outcome.name):
        yield "outcome: name: lower-case letters, digits and hyphens"
    if not _VERSION.fullmatch(card.version):
        yield "version: three numbers, such as 1.0.0"
    if card.validation is not None:
        if not _FILE_NAME.fullmatch(card.validation.report) or card.validation.report in (FILE, GRAPH):
            yield "validation: report: the name of a file in this folder"
        if not _SHA256.fullmatch(card.validation.sha256):
            yield "validation: sha256: 64 hexadecimal digits"


def complaints_of_input(entry: AddedInput) -> Iterator[str]:
    """What does not hold of one input by itself."""
    what = f"inputs: {entry.name}:"
    if entry.kind == "number" and not entry.required and len(entry.possible) < 2:
        yield f"{what} low and high, or at least two values: what a missing one could be"
    if entry.kind == "number" and entry.categories:
        yield f"{what} a number has no categories"
    if entry.kind == "category" and len(set(entry.categories)) != max(2, len(entry.categories)):
        yield f"{what} at least two categories, each once, in the order of the graph's numbers"
    if entry.declared and (entry.site or entry.required):
        yield f"{what} what is only declared is always missing: it can be neither `site` nor `required`"
    if entry.site and entry.kind != "number":
        yield f"{what} a laboratory value of a site folder is a number"
    if entry.kind != "number" and (entry.values or entry.low is not None or entry.high is not None):
        yield f"{what} low, high and values are for a number"
    numbers = [one for one in (entry.low, *entry.values, entry.high) if one is not None]
    if numbers != sorted(numbers) or not all(abs(one) < 1e12 for one in numbers):
        yield f"{what} low, values and high have to rise"


def _of_background(card: AddedCard) -> Iterator[str]:
    told = card.contributions
    if told.method == "none":
        return
    most = _MOST_BACKGROUND if told.method == "shapley" else 1
    if not 1 <= len(told.background) <= most or not told.background_words:
        yield f"contributions: {told.method} needs a background of 1 to {most} people, and background_words"
    for place, person in enumerate(told.background):
        yield from _of_person(card, person, f"contributions: background: {place}")


def _of_person(card: AddedCard, person: Mapping[str, InputValue], what: str) -> Iterator[str]:
    if set(person) != {entry.name for entry in card.inputs}:
        yield f"{what}: each person has exactly the inputs"
    for entry in card.inputs:
        if entry.name in person and not within(entry, person[entry.name]):
            yield f"{what}: {entry.name} is no value of this input"


def within(entry: AddedInput, value: object) -> bool:
    """Whether the model was made for this value of an input."""
    if entry.kind == "yes-no":
        return isinstance(value, bool)
    if entry.kind == "category":
        return isinstance(value, str) and value in entry.categories
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    low, high = entry.low, entry.high
    return (low is None or value >= low) and (high is None or value <= high) and abs(value) < 1e12

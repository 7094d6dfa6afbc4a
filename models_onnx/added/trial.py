"""Golden scores of an added model: made when it is added, rows with missing values among them, and replayed later."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from models_onnx import data_files
from models_onnx.added_card import AddedCard, AddedInput
from models_onnx.added_model import AddedAnswer, AddedModel
from models_onnx.data_files import DataFileError
from models_onnx.model_card import ModelError
from models_onnx.open_inputs import NOTHING_OPEN
from models_onnx.score import InputValue

FILE = "golden_scores.json"
# Single precision, and trees whose sums another processor adds in another order.
TOLERANCE = 1e-5
_MOST = 60
_FEWEST = 8
# Replayed by every worker at its start: a dear model has fewer.
_MOST_SECONDS = 2.0
Person = dict[str, InputValue | None]


class AddedExpected(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the model said of one person when it was added."""

    status: str
    probability: float | None = None
    low: float | None = None
    high: float | None = None
    contributions: dict[str, float] = {}
    reason: str | None = None
    needs: tuple[str, ...] = ()


class AddedCase(msgspec.Struct, frozen=True, kw_only=True):
    """One invented person and what is expected."""

    name: str
    inputs: Person
    expected: AddedExpected


class AddedGolden(msgspec.Struct, frozen=True, kw_only=True):
    """golden_scores.json."""

    model: str
    version: str
    cases: tuple[AddedCase, ...]


def made(model: AddedModel) -> AddedGolden:
    """The golden scores of a model that is being added. Raises ModelError where it fails for one of them."""
    cases: list[AddedCase] = []
    began = time.monotonic()
    for name, person in _people(model.card):
        cases.append(AddedCase(name=name, inputs=person, expected=_asked(model, person)))
        if len(cases) >= _MOST or (len(cases) >= _FEWEST and time.monotonic() - began > _MOST_SECONDS):
            break
    return AddedGolden(model=model.card.name, version=model.card.version, cases=tuple(cases))


def verify(folder: Path, model: AddedModel) -> int:
    """Replay every golden score and return how many; raises ModelError naming the first that differs."""
    card = model.card
    try:
        golden = data_files.read_json(folder / FILE, AddedGolden)
    except (OSError, msgspec.DecodeError, DataFileError) as error:
        raise ModelError(f"{card.name}: {FILE} cannot be read: {error}") from error
    if (golden.model, golden.version) != (card.name, card.version) or not golden.cases:
        raise ModelError(f"{card.name} {card.version}: {FILE} is not of this model")
    for case in golden.cases:
        if not _agree(_asked(model, case.inputs), case.expected):
            raise ModelError(f"{card.name} {card.version}: golden score {case.name!r} is not reproduced")
    return len(golden.cases)


def _asked(model: AddedModel, person: Person) -> AddedExpected:
    return _told(model.tried(person, {}, NOTHING_OPEN))


def _told(answer: AddedAnswer) -> AddedExpected:
    score, span = answer.score, answer.score.missing_range
    return AddedExpected(
        status=score.status,
        probability=score.probability,
        low=span.low if span else None,
        high=span.high if span else None,
        contributions={one.input: one.log_odds for one in score.contributions},
        reason=score.reason,
        needs=score.needs,
    )


def _agree(found: AddedExpected, expected: AddedExpected) -> bool:
    if (found.status, found.reason, found.needs) != (expected.status, expected.reason, expected.needs):
        return False
    if found.contributions.keys() != expected.contributions.keys():
        return False
    pairs = [(getattr(found, name), getattr(expected, name)) for name in ("probability", "low", "high")]
    # A part is a difference of log-odds, which of a rare outcome move a hundred times as much as the figure.
    parts = [(found.contributions[name], one) for name, one in expected.contributions.items()]
    return all(_close(a, b, TOLERANCE) for a, b in pairs) and all(_close(a, b, 1e-2) for a, b in parts)


def _close(a: float | None, b: float | None, within: float) -> bool:
    return a is b or (a is not None and b is not None and abs(a - b) <= within)


def _people(card: AddedCard) -> Iterator[tuple[str, Person]]:
    """The first example, and of it each input missing; everything missing; the others; each input at its ends."""
    first: Person = dict(card.examples[0].inputs)
    yield "example 1", first
    for entry in card.inputs:
        yield f"{entry.name} missing", first | {entry.name: None}
    yield "everything missing", dict.fromkeys(first)
    for place, example in enumerate(card.examples[1:], 2):
        yield f"example {place}", dict(example.inputs)
    for entry in card.inputs:
        for value in _ends(entry):
            yield f"{entry.name} {value}", first | {entry.name: value}


def _ends(entry: AddedInput) -> list[InputValue]:
    """Its first and last value, and one for which the model was not made."""
    beyond: list[InputValue] = [entry.high + 1.0] if entry.kind == "number" and entry.high is not None else []
    return [*dict.fromkeys((*entry.possible[:1], *entry.possible[-1:])), *beyond]

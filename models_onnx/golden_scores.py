"""The golden scores of a model, replayed at every start: the graph must still say what scikit-learn said."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import msgspec

from models_onnx import data_files
from models_onnx.data_files import DataFileError
from models_onnx.model_card import ModelCard, ModelError
from models_onnx.score import InputValue, Score, ScoreStatus

TOLERANCE = 1e-6
FEWEST = 12


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is to answer for one person."""

    status: ScoreStatus
    probability: float | None = None
    logit: float | None = None
    points: float | None = None
    contributions: dict[str, float] = {}
    reason: str | None = None
    needs: tuple[str, ...] = ()


class GoldenCase(msgspec.Struct, frozen=True, kw_only=True):
    """One invented person, and what is expected; `published_percent` is the source's own figure where it has one."""

    name: str
    inputs: dict[str, InputValue | None]
    expected: Expected
    published_percent: float | None = None


class GoldenScores(msgspec.Struct, frozen=True, kw_only=True):
    """golden_scores.json."""

    model: str
    version: str
    cases: tuple[GoldenCase, ...]


class Scorer(Protocol):
    """What can be asked for scores."""

    cards: tuple[ModelCard, ...]

    def score(self, values: dict[str, InputValue | None]) -> tuple[Score, ...]: ...  # noqa: D102


def read_golden_scores(folder: Path) -> GoldenScores:
    """The golden scores in a model's folder; raises ModelError naming the model."""
    try:
        return data_files.read_json(folder / "golden_scores.json", GoldenScores)
    except (OSError, DataFileError) as error:
        raise ModelError(f"{folder.parent.name}: golden_scores.json cannot be read: {data_files.why(error)}") from error


def verify(folder: Path, card: ModelCard, scorer: Scorer) -> int:
    """Replay every golden score of `card` and return how many; raises ModelError naming the first that differs."""
    golden = read_golden_scores(folder)
    if (golden.model, golden.version) != (card.name, card.version) or len(golden.cases) < FEWEST:
        raise ModelError(f"{card.name} {card.version}: golden_scores.json is not of this model")
    position = scorer.cards.index(card)
    for case in golden.cases:
        if not agrees(scorer.score(case.inputs)[position], case.expected):
            raise ModelError(f"{card.name} {card.version}: golden score {case.name!r} is not reproduced")
    return len(golden.cases)


def agrees(score: Score, expected: Expected) -> bool:
    """Whether a score is the expected one, numbers within 1e-6, contributions adding up within 1e-9."""
    if (score.status, score.reason, score.needs) != (expected.status, expected.reason, expected.needs):
        return False
    told = {entry.input: entry.log_odds for entry in score.contributions}
    if told.keys() != expected.contributions.keys():
        return False
    pairs = [(score.probability, expected.probability), (score.logit, expected.logit), (score.points, expected.points)]
    pairs += [(told[name], number) for name, number in expected.contributions.items()]
    return all(_close(a, b) for a, b in pairs) and _adds_up(score)


def _close(a: float | None, b: float | None) -> bool:
    return a is b or (a is not None and b is not None and abs(a - b) <= TOLERANCE)


def _adds_up(score: Score) -> bool:
    if score.logit is None or score.reference_logit is None:
        return True
    return abs(sum(entry.log_odds for entry in score.contributions) + score.reference_logit - score.logit) <= 1e-9

"""A model that a site added, as it is served: a figure with its parts, a range, or what stands in the way."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np

from models_onnx import added_contributions, added_possible
from models_onnx.added_card import AddedCard
from models_onnx.added_graph import AddedGraph, TooSlowError
from models_onnx.added_possible import Possible
from models_onnx.inexact_inputs import Within
from models_onnx.missing_ranges import MissingRange, Unknown
from models_onnx.model_card import ModelError
from models_onnx.open_inputs import NOTHING_OPEN, Open
from models_onnx.score import Contribution, InputValue, Range, Score

MOST_SECONDS = 0.5  # of all added models of one answer; a model that took half of it when it was added was refused
TOO_SLOW, FAILED, TOO_MUCH_MISSING, WITHDRAWN = "model-too-slow", "model-failed", "too-many-inputs-missing", "withdrawn"
NOT_READ = "input-not-read-here"  # of a site folder that this tenant has not: nobody asked for it, so it is not missing
Values = Mapping[str, InputValue | None]
_LEAST = 1e-9


class AddedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What an added model says of one person. `card`: None where a tenant names a model that is in force no more.

    `sampled`: its contributions are Shapley values of some orders of the inputs, not of all.
    """

    card: AddedCard | None
    score: Score
    unknown: MissingRange | None = None
    sampled: bool = False


class AddedModel:
    """A card with its open graph. Immutable, thread-safe; made after the fork."""

    def __init__(self, card: AddedCard, graph: AddedGraph, sha256: str) -> None:
        self.card = card
        self.graph = graph
        self.sha256 = sha256

    def answer(
        self,
        values: Values,
        limits: Mapping[str, Within] | None = None,
        opened: Open = NOTHING_OPEN,
        *,
        until: float = math.inf,
    ) -> AddedAnswer:
        """As Registry.score, and never an exception: a graph that fails or is too slow says that it has no figure."""
        try:
            return self.tried(values, limits or {}, opened, until=until)
        except TooSlowError:
            return self._without(reason=TOO_SLOW)
        except ModelError:
            return self._without(reason=FAILED)

    def tried(
        self, values: Values, limits: Mapping[str, Within], opened: Open, *, until: float = math.inf
    ) -> AddedAnswer:
        """As `answer`; raises ModelError where the graph fails."""
        if (obstacle := self._obstacle(values, limits, opened)) is not None:
            return obstacle
        possible = added_possible.of(self.card, values, limits, opened)
        names = tuple(added_possible.names_open(self.card, possible))
        if possible.is_too_many:
            return self._without(reason=TOO_MUCH_MISSING, needs=names)
        return self._figure(possible, until) if possible.is_one else self._range(possible, names, until)

    def _obstacle(self, values: Values, limits: Mapping[str, Within], opened: Open) -> AddedAnswer | None:
        operation = values.get("procedure_group")
        if self.card.operations and operation not in self.card.operations:
            return self._without(status="out-of-scope", reason="operation-out-of-scope")
        if unread := tuple(one.name for one in self.card.inputs if one.site and one.name not in values):
            return self._without(reason=NOT_READ, needs=unread)
        for entry in self.card.inputs:
            name = entry.name
            if added_possible.is_outside(entry, values.get(name), limits.get(name), opened.possible.get(name, ())):
                return self._without(status="out-of-scope", reason=f"{name.replace('_', '-')}-out-of-scope")
        missing = tuple(
            one.name
            for one in self.card.inputs
            if one.required and values.get(one.name) is None and one.name not in opened.possible
        )
        return self._without(reason="required-input-missing", needs=missing) if missing else None

    def _figure(self, possible: Possible, until: float) -> AddedAnswer:
        person = possible.rows()
        probability = float(self.graph.probabilities(person, until=until)[0])
        told = added_contributions.parts(self.card, person[0], lambda rows: self.graph.probabilities(rows, until=until))
        parts = [Contribution(one.name, part) for one, part in zip(self.card.inputs, told.log_odds, strict=False)]
        score = self._score(
            status="computed",
            probability=probability,
            logit=float(added_contributions.logits(np.array([probability]))[0]),
            reference_logit=told.reference,
            contributions=tuple(parts),
        )
        return AddedAnswer(card=self.card, score=score, sampled=told.sampled)

    def _range(self, possible: Possible, names: tuple[str, ...], until: float) -> AddedAnswer:
        figures = self.graph.probabilities(possible.rows(), until=until).reshape(possible.shape)
        figures = np.where(possible.holds(), figures, np.nan)
        span = Range(float(np.nanmin(figures)), float(np.nanmax(figures)))
        logits = added_contributions.logits(figures)
        places = {entry.name: place for place, entry in enumerate(self.card.inputs)}
        spreads = {name: added_possible.spread(logits, places[name]) for name in names}
        unknown = tuple(
            Unknown(name, span.low, span.high, spreads[name], crosses=False)
            for name in sorted(names, key=lambda one: -spreads[one])
            if spreads[name] > _LEAST
        )
        score = self._score(status="range", missing_range=span, depends_on=tuple(one.input for one in unknown))
        card = self.card
        return AddedAnswer(
            card=card, score=score, unknown=MissingRange(card.name, card.version, card.outcome.name, span, unknown)
        )

    def _without(self, *, status: str = "not-computable", **why: Any) -> AddedAnswer:
        return AddedAnswer(card=self.card, score=self._score(status=status, **why))

    def _score(self, **told: Any) -> Score:
        card = self.card
        return Score(
            model=card.name,
            version=card.version,
            sha256=self.sha256,
            outcome=card.outcome.name,
            horizon=card.outcome.horizon,
            horizon_days=card.outcome.horizon_days,
            **told,
        )


class AddedModels(msgspec.Struct, frozen=True):
    """The models in force in a site's folder, by name; `digest` changes with anything that their answers rest on."""

    by_name: Mapping[str, AddedModel] = {}
    digest: str = ""

    def named(self, names: Iterable[str]) -> tuple[str, ...]:
        """The names that a tenant lists; "*" is every model that is there."""
        return tuple(dict.fromkeys(each for one in names for each in (sorted(self.by_name) if one == "*" else (one,))))

    def answers(
        self,
        names: Iterable[str],
        values: Values,
        limits: Mapping[str, Within],
        opened: Open,
        *,
        until: float = math.inf,
    ) -> tuple[AddedAnswer, ...]:
        """What each model says that a tenant lists; one that was removed meanwhile says so.

        `until`, on the monotonic clock: whatever is asked later has no figure, so that the other figures are in time.
        """
        end = min(until, time.monotonic() + MOST_SECONDS)
        return tuple(
            self.by_name[name].answer(values, limits, opened, until=end) if name in self.by_name else _withdrawn(name)
            for name in self.named(names)
        )


def _withdrawn(name: str) -> AddedAnswer:
    score = Score(
        model=name, version="", sha256="", outcome=name, horizon="", status="not-computable", reason=WITHDRAWN
    )
    return AddedAnswer(card=None, score=score)


NO_ADDED_MODELS = AddedModels()

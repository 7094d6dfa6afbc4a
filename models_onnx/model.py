"""One model as it is served: from its share of the graph's numbers to a Score, or to what stands in its way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from models_onnx.encoding import Encoding
from models_onnx.model_card import ModelCard, ModelError, ScopeLimit
from models_onnx.score import Contribution, InputValue, Score

# Half the width of a 90 % interval in standard errors (R-B03).
INTERVAL_90 = 1.6448536269514722


class NonFiniteScoreError(ModelError):
    """A model gave a number that is none; nothing may be told (DEC-01)."""


# One row of the stacked graph's output `numbers`; Places tells which is which.
Numbers = Sequence[float]


class Places(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a model's numbers lie in a row of `numbers`; contributions in the order of its inputs."""

    logit: int
    reference: int
    probability: int
    contributions: tuple[int, ...]
    standard_error: int | None


class Model:
    """A card with its places in the stacked graph's output. `score` is pure: the numbers come from outside."""

    def __init__(self, card: ModelCard, encoding: Encoding, places: Places) -> None:
        self.card = card
        self.places = places
        self.names = tuple(entry.name for entry in card.inputs)
        self._told = tuple(zip(self.names, places.contributions, strict=True))
        required = [entry.name for entry in card.inputs if entry.required]
        # Without an input that its scope asks for, nobody knows whether the model holds.
        required += [limit.input for limit in card.scope.limits if limit.input not in required]
        self._required = encoding.mask(required)
        self._required_inputs = tuple((name, encoding.bits[name]) for name in dict.fromkeys(required))
        self._lacking: dict[int, Score] = {}
        self._outside = self._blank(status="out-of-scope", reason="operation-out-of-scope")
        self._not_graded = self._blank(status="not-computable", reason="operation-not-graded")

    def score(self, values: Mapping[str, InputValue | None], present: int, numbers: Numbers) -> Score:
        """This model's answer: scope first, then what is missing, then the number.

        Raises NonFiniteScoreError if the graph gave no finite number where there should be one.
        """
        return self.obstacle(values, present) or self._number(numbers)

    def obstacle(self, values: Mapping[str, InputValue | None], present: int) -> Score | None:
        """Why there is no number for this person, or None."""
        scope = self.card.scope
        limit = self.beyond(values)
        if limit is not None:
            return self._blank(status="out-of-scope", reason=limit.reason)
        operation = values.get(self.card.operation_input) if self.card.operation_input else None
        if operation in scope.operations_outside:
            return self._outside
        if missing := self._required & ~present:
            return self._lacking.get(missing) or self._lacks(missing)
        return self._not_graded if operation in scope.operations_not_graded else None

    def _lacks(self, missing: int) -> Score:
        """Not computable without these inputs: the same answer for everybody who lacks the same."""
        needs = tuple(name for name, bit in self._required_inputs if bit & missing)
        self._lacking[missing] = self._blank(status="not-computable", reason="required-input-missing", needs=needs)
        return self._lacking[missing]

    def beyond(self, values: Mapping[str, InputValue | None]) -> ScopeLimit | None:
        """The limit of its scope beyond which this person's numbers lie, or None."""
        for limit in self.card.scope.limits:
            value = values.get(limit.input)
            if value is not None and (
                (limit.low is not None and value < limit.low)  # type: ignore[operator]
                or (limit.high is not None and value > limit.high)  # type: ignore[operator]
            ):
                return limit
        return None

    def knows(self, operation: str | None) -> bool:
        """Whether the model holds for an operation and grades it."""
        scope = self.card.scope
        return operation not in scope.operations_outside and operation not in scope.operations_not_graded

    def contributions(self, numbers: Numbers) -> list[float]:
        """Per input its log-odds away from the reference."""
        return [numbers[place] for place in self.places.contributions]

    def reference(self, numbers: Numbers) -> float:
        """The logit from which contributions are counted."""
        return numbers[self.places.reference]

    def probability(self, numbers: Numbers) -> float:
        """The probability (0 to 1), NaN where the model cannot answer."""
        return numbers[self.places.probability]

    def _number(self, numbers: Numbers) -> Score:
        logit = numbers[self.places.logit]
        if not math.isfinite(logit):
            raise NonFiniteScoreError(f"{self.card.name} {self.card.version}: the graph gave no finite number")
        card = self.card
        if card.kind == "points":
            return Score(
                model=card.name,
                version=card.version,
                sha256=card.sha256,
                outcome=card.outcome,
                horizon=card.horizon,
                horizon_days=card.horizon_days,
                status="score-only",
                points=logit,
                maximum_points=card.maximum_points,
                published_rates=card.rates_at(logit),
            )
        low, high = self._interval(logit, numbers)
        return Score(
            model=card.name,
            version=card.version,
            sha256=card.sha256,
            outcome=card.outcome,
            horizon=card.horizon,
            horizon_days=card.horizon_days,
            status="computed",
            probability=numbers[self.places.probability],
            logit=logit,
            reference_logit=numbers[self.places.reference],
            low=low,
            high=high,
            contributions=tuple([Contribution(name, numbers[place]) for name, place in self._told]),
        )

    def _interval(self, logit: float, numbers: Numbers) -> tuple[float | None, float | None]:
        if self.places.standard_error is None:
            return None, None
        error = numbers[self.places.standard_error]
        if not math.isfinite(error):
            raise NonFiniteScoreError(f"{self.card.name} {self.card.version}: its standard error is no number")
        return sigmoid(logit - INTERVAL_90 * error), sigmoid(logit + INTERVAL_90 * error)

    def _blank(self, **why: object) -> Score:
        card = self.card
        facts = {name: getattr(card, name) for name in ("version", "sha256", "outcome", "horizon", "horizon_days")}
        return Score(model=card.name, **facts, **why)  # type: ignore[arg-type]


def sigmoid(logit: float) -> float:
    """The probability of a logit, without overflow at either end."""
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    odds = math.exp(logit)
    return odds / (1.0 + odds)

"""Golden scores: what the scikit-learn estimator says of chosen people, replayed by every service at its start."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models_onnx import data_files
from models_onnx.model_card import ModelCard, ModelInput
from models_onnx.score import InputValue
from models_onnx.training.inputs import encoded

Person = dict[str, InputValue | None]


def cases(
    card: ModelCard, breaks: Mapping[str, tuple[float, ...]], examples: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """People who between them meet every level, cut-point, missing input and limit of a model.

    First the published and worked examples; then one input at a time moved from the first example.
    """
    found = [dict(example) for example in examples]
    start: Person = dict(found[0]["inputs"])
    for entry in card.inputs:
        for value in _values(entry, breaks.get(entry.name, ())):
            found.append({"name": f"{entry.name} = {_told(value)}", "inputs": {**start, entry.name: value}})
    for limit in card.scope.limits:
        beyond = limit.low - 1 if limit.low is not None else (limit.high or 0) + 1
        found.append(
            {"name": f"{limit.input} = {_told(beyond)}: {limit.reason}", "inputs": {**start, limit.input: beyond}}
        )
    found.append({"name": "nothing known", "inputs": dict.fromkeys(start)})
    return found


def _values(entry: ModelInput, breaks: tuple[float, ...]) -> Iterator[InputValue | None]:
    if entry.kind == "yes-no":
        yield from (False, True)
    elif entry.kind == "category":
        yield from entry.categories
    else:
        for cut in breaks:
            yield from (math.nextafter(cut, -math.inf), cut)
        yield from (entry.low, entry.high)
    yield None


def _told(value: InputValue | None) -> str:
    return "missing" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def expected(card: ModelCard, estimator: Any, person: Mapping[str, InputValue | None]) -> dict[str, Any]:
    """What the model is to answer for `person`: by the estimator, never by the graph."""
    outside = _outside(card, person)
    if outside:
        return {"status": "out-of-scope", "reason": outside}
    required = [entry.name for entry in card.inputs if entry.required] + [limit.input for limit in card.scope.limits]
    needs = [name for name in dict.fromkeys(required) if person.get(name) is None]
    if needs:
        return {"status": "not-computable", "reason": "required-input-missing", "needs": needs}
    if card.operation_input and person.get(card.operation_input) in card.scope.operations_not_graded:
        return {"status": "not-computable", "reason": "operation-not-graded"}
    # Twelve digits: an exponential may differ in its last bit from one processor to another.
    row = np.array([[_number(entry.name, person.get(entry.name)) for entry in card.inputs]])
    total = float(estimator.decision_function(row)[0])
    if card.kind == "points":
        return {"status": "score-only", "points": total}
    contributions = estimator.contributions(row)[0].tolist()
    return {
        "status": "computed",
        "probability": float(f"{estimator.predict_proba(row)[0, 1]:.12g}"),
        "logit": total,
        "contributions": dict(zip((entry.name for entry in card.inputs), contributions, strict=True)),
    }


def _outside(card: ModelCard, person: Mapping[str, InputValue | None]) -> str | None:
    for limit in card.scope.limits:
        value = person.get(limit.input)
        if isinstance(value, int | float) and (
            (limit.low is not None and value < limit.low) or (limit.high is not None and value > limit.high)
        ):
            return limit.reason
    operation = person.get(card.operation_input) if card.operation_input else None
    return "operation-out-of-scope" if operation in card.scope.operations_outside else None


def _number(name: str, value: InputValue | None) -> float:
    return math.nan if value is None else encoded(name, value)


def examples(name: str) -> list[dict[str, Any]]:
    """The published and worked examples of a model (golden_examples.json)."""
    path = Path(__file__).with_name("golden_examples.json")
    found: list[dict[str, Any]] = data_files.read_json(path, dict)[name]
    return found


def document(card: ModelCard, estimator: Any, people: list[dict[str, Any]]) -> bytes:
    """golden_scores.json: each person with what is expected, one per line."""
    head = {"model": card.name, "version": card.version, "computed_by": "the scikit-learn estimator, not the graph"}
    lines = [json.dumps({**person, "expected": expected(card, estimator, person["inputs"])}) for person in people]
    body = json.dumps(head)[:-1] + ', "cases": [\n ' + ",\n ".join(lines) + "\n]}\n"
    return body.encode()

"""A refit as a folder that `cds-service models add` takes: graph, card, change plan, and how it came about.

What is written is a challenger: scored and recorded beside the champion, told to nobody. What is fit to be told is
another version of it, written once its gates hold on operations that it was not fitted on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import yaml

from models_onnx import data_files
from models_onnx.added_card import FILE, GRAPH, AddedCard, AddedInput, Example, Explained, Output, Validation
from models_onnx.data_files import DataFileError
from models_onnx.score import InputValue
from models_onnx.sessions import open_session
from models_onnx.training import change_plan, export, graph
from models_onnx.training.export import Export
from models_onnx.training.learning_file import LearningRows
from models_onnx.training.penalised import Matrix
from models_onnx.training.refit_gates import Judged
from models_onnx.training.refit_plan import RefitPlan
from models_onnx.training.refit_recipe import Refit, RefitError

PLAN, MADE, CHANGE_PLAN, GATES = "plan.yaml", "refit.json", "change-plan.md", "gates.json"


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """refit.json: what the model was made of, by which plan, and its gates out of fold. No row of anybody.

    `usual`: by procedure group the share of events, drawn to the whole, that stands beside it where no model is in
    force.
    """

    plan_sha256: str
    gates_sha256: str
    model_sha256: str
    files_sha256: tuple[str, ...]
    n: int
    events: int
    shrinkage: float
    parity: float
    last_day: date
    left_out: dict[str, int]
    withheld: int
    sources: dict[str, int]
    missing: dict[str, int]
    usual: dict[str, float]
    out_of_fold: Judged


def write(folder: Path, plan: RefitPlan, made: Refit, rows: LearningRows, told: Mapping[str, Any]) -> Made:
    """The folder of a challenger; `told`: what Made says besides. Raises ModelError where graph and fit differ."""
    additive = made.estimator.additive_model(plan.name, plan.version)
    content = graph.single(additive)
    parity = export.check_parity(Export(additive, made.estimator, {}, {}), content)
    found = Made(
        plan_sha256=plan.sha256,
        gates_sha256=plan.gates_sha256,
        model_sha256=hashlib.sha256(content).hexdigest(),
        files_sha256=rows.sha256,
        n=len(rows),
        events=int(rows.occurred.sum()),
        shrinkage=made.shrinkage,
        parity=parity,
        last_day=max(rows.day),
        **told,
    )
    folder.mkdir(parents=True)
    folder.joinpath(GRAPH).write_bytes(content)
    folder.joinpath(FILE).write_bytes(_card_bytes(_card(plan, made, rows, found)))
    folder.joinpath(PLAN).write_text(_yaml(msgspec.to_builtins(plan)), encoding="utf-8")
    folder.joinpath(CHANGE_PLAN).write_text(change_plan.written(plan), encoding="utf-8")
    folder.joinpath(MADE).write_bytes(_json(found))
    return found


def read_made(folder: Path, plan: RefitPlan) -> Made:
    """What the folder says of itself; raises RefitError where plan or graph are not those that it was made with."""
    try:
        made = data_files.read_json(folder / MADE, Made)
        digest = hashlib.sha256(folder.joinpath(GRAPH).read_bytes()).hexdigest()
    except (OSError, DataFileError) as error:
        raise RefitError(f"{folder}: no folder that a refit wrote: {data_files.why(error)}") from error
    if (made.plan_sha256, made.gates_sha256) != (plan.sha256, plan.gates_sha256):
        raise RefitError(f"{folder}: the plan was changed after the fit")
    if made.model_sha256 != digest:
        raise RefitError(f"{folder}: {GRAPH} is not the graph that was fitted")
    return made


def predicted(folder: Path, inputs: Matrix) -> Matrix:
    """What the graph in the folder says of each row, missing inputs by its own terms."""
    session = open_session(folder.joinpath(GRAPH).read_bytes())
    return np.asarray(session.run(["probability"], {"X": inputs})[0][:, 0])


def write_promotable(folder: Path, into: Path, judged: Judged) -> AddedCard:
    """The same graph as a version that may be told, with the gates that it passed as its report."""
    if not judged.passed:
        raise RefitError("not every gate was judged and holds: it stays a challenger")
    before = data_files.read_yaml(folder / FILE, AddedCard)
    report = _json(judged)
    major, minor, patch = before.version.split(".")
    card = msgspec.structs.replace(
        before,
        version=f"{major}.{minor}.{int(patch) + 1}",
        challenger=False,
        validation=Validation(report=GATES, sha256=hashlib.sha256(report).hexdigest()),
    )
    into.mkdir(parents=True)
    for name in (GRAPH, PLAN, CHANGE_PLAN, MADE):
        into.joinpath(name).write_bytes(folder.joinpath(name).read_bytes())
    into.joinpath(GATES).write_bytes(report)
    into.joinpath(FILE).write_bytes(_card_bytes(card))
    return card


def _card(plan: RefitPlan, made: Refit, rows: LearningRows, found: Made) -> AddedCard:
    middle = _middle(plan, rows.inputs)
    return AddedCard(
        name=plan.name,
        version=plan.version,
        title=plan.title,
        summary=f"Logistic regression of {len(plan.inputs)} inputs, fitted on this site's own operations and shrunk.",
        made_by=plan.made_by,
        made_on=(
            f"{found.n:,} operations with {found.events} events, {plan.first_day} to {found.last_day}; "
            f"plan {plan.sha256[:12]}, gates {plan.gates_sha256[:12]}"
        ),
        outcome=plan.told_as(),
        inputs=plan.inputs,
        limits=_limits(plan, found),
        contributions=Explained(
            method="additive", background=(middle,), background_words="the middle of the operations it was fitted on"
        ),
        examples=_examples(plan, made, middle),
        operations=tuple(found.usual),
        output=Output(name="probability"),
        challenger=True,
    )


def _limits(plan: RefitPlan, found: Made) -> tuple[str, ...]:
    sources = ", ".join(f"{name or 'not named'} ({count:,})" for name, count in found.sources.items())
    shown = found.n - found.withheld
    flagged = (
        f"A figure may have been shown of {shown:,} of the operations: where treatment changed because of it, events "
        "that it prevented make the model's risks too low (R-F07)."
        if shown
        else "Nobody was shown a figure of the operations that it was fitted on."
    )
    small = ", ".join(found.out_of_fold.not_judged[:8])
    return (
        f"Verification bias: {plan.verification()} Sources of the outcome: {sources}."[:600],
        flagged,
        f"Fitted at {', '.join(one.site for one in plan.sites)}; nowhere else is it known how it does."[:600],
        f"Not judged for want of events: {small or 'no subgroup'}."[:600],
    )


def _middle(plan: RefitPlan, inputs: Matrix) -> dict[str, InputValue]:
    """The median of each number and the most frequent of each other input: an invented person."""
    return {entry.name: _usual(entry, inputs[:, place]) for place, entry in enumerate(plan.inputs)}


def _usual(entry: AddedInput, column: Matrix) -> InputValue:
    known = column[~np.isnan(column)]
    if entry.kind == "number":
        return float(f"{np.median(known) if len(known) else entry.low:.3g}")
    commonest = int(np.bincount(known.astype(int)).argmax()) if len(known) else 0
    return entry.categories[commonest] if entry.kind == "category" else bool(commonest)


def _examples(plan: RefitPlan, made: Refit, middle: dict[str, InputValue]) -> tuple[Example, ...]:
    """The middle, and it with one input at a time at its last value; what the fit itself says of each."""
    people = [middle, *({**middle, entry.name: entry.possible[-1]} for entry in plan.inputs if entry.possible)]
    codes = np.array([[_code(entry, one[entry.name]) for entry in plan.inputs] for one in people])
    figures = made.estimator.predict_proba(codes)[:, 1]
    return tuple(
        Example(inputs=one, probability=round(float(figure), 9)) for one, figure in zip(people, figures, strict=True)
    )


def _code(entry: AddedInput, value: InputValue) -> float:
    return float(entry.categories.index(value)) if isinstance(value, str) else float(value)


def _card_bytes(card: AddedCard) -> bytes:
    members: dict[str, Any] = {
        key: value for key, value in msgspec.to_builtins(card).items() if value not in (None, [], "", False)
    }
    return _yaml(members).encode()


def _yaml(members: Any) -> str:
    return str(yaml.safe_dump(members, sort_keys=False, allow_unicode=True, width=116))


def _json(document: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"

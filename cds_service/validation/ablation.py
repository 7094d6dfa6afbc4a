"""What each input is worth here: the same operations scored again without it, from the values that the record keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from cds_service.measures import agreement, discrimination, small_cells
from cds_service.measures.intervals import NONE, Figure
from cds_service.records.answered_calls import InputTold
from cds_service.validation import told_counts
from cds_service.validation.missing_inputs import KNOWN
from cds_service.validation.outcome_figures import ScoredCase
from models_onnx.model import Model
from models_onnx.registry import InputError, Registry
from models_onnx.score import InputValue

# Values are kept to two decimals, so the figure of the record comes back to within so much of itself.
_SAME = 0.02
NOTHING = "nothing withheld"


class Withheld(msgspec.Struct, frozen=True):
    """One input withheld from one model: for which share it still has a figure, and how good that is.

    `before`: AUROC with the input, on the same operations. `n` to tens.
    """

    input: str
    known: int | None
    n: int | None
    share_computed: float | None
    auroc: Figure = NONE
    before: Figure = NONE
    o_e: Figure = NONE


class Ablation(msgspec.Struct, frozen=True):
    """One model of one outcome. `n`: operations whose figure comes back from the record, to tens, of about `of`."""

    outcome: str
    model: str
    n: int | None
    of: int | None
    rows: tuple[Withheld, ...]


def ablations(cases: Mapping[str, Sequence[ScoredCase]], models: Registry) -> tuple[Ablation, ...]:
    """Every model that tells an outcome of enough operations."""
    found = []
    for outcome, of in cases.items():
        for model in models.models:
            own = [one for one in of if one.sha256 == model.card.sha256]
            if small_cells.is_told(len(own), sum(one.happened for one in own)):
                found.append(_of_model(outcome, model, own, models))
    return tuple(found)


def _of_model(outcome: str, model: Model, cases: Sequence[ScoredCase], models: Registry) -> Ablation:
    values = [_values(one.operation.inputs) for one in cases]
    again = _scored(model, values, models)
    same = [one is not None and abs(one - case.raw) <= _SAME * case.raw for one, case in zip(again, cases, strict=True)]
    kept = [case for case, is_same in zip(cases, same, strict=True) if is_same]
    their = [one for one, is_same in zip(values, same, strict=True) if is_same]
    if not small_cells.is_told(len(kept), sum(one.happened for one in kept)):
        return Ablation(outcome, model.card.name, told_counts.about(len(kept)), told_counts.about(len(cases)), ())
    rows = [_without(entry.name, model, kept, their, models) for entry in model.card.inputs]
    named = (NOTHING, *(row.input for row in rows))
    whole = _without("", model, kept, their, models)
    told = (msgspec.structs.replace(whole, input=named[0]), *rows)
    return Ablation(outcome, model.card.name, told_counts.about(len(kept)), told_counts.about(len(cases)), told)


def _values(inputs: Mapping[str, InputTold]) -> dict[str, InputValue | None]:
    return {
        name: one.value if one.status in KNOWN and not one.comparator and one.value is not None else None
        for name, one in inputs.items()
    }


def _scored(model: Model, values: Sequence[Mapping[str, InputValue | None]], models: Registry) -> list[float | None]:
    """The model's own probability of each, from one run of the graph; None where it has none.

    A value that the models in force do not take (they did when it was recorded) has none either.
    """
    rows = [_row(one, models) for one in values]
    known = [row[0] for row in rows if row is not None]
    numbers = iter(models.run(np.array(known)) if known else [])
    return [
        None if row is None else model.score(one, row[1], next(numbers)).probability
        for one, row in zip(values, rows, strict=True)
    ]


def _row(values: Mapping[str, InputValue | None], models: Registry) -> tuple[list[float], int] | None:
    try:
        return models.encoding.row(values)
    except InputError:
        return None


def _without(
    name: str,
    model: Model,
    cases: Sequence[ScoredCase],
    values: Sequence[Mapping[str, InputValue | None]],
    models: Registry,
) -> Withheld:
    known = sum(one.get(name) is not None for one in values)
    again = _scored(model, [{**one, name: None} if name else one for one in values], models)
    pairs = [(case, p) for case, p in zip(cases, again, strict=True) if p is not None]
    y = np.array([float(case.happened) for case, _ in pairs])
    told = Withheld(
        input=name,
        known=told_counts.part(len(cases), known),
        n=told_counts.about(len(pairs)),
        share_computed=len(pairs) / len(cases),
    )
    if not small_cells.is_told(len(pairs), int(y.sum())):
        return told
    p, before = np.array([p for _, p in pairs]), np.array([case.raw for case, _ in pairs])
    return msgspec.structs.replace(
        told,
        auroc=discrimination.auroc(y, p),
        before=discrimination.auroc(y, before),
        o_e=agreement.observed_to_expected(y, p),
    )

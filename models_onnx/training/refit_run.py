"""A refit from plan and files to the folder of a challenger, and its judgement on later operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_onnx.added_card import AddedCard
from models_onnx.training import refit_folder, refit_gates, refit_recipe
from models_onnx.training.learning_file import LearningRows, read_learning
from models_onnx.training.penalised import Matrix
from models_onnx.training.refit_folder import Made
from models_onnx.training.refit_gates import Judged, SideBySide
from models_onnx.training.refit_plan import RefitPlan, read_plan, two_people
from models_onnx.training.refit_recipe import RefitError

# Of one procedure group, to be part of what the model is made for.
LEAST_OF_GROUP = 10
USUAL = "the share of events after the same procedure group"
Chosen = NDArray[np.bool_]


def refit(plan_file: Path, files: Sequence[Path], into: Path, *, sha256: str) -> Made:
    """Fit the model of an approved plan and write it as a challenger. Raises RefitError, OperationsFileError.

    `sha256`: of the plan, as it was approved.
    """
    plan = read_plan(plan_file, sha256=sha256)
    if into.exists():
        raise RefitError(f"{into}: it is there already; a version is written once")
    read = read_learning(files, plan.inputs, plan.outcome)
    rows, left_out = _chosen(
        read, plan, lambda rows: np.array([plan.first_day <= d <= plan.last_day for d in rows.day])
    )
    refit_recipe.refuse_too_few(rows.occurred)
    made = refit_recipe.fit(rows.inputs, rows.occurred, plan.inputs, rows.person)
    unseen = refit_recipe.out_of_fold(rows.inputs, rows.occurred, plan.inputs, rows.person)
    usual = refit_recipe.usual_out_of_fold(rows.procedure_group, rows.occurred, rows.person)
    told = {
        "left_out": left_out,
        "withheld": int((rows.withheld != "").sum()),
        "sources": _counted(rows.source),
        "missing": {one.name: int(np.isnan(rows.inputs[:, place]).sum()) for place, one in enumerate(plan.inputs)},
        "usual": refit_recipe.group_shares(rows.procedure_group, rows.occurred),
        "out_of_fold": refit_gates.judge(_beside(rows, unseen, usual), plan.gates),
    }
    return refit_folder.write(into, plan, made, rows, told)


def judge(folder: Path, files: Sequence[Path], *, sha256: str) -> tuple[Judged, dict[str, int]]:
    """The gates of a challenger on operations after those that it was fitted on, and what was left out of them."""
    plan = read_plan(folder / refit_folder.PLAN, sha256=sha256)
    made = refit_folder.read_made(folder, plan)
    read = read_learning(files, plan.inputs, plan.outcome)
    rows, left_out = _chosen(read, plan, lambda rows: np.array([day > made.last_day for day in rows.day]), made=made)
    challenger = refit_folder.predicted(folder, rows.inputs)
    usual = np.array([made.usual[str(name)] for name in rows.procedure_group])
    return refit_gates.judge(_beside(rows, challenger, usual), plan.gates), left_out


def promotable(folder: Path, into: Path, judged: Judged, approved_by: tuple[str, ...]) -> AddedCard:
    """The version that may be told, where every gate holds and two people approve; raises RefitError."""
    if not two_people(approved_by):
        raise RefitError("two different people approve what is told: --approved-by, twice (R-E06, R-F09)")
    if into.exists():
        raise RefitError(f"{into}: it is there already; a version is written once")
    return refit_folder.write_promotable(folder, into, judged)


def _chosen(
    rows: LearningRows, plan: RefitPlan, in_time: Callable[[LearningRows], Chosen], *, made: Made | None = None
) -> tuple[LearningRows, dict[str, int]]:
    """The operations that may be used, and how many of the others there are by the first reason against each."""
    if strange := sorted(set(rows.site) - {one.site for one in plan.sites}):
        raise RefitError(f"site {', '.join(strange)}: the plan has no agreement and no approval of it")
    steps: list[tuple[str, Callable[[LearningRows], Chosen]]] = [
        ("use not permitted", lambda rows: rows.permitted),
        ("out of time", in_time),
        ("somebody may have been shown a figure", lambda rows: _is_learned(rows, plan)),
        ("beyond what the inputs are declared for", lambda rows: ~rows.outside),
        ("procedure group too rare", lambda rows: _is_of_group(rows, made)),
    ]
    left_out: dict[str, int] = {}
    for reason, is_used in steps:
        kept = is_used(rows) if len(rows) else np.zeros(0, dtype=bool)
        left_out[reason] = int((~kept).sum())
        rows = rows.some(kept)
    if not len(rows):
        raise RefitError("no operation may be used: " + "; ".join(f"{n} {why}" for why, n in left_out.items() if n))
    return rows, left_out


def _is_learned(rows: LearningRows, plan: RefitPlan) -> Chosen:
    if plan.learn_from == "withheld":
        return np.asarray(rows.withheld != "", dtype=bool)
    return np.ones(len(rows), dtype=bool)


def _is_of_group(rows: LearningRows, made: Made | None) -> Chosen:
    counts = Counter(rows.procedure_group)
    known = [name for name, n in counts.items() if n >= LEAST_OF_GROUP] if made is None else list(made.usual)
    return np.isin(rows.procedure_group.astype(str), known)


def _beside(rows: LearningRows, challenger: Matrix, usual: Matrix) -> SideBySide:
    """The champion that most operations name; another version's figures do not stand for it."""
    named = Counter(name for name, p in zip(rows.champions, rows.champion, strict=True) if not np.isnan(p))
    most = named.most_common(1)[0][0] if named else ""
    champion = np.where(rows.champions == most, rows.champion, np.nan) if named else usual
    groups = {**rows.groups, "procedure group": rows.procedure_group}
    return SideBySide(
        happened=rows.occurred, challenger=challenger, champion=champion, named=str(most) or USUAL, groups=groups
    )


def _counted(values: NDArray[Any]) -> dict[str, int]:
    return dict(sorted(Counter(map(str, values)).items()))


def lines(judged: Judged) -> tuple[str, ...]:
    """What was found, for people."""
    words = {True: "holds", False: "does not hold", None: "not judged"}
    head = f"{judged.n} operations with {judged.events} events, beside {judged.champion}"
    return (head, *(f"{one.gate}: {words[one.passed]}: {one.told}" for one in judged.gates))

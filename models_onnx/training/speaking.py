"""Which rule opens a card or warns: candidates compared by what they catch at one burden, on operations held out.

Model, usual figure and limit all come from the other folds; the rows never leave this process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models_onnx.training import fitting, held_out
from models_onnx.training.inputs import procedure_groups
from models_onnx.training.penalised import Matrix
from models_onnx.training.surgery_timing import Operations

OUTCOME, DEATH = "any-complication", "30-day-death"
# The penalties that are shipped (fitted/elective-complication.evaluation.json).
PARAMETERS = {"smoothness": 3.0, "pooling": 1.0, "evenness": 1.0}
NEVER = 0.01
Marks = NDArray[np.bool_]
# Of one operation: probability, usual figure, and rank (0 to 1) among the operations of its kind.
Rule = Callable[[Matrix, Matrix, Matrix], Matrix]


def both(times: float) -> Rule:
    """From a limit on where it is so many times the usual figure, from twice the limit on for anybody."""
    return lambda p, usual, _: np.maximum(p / 2, np.where(p >= times * usual, p, 0.0))


RULES: dict[str, Rule] = {
    "ratio to the usual figure": lambda p, usual, _: p / usual,
    "percentile within the operation": lambda _p, _usual, rank: rank,
    "absolute": lambda p, _usual, _rank: p,
    "absolute, over the root of the usual figure": lambda p, usual, _: p / np.sqrt(usual),
    "absolute and not below the usual figure": lambda p, usual, _: np.where(p >= usual, p, 0.0),
    "both, 1.0 times the usual": both(1.0),
    "both, 1.2 times the usual": both(1.2),
    "both, 1.5 times the usual": both(1.5),
}


@dataclass(frozen=True)
class Catch:
    """What a rule catches: shares of all operations, complications, deaths, spine; groups; the average as 1."""

    burden: float
    caught: float
    times_average: float
    deaths: float
    spine: float
    silent_groups: int
    fullest_group: float


def of_orders(operations: Operations) -> Operations:
    """The operations whose group an order can tell."""
    known = {group["ccs"] for group in procedure_groups() if group["peers_from_ccs"]}
    return held_out.subset(operations, np.flatnonzero([ccs in known for ccs in operations.ccs]))


def caught(marked: Marks, operations: Operations) -> Catch:
    """What these marks catch."""
    y, died, ccs = operations.outcomes[OUTCOME], operations.outcomes[DEATH], operations.ccs.astype(str)
    shares = [float(marked[ccs == name].mean()) for name in sorted(set(ccs))]
    return Catch(
        burden=float(marked.mean()),
        caught=float(y[marked].sum() / y.sum()),
        times_average=float(y[marked].mean() / y.mean()) if marked.any() else 0.0,
        deaths=float(died[marked].sum() / died.sum()),
        spine=float(marked[operations.spine].mean()),
        silent_groups=sum(share < NEVER for share in shares),
        fullest_group=max(shares),
    )


def compare(operations: Operations, burden: float, *, asa: bool) -> dict[str, Catch]:
    """Every candidate at this burden; `asa`: whether the ASA class is told."""
    categories = tuple(sorted(set(operations.ccs)))
    x, y = operations.matrix(categories), operations.outcomes[OUTCOME]
    asked = x if asa else fitting.masked(x)
    marks = {name: np.zeros(len(y), dtype=bool) for name in RULES}
    for train, test in held_out.splits(operations):
        fitted = fitting.fit(x[train], y[train], design=fitting.design(categories), parameters=PARAMETERS)
        p = fitted.predict_proba(asked)[:, 1]
        usual = np.array([y[train][x[train, 0] == k].mean() for k in range(len(categories))])[x[:, 0].astype(int)]
        rank = _rank(p, x[:, 0], train)
        for name, rule in RULES.items():
            value = rule(p, usual, rank)
            marks[name][test] = value[test] >= np.quantile(value[train], 1 - burden)
    return {name: caught(marked, operations) for name, marked in marks.items()}


def _rank(p: Matrix, group: Matrix, train: NDArray[np.int64]) -> Matrix:
    """The share of the training rows of the same operation that have a lower probability."""
    out = np.zeros(len(p))
    for number in np.unique(group):
        same = group == number
        known = np.sort(p[train][group[train] == number])
        out[same] = np.searchsorted(known, p[same]) / len(known)
    return out

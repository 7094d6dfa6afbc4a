"""The gates of a refit, judged: a challenger beside the champion on the same operations, by what the plan set before.

A gate that cannot be judged has not passed: few events are no evidence that nothing is worse (R-F09).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from models_onnx.training import metrics
from models_onnx.training.penalised import Matrix
from models_onnx.training.refit_plan import Gates

AGE_BANDS = ((18, 50, "18-49"), (50, 65, "50-64"), (65, 80, "65-79"), (80, 1000, "80+"))
Chosen = NDArray[np.bool_]


class RefitGateResult(msgspec.Struct, frozen=True, kw_only=True):
    """One gate: `passed` is None where it could not be judged; `told` says by which figures."""

    gate: str
    passed: bool | None
    told: str
    figures: dict[str, float | None] = {}


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """All gates; `champion` names what stood beside; `not_judged` the subgroups that are too small."""

    n: int
    events: int
    champion: str
    gates: tuple[RefitGateResult, ...]
    not_judged: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every gate was judged and holds."""
        return all(one.passed is True for one in self.gates)


class SideBySide(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, and what challenger and champion said of it; NaN where the champion said nothing."""

    happened: Matrix
    challenger: Matrix
    champion: Matrix
    named: str
    groups: Mapping[str, NDArray[np.object_]]


def judge(of: SideBySide, gates: Gates) -> Judged:
    """Every gate of R-F09: AUROC, observed to expected, subgroups, decision curve."""
    both = ~np.isnan(of.champion)
    pairs = (of.happened[both], of.challenger[both], of.champion[both])
    is_enough = min(of.happened.sum(), pairs[0].sum()) >= gates.least_events
    small: list[str] = []
    found: tuple[RefitGateResult, ...]
    if is_enough:
        subgroups = _subgroups(pairs, {name: values[both] for name, values in of.groups.items()}, gates, small)
        found = (_auroc(pairs, gates), _ratio(of.happened, of.challenger, gates), subgroups, _benefit(pairs, gates))
    else:
        few = f"{int(pairs[0].sum())} events where both said something; {gates.least_events} are needed to judge"
        found = tuple(RefitGateResult(gate=name, passed=None, told=few) for name in GATES)
    return Judged(
        n=len(of.happened),
        events=int(of.happened.sum()),
        champion=of.named,
        gates=found,
        not_judged=tuple(small),
    )


GATES = ("auroc", "observed-to-expected", "subgroups", "decision-curve")
_Pairs = tuple[Matrix, Matrix, Matrix]


def _auroc(pairs: _Pairs, gates: Gates) -> RefitGateResult:
    y, p, q = pairs

    def difference(weights: Matrix) -> float:
        return metrics.auroc(y, p, weights) - metrics.auroc(y, q, weights)

    found = metrics.with_interval(difference, len(y))[0]
    own, other = metrics.auroc(y, p), metrics.auroc(y, q)
    told = f"AUROC {own:.4f} beside {other:.4f}: {own - other:+.4f}, may be lower by {gates.auroc_loss:g}"
    return RefitGateResult(gate=GATES[0], passed=own - other >= -gates.auroc_loss, told=told, figures=found)


def _ratio(y: Matrix, p: Matrix, gates: Gates) -> RefitGateResult:
    ratio = float(y.sum() / p.sum())
    low, high = gates.observed_to_expected
    # Byar's approximation of the Poisson interval of the events; Breslow & Day 1987.
    events = float(y.sum())
    first = events * (1 - 1 / (9 * events) - 1.96 / (3 * math.sqrt(events))) ** 3 / p.sum()
    last = (events + 1) * (1 - 1 / (9 * (events + 1)) + 1.96 / (3 * math.sqrt(events + 1))) ** 3 / p.sum()
    told = (
        f"observed events per expected event {ratio:.3f} ({first:.3f} to {last:.3f}), has to lie in {low:g} to {high:g}"
    )
    figures: dict[str, float | None] = {"value": ratio, "low": float(first), "high": float(last)}
    return RefitGateResult(gate=GATES[1], passed=low <= ratio <= high, told=told, figures=figures)


def _subgroups(
    pairs: _Pairs, groups: Mapping[str, NDArray[np.object_]], gates: Gates, small: list[str]
) -> RefitGateResult:
    """Worse: its mean log loss is higher than the champion's by more than the plan's number of standard errors."""
    y, p, q = pairs
    loss = _loss(y, p) - _loss(y, q)
    worse, judged = [], 0
    for name, chosen in _every_group(groups):
        if y[chosen].sum() < gates.least_subgroup_events:
            small.append(f"{name}: {int(chosen.sum())} operations" if chosen.sum() >= 10 else f"{name}: fewer than 10")
            continue
        judged += 1
        if _is_above(loss[chosen], gates.standard_errors):
            worse.append(name)
    told = f"worse in {', '.join(worse) or 'none'} of {judged} subgroups judged; {len(small)} too small to be judged"
    return RefitGateResult(gate=GATES[2], passed=not worse if judged else None, told=told)


def _benefit(pairs: _Pairs, gates: Gates) -> RefitGateResult:
    y, p, q = pairs
    worse, told = [], []
    for threshold in gates.thresholds:
        odds = threshold / (1 - threshold)
        each = ((p >= threshold).astype(float) - (q >= threshold)) * (y - (1 - y) * odds)
        told.append(f"{threshold:g}: {each.mean():+.5f}")
        if _is_above(-each, gates.standard_errors):
            worse.append(f"{threshold:g}")
    words = f"net benefit beside the champion's at {', '.join(told)}; lower at {', '.join(worse) or 'none'}"
    return RefitGateResult(gate=GATES[3], passed=not worse, told=words)


def _is_above(values: Matrix, standard_errors: float) -> bool:
    error = float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.inf
    return bool(values.mean() > 0 and values.mean() > standard_errors * error)


def _loss(y: Matrix, p: Matrix) -> Matrix:
    z = metrics.logit(p)
    return np.asarray(np.logaddexp(0.0, z) - y * z)


def _every_group(groups: Mapping[str, NDArray[np.object_]]) -> Iterator[tuple[str, Chosen]]:
    for by, values in groups.items():
        for value in sorted(set(values)):
            yield f"{by} {value or 'not recorded'}", values == value

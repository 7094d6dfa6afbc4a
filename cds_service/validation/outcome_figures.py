"""Of each outcome how well the told figure discriminates and agrees with what happened, beside what little would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import msgspec
import numpy as np

from cds_service.follow_up import maturity
from cds_service.measures import agreement, by_group, discrimination, net_benefit, simple_models, small_cells
from cds_service.measures.agreement import RiskGroup
from cds_service.measures.by_group import Rates
from cds_service.measures.intervals import NONE, Figure, Values
from cds_service.measures.net_benefit import Benefit
from cds_service.measures.small_cells import LEAST
from cds_service.records.answered_calls import PredictionTold
from cds_service.validation import told_counts
from cds_service.validation.collected import ValidatedOperation, Window
from cds_service.validation.told_counts import CountTable
from models_onnx.recalibrated import log_odds
from models_onnx.recalibration import BySha256

COUNTS = ("counts", "undated")
NO_FIGURE = "no single figure"
OTHER_MODEL = "of a model no longer in force"
_THRESHOLDS = 12


class ScoredCase(msgspec.Struct, frozen=True):
    """One operation with the figure that would be told of it now, and what happened; `raw`: before recalibration."""

    operation: ValidatedOperation
    model: str
    sha256: str
    raw: float
    probability: float
    peer: float | None
    happened: bool


class Comparison(msgspec.Struct, frozen=True):
    """What little would do, on the cases where it is known, beside the told figure on the same cases."""

    name: str
    n: int | None
    auroc: Figure
    brier: Figure
    told_auroc: Figure
    told_brier: Figure
    why_not: str = ""


class OutcomeFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome. `standing`: of how many operations the outcome may be counted, or why not.

    `without_figure`: of these, how many have a figure. `n` (to tens) and `events` are None where they are too few to be
    told; then no figure is made of them. `first`, `last`: their first week's Monday, their last week's Sunday.
    `lost`: at most so great a share of the operations that would count was not followed through the horizon.
    """

    outcome: str
    models: tuple[str, ...]
    horizon_days: int | None
    standing: CountTable
    without_figure: CountTable
    n: int | None
    events: int | None
    mean_predicted: float | None
    first: date | None = None
    last: date | None = None
    lost: float | None = None
    auroc: Figure = NONE
    o_e: Figure = NONE
    slope: Figure = NONE
    intercept: Figure = NONE
    brier: Figure = NONE
    groups: tuple[RiskGroup, ...] = ()
    decision_curve: tuple[Benefit, ...] = ()
    at_floor: Rates | None = None
    floor: float | None = None
    compared: tuple[Comparison, ...] = ()


class FiguresAsked(msgspec.Struct, frozen=True):
    """What figures are made with: the window, the graphs in force with their recalibrations, and the floors."""

    window: Window
    in_force: frozenset[str]
    recalibrations: BySha256
    floors: Mapping[str, float]


def cases_of(
    outcome: str, operations: Sequence[ValidatedOperation], asked: FiguresAsked
) -> tuple[list[ScoredCase], Counter[str], Counter[str], int | None]:
    """The cases that count, how every operation stands, why those that count have no figure, and the horizon."""
    horizon = next((t.horizon_days for one in operations if (t := one.told.get(outcome))), None)
    stand, without, found = Counter[str](), Counter[str](), list[ScoredCase]()
    for one in operations:
        followed = one.followed.get(outcome, maturity.Followed(day=one.day))
        how = maturity.standing(
            followed, horizon_days=horizon, as_of=asked.window.as_of, lag_days=asked.window.lag_days
        )
        stand[how] += 1
        if how not in COUNTS:
            continue
        told = one.told.get(outcome)
        figure = None if told is None else _told_now(told, asked)
        if told is None or told.raw is None:
            without[NO_FIGURE] += 1
        elif figure is None:
            without[OTHER_MODEL] += 1
        else:
            happened = maturity.happened(followed, horizon_days=horizon)
            named = f"{told.model} {told.version}"
            found.append(ScoredCase(one, named, told.model_sha256, told.raw, figure, told.peer_probability, happened))
    return found, stand, without, horizon


def _told_now(told: PredictionTold, asked: FiguresAsked) -> float | None:
    """The figure that the models in force tell of it now; None where none of them gave it."""
    if told.raw is None or told.model_sha256 not in asked.in_force:
        return None
    by = asked.recalibrations.get(told.model_sha256)
    if by is None or not 0 < told.raw < 1:
        return float(told.raw)
    return float(1 / (1 + np.exp(-by.logit(log_odds(told.raw)))))


def figures(outcome: str, operations: Sequence[ValidatedOperation], asked: FiguresAsked) -> OutcomeFigures:
    """Everything that may be told of this outcome."""
    cases, stand, without, horizon = cases_of(outcome, operations, asked)
    y, p = arrays(cases)
    standing = told_counts.table(dict(stand.most_common()))
    told = OutcomeFigures(
        outcome=outcome,
        models=_telling(outcome, operations, asked.in_force),
        horizon_days=horizon,
        standing=standing,
        without_figure=told_counts.table({"with a figure": len(cases), **dict(without.most_common())}),
        n=told_counts.about(len(cases)),
        events=told_counts.part(len(cases), int(y.sum())),
        mean_predicted=float(p.mean()) if len(cases) >= LEAST else None,
        lost=_lost(standing),
    )
    if not small_cells.is_told(len(cases), int(y.sum())):
        return told
    fitted, floor = agreement.calibration(y, p), asked.floors.get(outcome)
    weeks = [maturity.week_ends(one.operation.day) for one in cases]
    return msgspec.structs.replace(
        told,
        first=min(weeks) - timedelta(days=6),
        last=max(weeks),
        auroc=discrimination.auroc(y, p),
        o_e=agreement.observed_to_expected(y, p),
        slope=fitted.slope,
        intercept=fitted.intercept,
        brier=agreement.brier(y, p),
        groups=agreement.groups(y, p, least=LEAST),
        decision_curve=net_benefit.curve(y, p, _thresholds(y)),
        floor=floor,
        at_floor=_at_floor(y, p, floor) if floor else None,
        compared=comparisons(cases),
    )


def _lost(standing: CountTable) -> float | None:
    """At most so great a share was lost: from the counts that are told alone, so that it gives no hidden one back."""
    rows = {one.name: one.n for one in standing.rows}
    known = sum(rows.get(name) or 0 for name in COUNTS)
    lost = rows.get("lost", 0)
    if lost is None:
        together = None if standing.together is None else standing.together.n
        lost = LEAST - 1 if together is None else together
    return lost / (lost + known) if standing.n is not None and known else None


def _telling(outcome: str, operations: Sequence[ValidatedOperation], in_force: frozenset[str]) -> tuple[str, ...]:
    """The models in force that told it of any operation, whether or not its outcome is known."""
    told = (one.told[outcome] for one in operations if outcome in one.told)
    return tuple(sorted({f"{one.model} {one.version}" for one in told if one.model_sha256 in in_force}))


def arrays(cases: Sequence[ScoredCase]) -> tuple[Values, Values]:
    """What happened (0 or 1), and the probabilities."""
    return np.array([float(one.happened) for one in cases]), np.array([one.probability for one in cases])


def _thresholds(happened: Values) -> list[float]:
    """Even steps up to four times the share that happened: where a decision could lie."""
    most = min(0.9, 4 * float(happened.mean()))
    return [round(most * step / _THRESHOLDS, 4) for step in range(1, _THRESHOLDS + 1)]


def _at_floor(happened: Values, predicted: Values, floor: float) -> Rates | None:
    """What a card at this floor finds; None where one of the four cells is small."""
    marked = (predicted >= floor).astype(float)
    cells = [float((happened == a).astype(float) @ (marked == b).astype(float)) for a in (0, 1) for b in (0, 1)]
    return by_group.rates(happened, marked) if min(cells) >= LEAST else None


def comparisons(cases: Sequence[ScoredCase]) -> tuple[Comparison, ...]:
    """The mean of the operation here and as published, ASA class alone, age with ASA class."""
    y, _ = arrays(cases)
    groups = [one.operation.procedure_group for one in cases]
    facts = {name: [one.operation.number(name) for one in cases] for name in ("asa_class", "age")}
    return (
        _compared(
            "mean of the operation, here (out of fold)", cases, simple_models.mean_of_group(y, groups), fitted=True
        ),
        _published(cases),
        _regression("ASA class alone (fitted here, out of fold)", cases, [facts["asa_class"]]),
        _regression("age and ASA class (fitted here, out of fold)", cases, [facts["age"], facts["asa_class"]]),
    )


def _published(cases: Sequence[ScoredCase]) -> Comparison:
    known = [one for one in cases if one.peer is not None]
    return _compared("published rate of the operation", known, np.array([float(one.peer or 0) for one in known]))


def _regression(name: str, cases: Sequence[ScoredCase], facts: Sequence[Sequence[float | None]]) -> Comparison:
    rows = [(case, row) for case, *row in zip(cases, *facts, strict=True) if None not in row]
    known = [case for case, _ in rows]
    y, _ = arrays(known)
    if not small_cells.is_told(len(known), int(y.sum())):
        return _compared(name, known, None)
    simple = simple_models.logistic_out_of_fold(y, np.array([row for _, row in rows], float))
    return _compared(name, known, simple, fitted=True)


def _compared(name: str, cases: Sequence[ScoredCase], simple: Values | None, *, fitted: bool = False) -> Comparison:
    """`fitted`: by the other folds, so that its AUROC is taken within folds."""
    y, p = arrays(cases)
    if simple is None or not small_cells.is_told(len(cases), int(y.sum())):
        return Comparison(name, None, NONE, NONE, NONE, NONE, "known for too few of these operations")
    return Comparison(
        name=name,
        n=told_counts.about(len(cases)),
        auroc=discrimination.auroc_within(y, simple, simple_models.folds(y))
        if fitted
        else discrimination.auroc(y, simple),
        brier=agreement.brier(y, simple),
        told_auroc=discrimination.auroc(y, p),
        told_brier=agreement.brier(y, p),
    )

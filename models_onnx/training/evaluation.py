"""The evaluation of a fitted model, as data: what the card, the model page and docs/models.md draw from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_onnx.training import comparisons, fitting, metrics
from models_onnx.training.fitting import Parameters
from models_onnx.training.metrics import Values
from models_onnx.training.penalised import Matrix
from models_onnx.training.surgery_timing import CITATION, Operations

FEWEST_EVENTS = 10
THRESHOLDS = {
    "any-complication": (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4),
    "30-day-death": (0.0025, 0.005, 0.01, 0.02, 0.03, 0.05),
}
BOOTSTRAPS, LEARNING_REPEATS = 40, 5
RACE = {1.0: "white", 2.0: "African American", 3.0: "other"}


def evaluate(operations: Operations, outcome: str, categories: tuple[str, ...]) -> tuple[dict[str, Any], Parameters]:
    """Every figure of the model for `outcome`, and the penalties chosen on all rows (the ones that are shipped)."""
    happened = operations.outcomes[outcome]
    x, y = operations.matrix(categories), happened
    design = fitting.design(categories)
    recorded, without, chosen = fitting.nested_predictions(x, y, design=design)
    parameters = fitting.choose(x, y, design=design)
    rivals = {name: fitting.out_of_fold(x, y, predict) for name, predict in comparisons.COMPARED.items()}
    known = ~np.isnan(operations.asa)
    document = {
        "outcome": outcome,
        "data": _data(operations, outcome),
        "method": (
            f"{fitting.OUTER}-fold cross-validation, penalties chosen by {fitting.INNER} folds inside each; "
            f"95 % intervals from {metrics.RESAMPLES} bootstrap samples of the out-of-fold predictions"
        ),
        "parameters": parameters,
        "parameters_by_fold": chosen,
        "performance": [
            {"rows": "all operations", "asa_class": "known", **metrics.summary(y[known], recorded[known])},
            {"rows": "all operations", "asa_class": "masked", **metrics.summary(y, without)},
            *_spine(operations, y, recorded, without),
        ],
        "comparisons": _comparisons(operations, outcome, y, recorded, rivals),
        "subgroups": list(_subgroups(operations, y, recorded)),
        "calibration": {"known": _deciles(y, recorded), "masked": _deciles(y, without)},
        "roc": {"known": _roc(y, recorded), "masked": _roc(y, without)},
        "decision_curve": _decision_curve(y, recorded, rivals, THRESHOLDS[outcome]),
        "optimism": _optimism(x, y, design, parameters),
        "learning_curve": _learning_curve(x, y, design, parameters),
    }
    return document, parameters


def _data(operations: Operations, outcome: str) -> dict[str, Any]:
    y = operations.outcomes[outcome]
    missing = {name: int(np.isnan(getattr(operations, name)).sum()) for name in ("sex", "asa", "bmi", "race")}
    return {
        "source": CITATION,
        "rows_in_file": operations.rows,
        "left_out": operations.excluded,
        "n": len(y),
        "events": int(y.sum()),
        "missing": missing,
        "female": round(float(np.nanmean(operations.sex == 0)), 4),
        "age_quartiles": np.percentile(operations.age, [25, 50, 75]).tolist(),
        "race": {name: int((operations.race == code).sum()) for code, name in RACE.items()},
    }


def _spine(operations: Operations, y: Values, recorded: Values, without: Values) -> list[dict[str, Any]]:
    spine = operations.spine
    if y[spine].sum() < FEWEST_EVENTS:
        return []
    return [
        {"rows": "spine operations", "asa_class": asa, **metrics.summary(y[spine], p[spine])}
        for asa, p in (("known", recorded), ("masked", without))
    ]


def _comparisons(
    operations: Operations, outcome: str, y: Values, recorded: Values, rivals: dict[str, Values]
) -> list[dict[str, Any]]:
    found = [{"model": "this model", "rows": "all operations", **metrics.summary(y, recorded)}]
    found += [{"model": name, "rows": "all operations", **metrics.summary(y, p)} for name, p in rivals.items()]
    if outcome == "30-day-death":
        sort = comparisons.sort_2014(operations)
        graded = ~np.isnan(sort)
        rows = "operations that SORT can grade, ASA class known"
        found.append({"model": "SORT 2014 as published", "rows": rows, **metrics.summary(y[graded], sort[graded])})
        found.append({"model": "this model", "rows": rows, **metrics.summary(y[graded], recorded[graded])})
    spine = operations.spine
    if y[spine].sum() >= FEWEST_EVENTS:
        for name, p in {"this model": recorded, **rivals}.items():
            found.append({"model": name, "rows": "spine operations", **metrics.summary(y[spine], p[spine])})
    return found


def _groups(operations: Operations) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    for low, high in ((18, 49), (50, 64), (65, 79), (80, 120)):
        yield (
            "age band",
            f"{low}-{high}" if high < 120 else "80 and over",
            (operations.age >= low) & (operations.age <= high),
        )
    for code, name in ((0.0, "female"), (1.0, "male")):
        yield "sex", name, operations.sex == code
    for race, name in RACE.items():
        yield "race", name, operations.race == race
    for level, name in enumerate(("I-II", "III", "IV-VI")):
        yield "ASA class", name, operations.asa == level
    for ccs in sorted(set(operations.ccs)):
        yield "procedure", ccs, operations.ccs == ccs


def _subgroups(operations: Operations, y: Values, p: Values) -> Iterator[dict[str, Any]]:
    for by, name, rows in _groups(operations):
        events = int(y[rows].sum())
        if events < FEWEST_EVENTS:
            yield {"by": by, "group": name, "n": int(rows.sum()), "suppressed": f"fewer than {FEWEST_EVENTS} events"}
            continue
        measured = metrics.summary(y[rows], p[rows])
        ratio = metrics.with_interval(_observed_to_expected(y[rows], p[rows]), int(rows.sum()))[0]
        yield {"by": by, "group": name, **measured, "observed_to_expected": ratio}


def _observed_to_expected(y: Values, p: Values) -> Any:
    return lambda weights: float((weights * y).sum() / (weights * p).sum())


def _deciles(y: Values, p: Values) -> list[dict[str, float]]:
    """Observed shares by tenth of the prediction, each with a 95 % Wilson interval."""
    found = []
    for rows in np.array_split(np.argsort(p, kind="stable"), 10):
        n, share, z = len(rows), float(y[rows].mean()), 1.959964
        centre = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        values = {"predicted": p[rows].mean(), "observed": share, "low": centre - half, "high": centre + half, "n": n}
        found.append({name: float(f"{value:.6g}") for name, value in values.items()})
    return found


def _roc(y: Values, p: Values) -> list[list[float]]:
    """About 40 points of false and true positive rate."""
    order = np.argsort(-p, kind="stable")
    true, false = np.cumsum(y[order]) / y.sum(), np.cumsum(1 - y[order]) / (1 - y).sum()
    picked = np.unique(np.searchsorted(false, np.linspace(0, 1, 41)).clip(0, len(y) - 1))
    return [[0.0, 0.0], *([round(float(false[k]), 4), round(float(true[k]), 4)] for k in picked)]


def _decision_curve(
    y: Values, p: Values, rivals: dict[str, Values], thresholds: tuple[float, ...]
) -> list[dict[str, Any]]:
    found = []
    for threshold in thresholds:
        interval = metrics.with_interval(_benefit(y, p, threshold), len(y))[0]
        others = {name: float(f"{metrics.net_benefit(y, q, threshold):.6g}") for name, q in rivals.items()}
        everyone = float(f"{metrics.net_benefit(y, np.ones(len(y)), threshold):.6g}")
        found.append({"threshold": threshold, "this model": interval, "everyone": everyone, "no one": 0.0, **others})
    return found


def _benefit(y: Values, p: Values, threshold: float) -> Any:
    return lambda weights: metrics.net_benefit(y, p, threshold, weights)


def _optimism(x: Matrix, y: Matrix, design: Parameters, parameters: Parameters) -> dict[str, Any]:
    """Harrell's bootstrap: what the apparent figures lose when a refit meets the rows it was not drawn from."""
    random = np.random.default_rng(metrics.SEED)
    apparent = _figures(y, fitting.fit(x, y, design=design, parameters=parameters).decision_function(x))
    losses = []
    for _ in range(BOOTSTRAPS):
        drawn = random.integers(0, len(y), len(y))
        fitted = fitting.fit(x[drawn], y[drawn], design=design, parameters=parameters)
        own = _figures(y[drawn], fitted.decision_function(x[drawn]))
        losses.append(own - _figures(y, fitted.decision_function(x)))
    loss, error = np.mean(losses, axis=0), np.std(losses, axis=0, ddof=1) / np.sqrt(BOOTSTRAPS)
    names = ("auroc", "brier", "slope")
    return {
        "bootstraps": BOOTSTRAPS,
        **{
            name: {
                "apparent": round(float(a), 5),
                "corrected": round(float(a - o), 5),
                "low": round(float(a - o - 1.96 * e), 5),
                "high": round(float(a - o + 1.96 * e), 5),
            }
            for name, a, o, e in zip(names, apparent, loss, error, strict=True)
        },
    }


def _figures(y: Matrix, z: Matrix) -> Matrix:
    known = ~np.isnan(z)
    p = 1 / (1 + np.exp(-z[known]))
    return np.array([metrics.auroc(y[known], p), metrics.brier(y[known], p), metrics.calibration(y[known], p)[0]])


def _learning_curve(x: Matrix, y: Matrix, design: Parameters, parameters: Parameters) -> list[dict[str, Any]]:
    """AUROC on a tenth of the rows that were never drawn, by the share of the others that was learned from."""
    found = []
    for share in (0.1, 0.2, 0.4, 0.7, 1.0):
        measured = []
        for repeat, (train, test) in zip(range(LEARNING_REPEATS), fitting.folds(x, y, fitting.OUTER, 7), strict=False):
            random = np.random.default_rng(metrics.SEED + repeat)
            some = random.permutation(train)[: int(share * len(train))]
            fitted = fitting.fit(x[some], y[some], design=design, parameters=parameters)
            measured.append(metrics.auroc(y[test], fitted.predict_proba(x[test])[:, 1]))
        spread = 1.96 * float(np.std(measured, ddof=1)) / np.sqrt(len(measured))
        mean = float(np.mean(measured))
        entry = {"n": int(share * len(y) * 0.9), "auroc": round(mean, 4)}
        found.append({**entry, "low": round(mean - spread, 4), "high": round(mean + spread, 4)})
    return found

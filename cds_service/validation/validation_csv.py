"""The tables of a validation report as CSV, beside its page: the same figures, and nothing that the page hides."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from cds_service.measures.intervals import Figure
from cds_service.validation.evidence import GateVerdict
from cds_service.validation.told_counts import CountTable
from cds_service.validation.validation_report import ValidationReport

Line = Sequence[object]


def files(report: ValidationReport, gates: Sequence[GateVerdict]) -> dict[str, bytes]:
    """By file name its content."""
    made: dict[str, tuple[Line, Iterable[Line]]] = {
        "gates.csv": (("gate", "asked", "found", "passes"), [(g.name, g.asked, g.found, int(g.passes)) for g in gates]),
        "counts.csv": (("table", "group", "n", "of"), _counts(report)),
        "thresholds.csv": (("what", "moved", "in_force", "threshold", "operations", "a_week"), _thresholds(report)),
        "figures.csv": (("outcome", "figure", "value", "low", "high"), _figures(report)),
        "calibration.csv": (("outcome", "predicted", "observed", "low", "high"), _calibration(report)),
        "decision.csv": (("outcome", "threshold", "net_benefit", "low", "high", "everyone"), _decision(report)),
        "comparisons.csv": (("outcome", "rule", "measure", "its", "told"), _comparisons(report)),
        "ablation.csv": (("outcome", "model", "withheld", "figure", "value", "low", "high"), _ablations(report)),
        "groups.csv": (("dimension", "outcome", "group", "events", "figure", "value", "low", "high"), _groups(report)),
        "inputs.csv": (("input", "n", "known"), [(one.name, one.n, one.known) for one in report.inputs]),
    }
    return {name: _written(head, lines) for name, (head, lines) in made.items()}


def _written(head: Line, lines: Iterable[Line]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([["" if cell is None else cell for cell in line] for line in lines])
    return out.getvalue().encode()


def short(number: float | None) -> float | None:
    """Three digits, as on the page: more would tell how many people stand behind it."""
    return None if number is None else float(f"{number:.3g}")


def _interval(figure: Figure) -> tuple[float | None, ...]:
    return short(figure.value), short(figure.low), short(figure.high)


def _counts(report: ValidationReport) -> Iterator[Line]:
    of = report.volume
    for name in ("calls", "with_operation", "mapped", "would_show", "shown", "again", "gaps_told"):
        yield "calls", name, getattr(of, name), None
    yield "operations", "all", report.operations, None
    for name, count in of.of_no_patient.items():
        yield "silent", name, count, None
    for name, count in of.failed.items():
        yield "failed", name, count, None
    named = {
        "answered": of.answered,
        "hook, with a card": of.by_hook,
        "role, with a card": of.by_role,
        "time, with a card": of.by_hour,
        "band": report.bands,
        "week, with a card": report.thresholds.by_week,
        "week, with a warning": report.thresholds.warnings_by_week,
        **{f"{one.outcome}: standing": one.standing for one in report.outcomes},
        **{f"{one.outcome}: figure": one.without_figure for one in report.outcomes},
        **{f"group: {one.dimension}": one.operations for one in report.groups if one.recorded},
    }
    for name, table in named.items():
        yield from _rows(name, table)


def _rows(name: str, table: CountTable) -> Iterator[Line]:
    for row in (*table.rows, *([table.together] if table.together else [])):
        yield name, row.name, row.n, row.of


def _thresholds(report: ValidationReport) -> Iterator[Line]:
    of = report.thresholds
    for curve in of.curves:
        yield curve.what, curve.moved, short(curve.in_force), "any", curve.always, None
        for step in curve.steps:
            weekly = round(step.operations / of.weeks, 3) if of.weeks else None
            yield curve.what, curve.moved, short(curve.in_force), repr(step.threshold), step.operations, weekly


def _figures(report: ValidationReport) -> Iterator[Line]:
    for of in report.outcomes:
        yield of.outcome, "operations, about", of.n, None, None
        yield of.outcome, "events", of.events, None, None
        yield of.outcome, "lost, at most", short(of.lost), None, None
        for name in ("auroc", "o_e", "slope", "intercept", "brier"):
            yield of.outcome, name, *_interval(getattr(of, name))
        if of.at_floor is not None:
            for name in ("marked", "sensitivity", "false_positive_rate", "predictive_value"):
                yield of.outcome, f"{name} at {of.floor}", *_interval(getattr(of.at_floor, name))


def _calibration(report: ValidationReport) -> Iterator[Line]:
    for of in report.outcomes:
        for one in of.groups:
            yield of.outcome, short(one.predicted), *_interval(one.observed)


def _decision(report: ValidationReport) -> Iterator[Line]:
    for of in report.outcomes:
        for one in of.decision_curve:
            yield of.outcome, one.threshold, *_interval(one.model), short(one.everyone)


def _comparisons(report: ValidationReport) -> Iterator[Line]:
    for of in report.outcomes:
        for one in of.compared:
            yield of.outcome, one.name, "auroc", short(one.auroc.value), short(one.told_auroc.value)
            yield of.outcome, one.name, "brier", short(one.brier.value), short(one.told_brier.value)


def _ablations(report: ValidationReport) -> Iterator[Line]:
    for of in report.ablations:
        for one in of.rows:
            named = (of.outcome, of.model, one.input)
            yield *named, "still has a figure", short(one.share_computed), None, None
            for name in ("auroc", "before", "o_e"):
                yield *named, name, *_interval(getattr(one, name))


def _groups(report: ValidationReport) -> Iterator[Line]:
    for table in report.groups:
        if not table.recorded:
            yield table.dimension, "", "not recorded", None, None, None, None, None
        for of in table.outcomes:
            for one in of.groups:
                for name in ("o_e", "auroc", "intercept"):
                    yield table.dimension, of.outcome, one.name, one.events, name, *_interval(getattr(one, name))

"""What a model's evaluation looks like: calibration, ROC and decision curve, drawn as SVG from evaluation.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from markupsafe import Markup

from cds_service.pages.svg import Axis, Paper, ticks

Row = Mapping[str, Any]
_QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
# With the ASA class known, and with it masked: the second is how the model answers where nobody recorded it.
_KNOWN, _MASKED = ("known", "plot-model"), ("masked", "plot-second")


class Drawing(msgspec.Struct, frozen=True):
    """A plot with its heading and one sentence that says how to read it."""

    title: str
    reading: str
    svg: Markup


def calibration(rows_by_state: Mapping[str, Sequence[Row]]) -> Drawing:
    """Predicted against observed risk; points on the diagonal mean that the figures can be taken as they stand."""
    rows = [row for state in rows_by_state.values() for row in state]
    marks = ticks(max(max(row["predicted"], row["high"]) for row in rows))
    axis = Axis("Predicted risk", 0.0, marks[-1], marks)
    paper = Paper("Calibration", axis, Axis("Observed share", 0.0, marks[-1], marks))
    paper.line([(0.0, 0.0), (marks[-1], marks[-1])], "plot-reference")
    for state, kind in (_MASKED, _KNOWN):
        points = [(row["predicted"], row["observed"], row["low"], row["high"]) for row in rows_by_state.get(state, ())]
        paper.points(points, kind)
    told = "; ".join(
        f"predicted {100 * row['predicted']:.1f} %, observed {100 * row['observed']:.1f} %"
        for row in rows_by_state.get("known", ())
    )
    return Drawing(
        "Calibration",
        "Each point is a tenth of the operations, with its 95 % interval. On the dashed line, what was predicted"
        " is what happened. Filled: ASA class known; hollow: ASA class withheld.",
        paper.finished(f"Calibration: {told}"),
    )


def roc(points_by_state: Mapping[str, Sequence[Sequence[float]]]) -> Drawing:
    """Sensitivity against false positives at every threshold."""
    paper = Paper(
        "Discrimination", Axis("False positive rate", 0.0, 1.0, _QUARTERS), Axis("Sensitivity", 0.0, 1.0, _QUARTERS)
    )
    paper.line([(0.0, 0.0), (1.0, 1.0)], "plot-reference")
    for state, kind in (_MASKED, _KNOWN):
        paper.line([(x, y) for x, y in points_by_state.get(state, ())], kind)
    return Drawing(
        "Discrimination (ROC)",
        "How well the model tells patients with the outcome from those without. Solid: ASA class known; dotted:"
        " ASA class withheld; dashed: chance.",
        paper.finished("ROC curve: sensitivity against false positive rate at every threshold."),
    )


def decision_curve(rows: Sequence[Row]) -> Drawing:
    """Net benefit by threshold, beside acting for everyone and for no one."""
    across = ticks(max(row["threshold"] for row in rows))
    top = ticks(max(max(row["this model"]["value"], row["everyone"]) for row in rows))
    low = -0.2 * top[-1]
    paper = Paper(
        "Decision curve",
        Axis("Risk from which one would act", 0.0, across[-1], across),
        Axis("Net benefit", low, top[-1], top, percent=False),
    )
    paper.line([(0.0, 0.0), (across[-1], 0.0)], "plot-none")
    paper.line([(row["threshold"], row["everyone"]) for row in rows if row["everyone"] >= low], "plot-reference")
    own = [(row["threshold"], row["this model"]) for row in rows]
    paper.points([(x, net["value"], net["low"], net["high"]) for x, net in own], "plot-model")
    paper.line([(x, net["value"]) for x, net in own], "plot-model")
    return Drawing(
        "Decision curve",
        "Deciding by the model (solid, with 95 % intervals) is worth more than acting for everyone (dashed) or for"
        " no one (zero line) wherever it lies higher.",
        paper.finished("Decision curve: net benefit of the model, of acting for everyone, and of acting for no one."),
    )

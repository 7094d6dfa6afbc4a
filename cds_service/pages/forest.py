"""How a model does in groups of people, as a forest plot: what happened for each one that was foreseen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from cds_service.pages.plots import Drawing
from cds_service.pages.svg import Axis

Row = Mapping[str, Any]
WIDTH, LEFT, RIGHT, TOP, STEP = 360, 150, 344, 14, 24
MARKS = (0.5, 1.0, 1.5, 2.0)
# Operations are too many for a plot; they stand in the table.
IN_THE_TABLE = "procedure"


def subgroups(rows: Sequence[Row]) -> Drawing | None:
    """Observed events per expected event with its 95 % interval, a line per group; None where nothing was measured."""
    shown = [row for row in rows if "observed_to_expected" in row and row["by"] != IN_THE_TABLE]
    if not shown:
        return None
    axis = Axis("Observed for each one expected", 0.4, 2.2, MARKS, percent=False)
    bottom = TOP + STEP * len(shown)
    parts = [_frame(axis, bottom)]
    parts += [_line(axis, row, TOP + STEP * k + STEP / 2) for k, row in enumerate(shown)]
    spoken = "; ".join(f"{_name(row)} {row['observed_to_expected']['value']:.2f}" for row in shown)
    svg = Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>Subgroups</title>{}</svg>')
    return Drawing(
        "Subgroups",
        "At 1, as many had the outcome as was foreseen; to the right more, to the left fewer. With 95 % intervals;"
        " groups with fewer than 10 events are left out, operations stand in the table below.",
        svg.format(WIDTH, bottom + 50, f"Observed for each one expected: {spoken}", Markup("").join(parts)),
    )


def _name(row: Row) -> str:
    return f"{str(row['by']).capitalize()} {row['group']}" if row["by"] in {"age band", "ASA class"} else row["group"]


def _frame(axis: Axis, bottom: float) -> Markup:
    parts = [Markup('<path class="plot-axis" d="M{} {}H{}"/>').format(LEFT, bottom, RIGHT)]
    for mark in axis.ticks:
        x = axis.place(mark, LEFT, RIGHT)
        kind = "plot-line plot-reference" if mark == 1.0 else "plot-grid"
        parts.append(Markup('<path class="{}" d="M{} {}V{}"/>').format(kind, x, TOP, bottom))
        tick = Markup('<text class="plot-tick" x="{}" y="{}" text-anchor="middle">{}</text>')
        parts.append(tick.format(x, bottom + 18, axis.written(mark)))
    words = Markup('<text class="plot-words" x="{}" y="{}" text-anchor="middle">{}</text>')
    return Markup("").join([*parts, words.format((LEFT + RIGHT) / 2, bottom + 42, axis.words)])


def _line(axis: Axis, row: Row, y: float) -> Markup:
    ratio = row["observed_to_expected"]
    low, value, high = (axis.place(ratio[end], LEFT, RIGHT) for end in ("low", "value", "high"))
    return Markup(
        '<text class="plot-note" x="{}" y="{}" text-anchor="end">{}</text>'
        '<line class="plot-interval plot-model" x1="{}" x2="{}" y1="{y}" y2="{y}"/>'
        '<circle class="plot-point plot-model" cx="{}" cy="{y}" r="3.5"/>'
    ).format(LEFT - 8, y + 4, _name(row), low, high, value, y=y)

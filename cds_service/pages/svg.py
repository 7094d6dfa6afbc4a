"""A square of paper for a plot: axes, lines, points and bands as SVG; no script and no style attribute needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from markupsafe import Markup, escape

Point = tuple[float, float]


class Axis(msgspec.Struct, frozen=True):
    """What an axis shows: its words, its least and largest value, and where it is marked."""

    words: str
    low: float
    high: float
    ticks: tuple[float, ...]
    percent: bool = True

    def place(self, value: float, start: float, end: float) -> float:
        """Where `value` stands between the pixels `start` and `end`; outside values stand at the edge."""
        part = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(start + part * (end - start), 1)

    def written(self, value: float) -> str:
        """A tick as people read it."""
        if not self.percent:
            return f"{value:g}"
        return f"{100 * value:g} %"


class Paper:
    """A plot under way. Sizes in pixels of the view box; the page scales it."""

    WIDTH, HEIGHT = 360, 320
    LEFT, RIGHT, TOP, BOTTOM = 62, 336, 12, 262

    def __init__(self, title: str, x: Axis, y: Axis) -> None:
        self._title, self._x, self._y = title, x, y
        self._parts: list[Markup] = [self._axes()]

    def line(self, points: Sequence[Point], kind: str) -> None:
        """A line through the points; `kind` is its style class."""
        path = " ".join(f"{self._px(x)},{self._py(y)}" for x, y in points)
        self._parts.append(Markup('<polyline class="plot-line {}" points="{}"/>').format(kind, path))

    def points(self, points: Iterable[tuple[float, float, float | None, float | None]], kind: str) -> None:
        """Points (x, y, low, high), each with its interval as a bar where known."""
        for x, y, low, high in points:
            if low is not None and high is not None:
                self._parts.append(
                    Markup('<line class="plot-interval {}" x1="{x}" x2="{x}" y1="{}" y2="{}"/>').format(
                        kind, self._py(low), self._py(high), x=self._px(x)
                    )
                )
            self._parts.append(
                Markup('<circle class="plot-point {}" cx="{}" cy="{}" r="3.5"/>').format(kind, self._px(x), self._py(y))
            )

    def note(self, x: float, y: float, words: str, kind: str = "") -> None:
        """Words beside a line, so that colour alone tells nothing."""
        self._parts.append(
            Markup('<text class="plot-note {}" x="{}" y="{}">{}</text>').format(kind, self._px(x), self._py(y), words)
        )

    def finished(self, description: str) -> Markup:
        """The plot; `description` is what a screen reader says."""
        return Markup(
            '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>{}</svg>'
        ).format(self.WIDTH, self.HEIGHT, description, self._title, Markup("").join(self._parts))

    def _px(self, value: float) -> float:
        return self._x.place(value, self.LEFT, self.RIGHT)

    def _py(self, value: float) -> float:
        return self._y.place(value, self.BOTTOM, self.TOP)

    def _axes(self) -> Markup:
        parts = [
            Markup('<path class="plot-axis" d="M{} {}V{}H{}"/>').format(self.LEFT, self.TOP, self.BOTTOM, self.RIGHT)
        ]
        for tick in self._x.ticks:
            parts.append(
                Markup('<text class="plot-tick" x="{}" y="{}" text-anchor="middle">{}</text>').format(
                    self._px(tick), self.BOTTOM + 18, self._x.written(tick)
                )
            )
        for tick in self._y.ticks:
            parts.append(
                Markup('<path class="plot-grid" d="M{} {y}H{}"/>').format(self.LEFT, self.RIGHT, y=self._py(tick))
                + Markup('<text class="plot-tick" x="{}" y="{}" text-anchor="end">{}</text>').format(
                    self.LEFT - 8, self._py(tick) + 4, self._y.written(tick)
                )
            )
        middle_x, middle_y = (self.LEFT + self.RIGHT) / 2, (self.TOP + self.BOTTOM) / 2
        parts.append(
            Markup('<text class="plot-words" x="{}" y="{}" text-anchor="middle">{}</text>').format(
                middle_x, self.BOTTOM + 44, self._x.words
            )
            + Markup(
                '<text class="plot-words" transform="translate(14 {}) rotate(-90)" text-anchor="middle">{}</text>'
            ).format(middle_y, escape(self._y.words))
        )
        return Markup("").join(parts)


def ticks(high: float) -> tuple[float, ...]:
    """Four or five round marks from 0 to at least `high`."""
    for step in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5):
        if step * 5 >= high:
            return tuple(round(step * i, 6) for i in range(6) if step * (i - 1) < high)
    return (0.0, 0.25, 0.5, 0.75, 1.0)

"""Contributions as bars and risks on a scale: SVG whose sizes are attributes, so that no inline style is needed."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from markupsafe import Markup

# A factor that rounds to 1.00.
_STILL = 0.005


class Bar(msgspec.Struct, frozen=True):
    """One input's pull: its name, how far in log-odds, the same as a factor on the odds, and the picture.

    `missing`: the input was not known, and the pull is that of not knowing it (R-B05).
    """

    input: str
    log_odds: float
    factor: str
    picture: Markup
    missing: bool = False

    @property
    def moves(self) -> bool:
        """Whether the factor is another than 1 once it is rounded."""
        return abs(self.log_odds) >= _STILL


def contributions(rows: Sequence[Mapping[str, Any]], missing: Collection[str] = ()) -> tuple[Bar, ...]:
    """Every input, the strongest pull first; one scale for all bars of a model. `missing`: inputs without a value."""
    longest = max((abs(row["logOdds"]) for row in rows), default=0.0)
    ordered = sorted(rows, key=lambda row: -abs(row["logOdds"]))
    return tuple(
        Bar(row["input"], row["logOdds"], _factor(row["logOdds"]), _bar(row, longest), row["input"] in missing)
        for row in ordered
    )


def _factor(log_odds: float) -> str:
    return f"× {math.exp(log_odds):.2f}"


def _bar(row: Mapping[str, Any], longest: float) -> Markup:
    part = row["logOdds"] / longest if longest else 0.0
    width = round(abs(part) * 96, 1)
    start, kind = (100.0, "more") if part >= 0 else (100 - width, "less")
    return Markup(
        '<svg class="pull" viewBox="0 0 200 14" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="pull-zero" d="M100 0V14"/><rect class="pull-{}" x="{}" y="3" width="{}" height="8"/></svg>'
    ).format(kind, start, width)


def share(value: float, longest: float) -> Markup:
    """One bar of several that begin at the same line, `longest` filling the cell."""
    width = round(200 * value / longest, 1) if longest else 0.0
    return Markup(
        '<svg class="pull" viewBox="0 0 200 14" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="step-bar" x="0" y="3" width="{}" height="8"/></svg>'
    ).format(width)


def scale(prediction: Mapping[str, Any]) -> Markup:
    """The risk with its interval, and its peers, on one line from 0 to a round figure above the largest.

    The picture stretches to its column; strokes, and so the dot, keep their size.
    """
    interval, missing = _interval(prediction), prediction.get("missingRange")
    values = [prediction.get("peerProbability", 0.0), interval[1]]
    end = _round_above(max([*values, missing["high"] if missing else 0.0]))

    def place(value: float) -> float:
        return round(6 + 288 * min(value / end, 1.0), 1)

    parts = [Markup('<path class="scale-line" d="M6 14H294"/>')]
    if missing:
        parts.append(_span("scale-missing", place(missing["low"]), place(missing["high"])))
    if interval[0] < interval[1]:
        parts.append(_span("scale-interval", place(interval[0]), place(interval[1])))
    if peer := prediction.get("peerProbability"):
        parts.append(Markup('<path class="scale-peer" d="M{} 3V25"/>').format(place(peer)))
    if "probability" in prediction:
        parts.append(Markup('<path class="scale-own" d="M{} 14h0.01"/>').format(place(prediction["probability"])))
    return Markup(
        '<div class="scale" aria-hidden="true"><svg viewBox="0 0 300 28" preserveAspectRatio="none">{}</svg>'
        "<span>0</span><span>{}</span></div>"
    ).format(Markup("").join(parts), f"{100 * end:g} %")


def _interval(prediction: Mapping[str, Any]) -> tuple[float, float]:
    """The 90 % interval; without one the figure itself, and nothing where there is only a range."""
    figure = prediction.get("probability", 0.0)
    return prediction.get("low", figure), prediction.get("high", figure)


def _span(kind: str, start: float, end: float) -> Markup:
    return Markup('<rect class="{}" x="{}" y="10" width="{}" height="8"/>').format(
        kind, start, max(round(end - start, 1), 2)
    )


def _round_above(value: float) -> float:
    for end in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5):
        if value <= 0.95 * end:
            return end
    return 1.0

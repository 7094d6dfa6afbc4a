"""Every outcome against the usual figure on one common axis, so that lengths compare across outcomes.

SVG whose places are percentages of its column: it stretches without bending its marks, and needs no inline style.
Beside each strip its figures stand in words, so the strips themselves are hidden from screen readers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from markupsafe import Markup

from cds_service.advice import number_text
from cds_service.pages.words import BAND_WORDS

Prediction = Mapping[str, Any]
# A round end of the axis, and at how many even steps it is marked.
_ENDS = (
    (0.005, 5), (0.01, 5), (0.02, 4), (0.03, 3), (0.05, 5), (0.1, 5), (0.15, 3), (0.2, 4), (0.3, 3), (0.4, 4),
    (0.5, 5), (0.6, 3), (0.8, 4), (1.0, 5),
)  # fmt: skip
_RARE = 0.01  # DEC-40


class AxisRow(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome: the strip, and the same figures in words, all of the chart's denominator.

    `own`: the figure, with its range over what is not known in brackets; where there is no figure the range.
    """

    heading: str
    own: str
    beside: str
    usual: str
    band: str
    strip: Markup


class Chart(msgspec.Struct, frozen=True):
    """The rows with their common scale, 0 to `end` (a probability); `ticks` is the picture of the scale."""

    denominator: int
    end: float
    ticks: Markup
    rows: tuple[AxisRow, ...]

    @property
    def spoken(self) -> str:
        """The scale in words."""
        return f"All on one scale, from 0 to {self.denominator * self.end:,.0f} of {self.denominator:,}"


def chart(told: Sequence[tuple[str, Prediction]]) -> Chart | None:
    """The outcomes that have a probability or a range of it, each with its heading; None where none has."""
    placed = [(heading, one) for heading, one in told if _has_place(one)]
    if not placed:
        return None
    of = denominator([one for _, one in placed])
    highest = max(value for _, one in placed for value in _figures(one))
    end, steps = next((one for one in _ENDS if highest <= 0.98 * one[0]), _ENDS[-1])
    rows = tuple(_row(heading, one, of, end, steps) for heading, one in placed)
    return Chart(of, end, _ticks(of, end, steps), rows)


def denominator(predictions: Iterable[Prediction]) -> int:
    """Of how many every figure is told: 1,000 if one of them is rarer than 1 in 100 (DEC-40)."""
    told = (value for one in predictions for value in _figures(one, average=False))
    return 1000 if any(value < _RARE for value in told) else 100


def place(value: float, end: float) -> float:
    """Where a probability stands, in percent of the axis."""
    return round(100 * min(value / end, 1.0), 2)


def count(probability: float, of: int) -> str:
    """So many, without the denominator: "8", "under 1"; never "0"."""
    return number_text.count_in(probability, of).removesuffix(f" in {of:,}").replace("fewer than", "under")


def between(low: float, high: float, of: int) -> str:
    """From where to where, without the denominator: "4 to 10", "under 1 to 43"."""
    ends = dict.fromkeys((count(low, of), count(high, of)))
    return " to ".join(ends)


def _has_place(one: Prediction) -> bool:
    return "probability" in one or "missingRange" in one


def _figures(one: Prediction, *, average: bool = True) -> list[float]:
    names = ("probability", "peerProbability", *(("low", "high") if average else ()))
    found = [one[name] for name in names if name in one]
    limits = one.get("missingRange")
    return found + ([limits["low"], limits["high"]] if limits else [])


def _row(heading: str, one: Prediction, of: int, end: float, steps: int) -> AxisRow:
    limits, figure, usual = one.get("missingRange"), one.get("probability"), one.get("peerProbability")
    over = between(limits["low"], limits["high"], of) if limits else ""
    average = between(one["low"], one["high"], of) if "low" in one else ""
    own = over if figure is None else count(figure, of)
    beside = f"model's average {average}" if average not in ("", own) else ""
    return AxisRow(
        heading=heading,
        own=own if over in ("", own) else f"{own} ({over})",
        beside=beside,
        usual=count(usual, of) if usual is not None else "",
        # Only a departure has a word: 268 beside 180 is below 1.5 times the usual, and "as usual" would still be odd.
        band="" if one.get("band") == "typical" else BAND_WORDS.get(one.get("band", ""), ""),
        strip=_strip(one, end, steps),
    )


def _strip(one: Prediction, end: float, steps: int) -> Markup:
    """Grid, the band of what is not known, the band of the average, a bar to the figure, and the usual as a tick."""
    parts = [Markup('<line class="strip-grid" x1="{x}%" x2="{x}%" y1="0" y2="28"/>').format(x=x) for x in _marks(steps)]
    parts.append(Markup('<line class="strip-line" x1="0" x2="100%" y1="14" y2="14"/>'))
    figure, limits = one.get("probability"), one.get("missingRange")
    if limits:
        parts.append(_band("strip-missing", limits["low"], limits["high"], end, (4, 20)))
    if figure is not None:
        parts.append(_band("strip-bar", 0.0, figure, end, (11, 6)))
    if "low" in one:
        parts.append(_band("strip-interval", one["low"], one["high"], end, (8, 12)))
    if figure is not None:
        parts.append(Markup('<circle class="strip-own" cx="{}%" cy="14" r="5"/>').format(place(figure, end)))
    if (usual := one.get("peerProbability")) is not None:
        tick = Markup('<line class="strip-usual" x1="{x}%" x2="{x}%" y1="1" y2="27"/>')
        parts.append(tick.format(x=place(usual, end)))
    return Markup('<svg class="strip" width="100%" height="28" aria-hidden="true">{}</svg>').format(
        Markup("").join(parts)
    )


def _band(kind: str, low: float, high: float, end: float, tall: tuple[int, int]) -> Markup:
    start, stop = place(low, end), place(high, end)
    return Markup('<rect class="{}" x="{}%" width="{}%" y="{}" height="{}"/>').format(
        kind, start, round(max(stop - start, 0.3), 2), *tall
    )


def _marks(steps: int) -> list[float]:
    return [round(100 * step / steps, 2) for step in range(steps + 1)]


def _ticks(of: int, end: float, steps: int) -> Markup:
    parts = []
    for step, mark in enumerate(_marks(steps)):
        anchor = {0: "start", steps: "end"}.get(step, "middle")
        text = Markup('<text class="strip-tick" x="{}%" y="13" text-anchor="{}">{:g}</text>')
        parts.append(text.format(mark, anchor, round(of * end * step / steps, 6)))
    return Markup('<svg class="strip" width="100%" height="18" aria-hidden="true">{}</svg>').format(
        Markup("").join(parts)
    )

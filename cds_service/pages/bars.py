"""What each input adds to or takes from a risk, as bars of one scale for a page; SVG without inline style."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from markupsafe import Markup

from cds_service.pages import axis


class Bar(msgspec.Struct, frozen=True):
    """One input: by how much it moves the probability (0 to 1) from the reference, in words and as a picture.

    `missing`: the input was not known, and the points are those of not knowing it (R-B05).
    """

    input: str
    points: float
    words: str
    picture: Markup
    missing: bool = False

    @property
    def moves(self) -> bool:
        """Whether anything is left of it once it is rounded."""
        return bool(self.words)


class Pulls(msgspec.Struct, frozen=True):
    """The bars of one prediction, the strongest first, and from which figure to which they lead, of `denominator`."""

    start: str
    end: str
    denominator: int
    bars: tuple[Bar, ...]


def points(prediction: Mapping[str, Any]) -> tuple[float, dict[str, float]]:
    """The probability of the model's reference patient, and what each input adds to it: together the prediction.

    Log-odds add up and probabilities do not. Each input gets the share of the difference that it has of the log-odds,
    which is its Aumann-Shapley value on the straight way from the reference to the patient: Sundararajan, Taly and Yan
    2017, https://doi.org/10.48550/arXiv.1703.01365. Of a range: up to its low end.
    """
    rows = prediction.get("contributions", ())
    total = sum(row["logOdds"] for row in rows)
    figure = _figure(prediction)
    logit = math.log(figure / (1 - figure))
    reference = _probability(logit - total)
    share = (figure - reference) / total if abs(total) > 1e-9 else figure * (1 - figure)
    return reference, {row["input"]: row["logOdds"] * share for row in rows}


def pulls(prediction: Mapping[str, Any], of: int, longest: float, missing: Collection[str] = ()) -> Pulls:
    """The bars of a prediction. `longest`: the most that any input of the page moves; `missing`: without a value."""
    reference, found = points(prediction)
    ordered = sorted(found.items(), key=lambda one: -abs(one[1]))
    bars = tuple(Bar(name, moved, _words(moved, of), _bar(moved, longest), name in missing) for name, moved in ordered)
    return Pulls(axis.count(reference, of), axis.count(_figure(prediction), of), of, bars)


def longest(predictions: Sequence[Mapping[str, Any]]) -> float:
    """The most that any input moves any of these, as a probability."""
    return max((abs(moved) for one in predictions for moved in points(one)[1].values()), default=0.0)


def _figure(prediction: Mapping[str, Any]) -> float:
    found = prediction["probability"] if "probability" in prediction else prediction["missingRange"]["low"]
    return min(max(float(found), 1e-9), 1 - 1e-9)


def _probability(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def _words(moved: float, of: int) -> str:
    """ "+8", "−0.4"; nothing for what rounds to none."""
    told = f"{abs(moved) * of:.0f}" if abs(moved) * of >= 9.95 else f"{abs(moved) * of:.1f}"
    return "" if float(told) == 0 else f"{'+' if moved > 0 else '−'}{told}"


def _bar(moved: float, longest: float) -> Markup:
    part = moved / longest if longest else 0.0
    width = round(abs(part) * 96, 1)
    start, kind = (100.0, "more") if part >= 0 else (round(100 - width, 1), "less")
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

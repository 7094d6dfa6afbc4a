"""What a model says of one patient: a probability or points, with its explanation; or what it lacks."""

from __future__ import annotations

from typing import Literal

import msgspec

from models_onnx.recalibration import Recalibration

# "range": an input that rests on a list could have several values, so there is no single number (open_inputs.py).
ScoreStatus = Literal["computed", "score-only", "range", "not-computable", "out-of-scope"]
InputValue = float | bool | str


class Contribution(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """How one input moves the logit (or the points) away from the model's reference."""

    input: str
    log_odds: float


class PublishedRate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The rate that a publication reports for this number of points (0 to 1)."""

    source: str
    probability: float
    low: float | None = None
    high: float | None = None


class Range(msgspec.Struct, frozen=True, gc=False):
    """From the lowest to the highest probability (0 to 1) that missing inputs could give."""

    low: float
    high: float


class PointsRange(msgspec.Struct, frozen=True, gc=False):
    """From the lowest to the highest number of points that open inputs could give.

    The rates that publications report for either end.
    """

    low: float
    high: float
    rates_low: tuple[PublishedRate, ...] = ()
    rates_high: tuple[PublishedRate, ...] = ()


class Score(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One model's answer. `contributions` sum to the logit minus `reference_logit`; empty for points.

    A "range" has `missing_range` or `points_range` in the place of a number, the contributions of what is known, and
    `depends_on`: the inputs that are not settled, the one that matters most first.

    After a `recalibration` (recalibrated.py) all of these are its figures, and `raw_probability` is the model's own.
    """

    model: str
    version: str
    sha256: str
    outcome: str
    horizon: str
    status: ScoreStatus
    horizon_days: int | None = None
    probability: float | None = None
    logit: float | None = None
    reference_logit: float | None = None
    low: float | None = None
    high: float | None = None
    contributions: tuple[Contribution, ...] = ()
    points: float | None = None
    maximum_points: float | None = None
    points_range: PointsRange | None = None
    depends_on: tuple[str, ...] = ()
    published_rates: tuple[PublishedRate, ...] = ()
    missing_range: Range | None = None
    reason: str | None = None
    needs: tuple[str, ...] = ()
    raw_probability: float | None = None
    recalibration: Recalibration | None = None

    @property
    def has_figure(self) -> bool:
        """Whether it tells a probability, or from where to where it lies."""
        return self.status == "computed" or (self.status == "range" and self.points_range is None)

    @property
    def has_points(self) -> bool:
        """Whether it tells points, or from where to where they lie."""
        return self.status == "score-only" or self.points_range is not None

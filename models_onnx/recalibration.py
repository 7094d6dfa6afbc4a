"""One hospital's correction of one version of a model: recalibrated logit = intercept + slope · logit.

The graph never changes (R-F08): the correction is applied to what it says, and both figures are recorded (R-F11).
It is bound to the graph by its sha256, so that another version of the model starts without one.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import msgspec


class RecalibrationError(Exception):
    """A recalibration that cannot be fitted, approved or used; the message says why."""


class Recalibration(msgspec.Struct, frozen=True, kw_only=True):
    """`intercept` in log-odds, `slope` without unit, `covariance` theirs: (intercept, both, slope).

    `peer_shift`: the log-odds by which the published peers' figures are moved so that, over the cases fitted on,
    they add up to the events observed here; None where too few of these had a peer figure, and then none is told.
    Fitted on `n` operations with `events` events, from `first` to `last` day. `id` is opaque, `number` counts a
    hospital's recalibrations of a model.
    """

    id: str
    number: int
    model: str
    version: str
    sha256: str
    outcome: str
    intercept: float
    slope: float
    covariance: tuple[float, float, float]
    peer_shift: float | None
    n: int
    events: int
    first: datetime.date
    last: datetime.date
    approved_on: datetime.date | None = None

    def logit(self, raw: float) -> float:
        """The recalibrated logit of a model's own."""
        return self.intercept + self.slope * raw

    def variance(self, raw: float) -> float:
        """How unsure intercept and slope leave the recalibrated logit, in log-odds squared."""
        intercept, both, slope = self.covariance
        return max(0.0, intercept + 2 * raw * both + raw * raw * slope)


BySha256 = Mapping[str, Recalibration]

"""The figures that are watched, as monitors.yaml has them, and how often each may alarm by chance."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from models_onnx import data_files
from models_onnx.data_files import DataFileError

FILE = Path(__file__).with_name("monitors.yaml")
Chart = Literal["ewma", "swift", "daily", "psi", "cusum"]
# Days with operations in a week, for charts that are judged each day.
DAYS = 5
# What a week adds to an EWMA: a shift of two deviations is seen soonest with 0.3, a fault of four with 0.5.
WEIGHTS = {"ewma": 0.3, "swift": 0.5, "daily": 1.0}


class Monitor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One figure; `share`: what part of the false alarms (percent) its charts spend together."""

    name: str
    heading: str
    layer: Literal["integrity", "performance", "impact"]
    owner: str
    review: Literal["day", "week", "month", "quarter"]
    chart: Chart
    share: float
    rule: str
    action: str
    cannot_see: str


class Monitors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of them; one false alarm of any is borne in so many weeks, by chance alone in `reserve` times as many."""

    weeks_per_false_alarm: float
    reserve: float
    figures: tuple[Monitor, ...]

    def figure(self, name: str) -> Monitor:
        """The figure of this name."""
        return next(one for one in self.figures if one.name == name)

    def nominal(self, name: str, series: int) -> float:
        """The run length that each of so many series of a figure has: in weeks, of a daily chart in days.

        In steps of 5 %, upwards, so that one limit serves many charts.
        """
        figure = self.figure(name)
        periods = self.weeks_per_false_alarm * self.reserve * (DAYS if figure.chart == "daily" else 1)
        wanted = periods * 100 / figure.share * max(series, 1)
        return float(round(1.05 ** math.ceil(math.log(wanted, 1.05) - 1e-9), 3))


@cache
def monitors(path: Path = FILE) -> Monitors:
    """The file; DataFileError where a member is missing, unknown or empty, or the shares do not sum to 100."""
    found = data_files.read_yaml(path, Monitors)
    names = [one.name for one in found.figures]
    if len(set(names)) != len(names):
        raise DataFileError(f"{path}: a figure is named twice")
    for one in found.figures:
        if not all(getattr(one, name) for name in Monitor.__struct_fields__):
            raise DataFileError(f"{path}: {one.name} lacks something")
    if (
        (total := sum(one.share for one in found.figures)) != 100
        or found.weeks_per_false_alarm <= 0
        or found.reserve < 1
    ):
        raise DataFileError(f"{path}: the shares sum to {total:g}, not to 100")
    return found

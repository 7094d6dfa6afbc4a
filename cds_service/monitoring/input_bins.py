"""The values of one input by week and part; what its first values are decides the parts."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime

import numpy as np

from cds_service.monitoring import input_drift
from cds_service.monitoring.judging import Streams

Order = tuple[int, datetime, str]  # the week of an operation, and its first call by instant and id


def _first() -> int:
    """Of so many values the parts are made."""
    return 2 * input_drift.FEWEST_BEFORE


class InputBins:
    """Values as they come, in any order; those of the first weeks wait until it is known which are the first."""

    def __init__(self, weeks: int) -> None:
        self._weeks = weeks
        self._waiting: list[tuple[Order, float]] = []
        self._cuts: list[float] | None = None
        self._counts: list[list[float]] = []

    def add(self, order: Order, value: float) -> None:
        """The value of one operation."""
        if self._cuts is None:
            self._waiting.append((order, value))
        else:
            self._counts[order[0]][bisect_left(self._cuts, value)] += 1

    def settle(self, before: int) -> None:
        """Nothing comes any more of weeks before this one."""
        if self._cuts is None and len(self._waiting) >= _first():
            settled = sorted(one for one in self._waiting if one[0][0] < before)
            if len(settled) >= _first():
                self._cut(settled)

    def streams(self) -> Streams | None:
        """How many values of each week lie in each part; None where they are too few to be judged."""
        if self._cuts is None:
            if len(self._waiting) < input_drift.FEWEST_BEFORE + input_drift.FEWEST:
                return None
            self._cut(sorted(self._waiting))
        counts = np.array([self._counts])
        return Streams("bins", counts, counts.sum(axis=2))

    def _cut(self, ordered: list[tuple[Order, float]]) -> None:
        first = np.array([value for _, value in ordered[: _first()]])
        self._cuts = [float(one) for one in input_drift.edges(first)]
        self._counts = [[0.0] * (len(self._cuts) + 1) for _ in range(self._weeks)]
        waiting, self._waiting = self._waiting, []
        for order, value in waiting:
            self.add(order, value)

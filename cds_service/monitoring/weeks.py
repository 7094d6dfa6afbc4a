"""The whole weeks of a record, and what is counted of each stream in them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

import msgspec
import numpy as np

from cds_service.monitoring.judging import Streams

_DAYS_OF_WEEK = 7


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One stream of one figure: `label` tells it from the others; a period is a week, or a day of `by_day`."""

    figure: str
    label: str
    streams: Streams
    by_day: bool = False


class Weeks(msgspec.Struct, frozen=True):
    """The whole weeks that are looked at: the Monday of the first, and how many."""

    first: date
    count: int

    def place(self, day: date) -> int | None:
        """Which of them the day lies in."""
        number = (day - self.first).days // _DAYS_OF_WEEK
        return number if 0 <= number < self.count else None

    def day(self, day: date) -> int | None:
        """Which of their days it is."""
        number = (day - self.first).days
        return number if 0 <= number < self.count * _DAYS_OF_WEEK else None

    def monday(self, number: int) -> date:
        """The Monday of one of them."""
        return self.first + timedelta(days=_DAYS_OF_WEEK * number)


def weeks(first: date | None, *, today: date) -> Weeks:
    """From the week of the first call to the last week that is over."""
    monday = monday_of(first or today)
    return Weeks(monday, max(0, (today - monday).days // _DAYS_OF_WEEK))


def monday_of(day: date) -> date:
    """The Monday of its week."""
    return day - timedelta(days=day.weekday())


Kind = Literal["share", "level", "count"]


class Sums:
    """By stream so much of so many, for each week or day: all that is held of calls and operations once they are read.

    A stream stands in the order in which it was named first.
    """

    def __init__(self, over: Weeks) -> None:
        self._over = over
        self._of: dict[tuple[str, str], _Sum] = {}

    def name(self, figure: str, label: str = "", *, kind: Kind = "share", by_day: bool = False) -> None:
        """A stream that is told even where nothing is counted of it."""
        if (figure, label) not in self._of:
            periods = self._over.count * (_DAYS_OF_WEEK if by_day else 1)
            self._of[figure, label] = _Sum(kind, by_day, [0.0] * periods, [0.0] * periods)

    def add(self, figure: str, label: str, day: date, value: float) -> None:
        """One more in the period of that day, with this value; outside of the weeks nothing."""
        of = self._of[figure, label]
        place = self._over.day(day) if of.by_day else self._over.place(day)
        if place is not None:
            of.first[place] += value
            of.totals[place] += 1

    def labels(self, figure: str) -> tuple[str, ...]:
        """The streams of a figure."""
        return tuple(label for name, label in self._of if name == figure)

    def series(self, figure: str, label: str = "") -> Series:
        """One stream that was named."""
        of = self._of[figure, label]
        streams = Streams(of.kind, np.array([of.first]), np.array([of.totals]))
        return Series(figure=figure, label=label, streams=streams, by_day=of.by_day)


class _Sum(msgspec.Struct, frozen=True, gc=False):
    kind: Kind
    by_day: bool
    first: list[float]
    totals: list[float]

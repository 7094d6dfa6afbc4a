"""The operations that count for charts of outcomes, in a few numbers each: what grows with a record, and how little."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np

from cds_service.follow_up import maturity
from cds_service.monitoring.outcome_series import Outcomes, Scored

FEWEST = 50  # operations of a group before it has a chart


class OutcomeTally:
    """Operations as they are added, in any order: how many stand how, and of those that count a few numbers each."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._of: dict[str, _Columns] = {}

    def add(self, one: Scored, number: int) -> None:
        """An operation that one model scored; `number`: which call of the record told it, for those that are alike."""
        of = self._of.setdefault(one.outcome, _Columns())
        standing = one.standing(self._today)
        of.standings[standing] += 1
        if standing == "counts":
            of.add(one, number)

    def outcomes(self) -> tuple[str, ...]:
        """Those of which any operation was scored, by name."""
        return tuple(sorted(self._of))

    def standings(self) -> dict[str, dict[str, int]]:
        """By outcome how many operations count, and how many do not and why."""
        return {outcome: dict(self._of[outcome].standings) for outcome in self.outcomes()}

    def numbers(self) -> Counter[str]:
        """By figure how many streams there are."""
        return Counter(figure for of in self._of.values() for figure, _, _ in of.groups(of.everybody()))

    def charts(self) -> Iterator[Outcomes]:
        """The streams of each outcome, and of its groups by sex and by age, that have enough operations; one by one."""
        for outcome in self.outcomes():
            yield from self._of[outcome].charts(outcome)


class _Columns:
    """The operations of one outcome that count, 29 bytes each."""

    def __init__(self) -> None:
        self.standings: Counter[str] = Counter()
        self._days, self._countable, self._numbers = array("i"), array("i"), array("q")
        self._risks, self._happened = array("d"), array("b")
        self._sexes, self._ages = array("H"), array("H")
        self._names: list[str] = []

    def add(self, one: Scored, number: int) -> None:
        self._days.append(one.day.toordinal())
        self._countable.append(maturity.countable_from(one.day, horizon_days=one.horizon_days).toordinal())
        self._numbers.append(number)
        self._risks.append(one.risk)
        self._happened.append(maturity.happened(one.known, horizon_days=one.horizon_days))
        for codes, name in ((self._sexes, one.sex), (self._ages, one.age_band)):
            if name not in self._names:
                self._names.append(name)
            codes.append(self._names.index(name))

    def everybody(self) -> Any:
        """Their places, by day, risk and number."""
        return np.lexsort((np.array(self._numbers), np.array(self._risks), np.array(self._days)))

    def groups(self, order: Any) -> list[tuple[str, str, Any]]:
        """Figure, label and places of each stream: all, then the groups by who comes first."""
        sexes, ages = np.array(self._sexes)[order], np.array(self._ages)[order]
        masks = [(name, (sexes == code) | (ages == code)) for code, name in enumerate(self._names)]
        masks.sort(key=lambda one: (int(one[1].argmax()), self._names[sexes[one[1].argmax()]] != one[0]))
        found = [("calibration", "", order), *(("subgroups", name, order[mask]) for name, mask in masks)]
        return [one for one in found if len(one[2]) >= FEWEST]

    def charts(self, outcome: str) -> Iterator[Outcomes]:
        days, countable = np.array(self._days, dtype=np.int64), np.array(self._countable, dtype=np.int64)
        risks, happened = np.array(self._risks), np.array(self._happened, dtype=float)
        for figure, label, places in self.groups(self.everybody()):
            first = date.fromordinal(int(days[places[0]]))
            monday = first.toordinal() - first.weekday()
            yield Outcomes(
                figure=figure,
                outcome=outcome,
                label=label,
                risks=risks[places],
                happened=happened[places],
                weeks=(days[places] - monday) // 7,
                countable=np.maximum.accumulate(countable[places]),
                first_monday=date.fromordinal(monday),
            )

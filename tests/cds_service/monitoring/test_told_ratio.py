"""No ratio of observed to predicted is told without its interval."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cds_service.measures import agreement
from cds_service.monitoring import told_tables


def ratio(happened: int, n: int, expected: float) -> str:
    of: Any = SimpleNamespace(observed=(("30-day-death", "", n, happened, expected),))
    (row,) = told_tables.observed(of)
    return row[-1]


@pytest.mark.parametrize(("happened", "n", "expected"), [(12, 60, 9.0), (100, 1000, 130.0), (10, 5000, 10.0)])
def test_a_ratio_has_the_interval_of_its_events(happened: int, n: int, expected: float) -> None:
    told = re.fullmatch(r"([\d.]+) \(([\d.]+) to ([\d.]+)\)", ratio(happened, n, expected))
    assert told is not None
    value, low, high = map(float, told.groups())
    y = np.array([1.0] * happened + [0.0] * (n - happened))
    exact = agreement.observed_to_expected(y, np.full(n, expected / n))
    assert value == pytest.approx(happened / expected, abs=0.005)
    assert low == pytest.approx(exact.low, rel=0.15)
    assert high == pytest.approx(exact.high, rel=0.15)


def test_of_few_events_no_ratio_is_told() -> None:
    assert ratio(9, 60, 9.0) == told_tables.HIDDEN

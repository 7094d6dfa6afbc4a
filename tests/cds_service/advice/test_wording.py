"""A number is told once, in plain words, without false precision."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cds_service.advice import wording


@pytest.mark.parametrize(
    ("probability", "denominator", "words"),
    [
        (0.008187, 1000, "about 8 in 1,000"),
        (0.0085, 1000, "about 9 in 1,000"),
        (0.001, 1000, "about 1 in 1,000"),
        (0.000925, 1000, "fewer than 1 in 1,000"),
        (0.0, 1000, "fewer than 1 in 1,000"),
        (0.143, 100, "about 14 in 100"),
        (0.0099, 100, "fewer than 1 in 100"),
        (1.0, 100, "about 100 in 100"),
    ],
)
def test_a_risk_is_a_natural_frequency_in_a_fixed_denominator(probability: float, denominator: int, words: str) -> None:
    assert wording.frequency(probability, denominator) == words


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.008187, "0.82 %"),
        (0.000925, "0.09 %"),
        (0.004, "0.4 %"),
        (0.00001, "under 0.05 %"),
        (0.0142, "1.4 %"),
        (0.143, "14 %"),
        (0.0999, "10.0 %"),
        (0.1, "10 %"),
    ],
)
def test_a_percentage_has_no_more_digits_than_it_deserves(probability: float, words: str) -> None:
    assert wording.percent(probability) == words


def test_a_date_is_told_in_the_zone_of_the_hospital() -> None:
    late = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
    assert wording.date(late, ZoneInfo("America/New_York")) == "19 Nov 2026"
    assert wording.minute(late, ZoneInfo("UTC")) == "20 Nov 2026 02:30 UTC"

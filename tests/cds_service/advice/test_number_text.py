"""A number is told once, in plain words, without false precision."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cds_service.advice import number_text


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
    assert number_text.frequency(probability, denominator) == words


@pytest.mark.parametrize(
    ("probability", "denominator", "words"),
    [
        (0.008187, 1000, "0.82 %"),
        (0.000925, 1000, "0.09 %"),
        (0.00001, 1000, "under 0.05 %"),
        (0.0142, 1000, "1.4 %"),
        (0.0999, 1000, "10.0 %"),
        (0.143, 1000, "14 %"),
        (0.143, 100, "14 %"),
        (0.0142, 100, "1 %"),
        (0.0099, 100, "under 1 %"),
    ],
)
def test_a_percentage_is_no_finer_than_its_natural_frequency(probability: float, denominator: int, words: str) -> None:
    assert number_text.percent(probability, denominator) == words


def test_a_day_of_this_year_is_told_without_the_year() -> None:
    today = datetime(2026, 11, 24, tzinfo=ZoneInfo("UTC"))
    assert number_text.day(datetime(2026, 11, 3, tzinfo=UTC), today) == "3 Nov"
    assert number_text.day(datetime(2025, 11, 3, tzinfo=UTC), today) == "3 Nov 2025"


def test_a_date_is_told_in_the_zone_of_the_hospital() -> None:
    late = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
    assert number_text.date(late, ZoneInfo("America/New_York")) == "19 Nov 2026"
    assert number_text.minute(late, ZoneInfo("UTC")) == "20 Nov 2026 02:30 UTC"


def test_a_number_is_one_word_and_a_mark_between_two_is_none() -> None:
    assert number_text.words("Of 1,000 such patients: death 8 (usual 8) · pneumonia 4–19.") == 10

"""The rule of card and warning to the limit itself (DEC-39)."""

from __future__ import annotations

import pytest

from cds_service.advice.outcomes import OUTCOMES
from cds_service.tenants import speaking


@pytest.mark.parametrize(
    ("probability", "usual", "ratio", "reaches"),
    [
        (0.16, 0.16, 1.0, True),  # at its limit, and the usual
        (0.1599, 0.01, 1.0, False),  # far above the usual, and still rare: the ratio never decides alone
        (0.20, 0.21, 1.0, False),  # above its limit, and less than usual
        (0.20, 0.13, 1.5, True),
        (0.19, 0.13, 1.5, False),
        (0.32, 0.47, 1.0, True),  # high for anybody, whatever is usual
        (0.31, None, 1.0, False),  # nothing to compare with: only twice the limit counts
        (0.32, None, 1.0, True),
    ],
)
def test_a_risk_is_spoken_of_where_it_is_high_for_anybody_or_high_and_not_the_usual(
    probability: float, usual: float | None, ratio: float, reaches: bool
) -> None:
    assert speaking.reaches(probability, 0.16, usual=usual, ratio=ratio) == reaches


@pytest.mark.parametrize("of", [100, 1000])
def test_a_risk_at_so_many_times_the_usual_counts_whatever_the_usual_is(of: int) -> None:
    """Also where 1.5 * 0.2 is 0.30000000000000004."""
    for usual in range(11 * of // 100, 21 * of // 100, 2):
        assert speaking.reaches(usual * 3 / (2 * of), 0.16, usual=usual / of, ratio=1.5), usual
        assert not speaking.reaches(usual * 3 / (2 * of) - 1e-6, 0.16, usual=usual / of, ratio=1.5), usual
        assert speaking.reaches(2 * (usual / of), usual / of, usual=None, ratio=1.0)


def test_more_risk_is_never_less_spoken_of() -> None:
    for usual in (None, 0.01, 0.16, 0.3, 0.9):
        found = [speaking.reaches(k / 200, 0.16, usual=usual, ratio=1.0) for k in range(201)]
        assert found == sorted(found)


def test_every_outcome_that_may_head_a_card_has_a_floor() -> None:
    assert list(speaking.CARD_FLOORS) == [outcome.name for outcome in OUTCOMES if outcome.may_head]


def test_what_is_warned_of_has_a_card() -> None:
    least = {"rare": speaking.WARNING_RARE, "common": speaking.WARNING_COMMON}
    for outcome in OUTCOMES:
        if outcome.may_head:
            assert speaking.CARD_FLOORS[outcome.name] <= least[outcome.frequency]
    assert speaking.CARD_RATIO <= speaking.WARNING_RATIO

"""How far lists were seen: a gap of one is a gap of all that a match may come from (inputs 1.1)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from fhir_mappings.fhir.coverage import NOT_UNDERSTOOD, Coverage, together

WHOLE = Coverage()


@pytest.mark.parametrize(
    ("gap", "reason"),
    [
        (Coverage(failure="fetch-failed"), "fetch-failed"),
        (Coverage(truncated=True), "truncated"),
        (Coverage(unclear=1), NOT_UNDERSTOOD),
    ],
)
def test_one_list_with_a_gap_suffices_in_any_order(gap: Coverage, reason: str) -> None:
    assert WHOLE.gap is None
    assert together((WHOLE, gap)).gap == together((gap, WHOLE)).gap == reason


def test_what_is_told_beside_a_match_adds_up() -> None:
    both = together((Coverage(truncated=True), Coverage(partial=True)))
    assert both.flags == ("truncated", "partial")


def test_what_is_over_is_no_gap_for_what_is_current() -> None:
    one = Coverage(unclear=3, unclear_now=1)
    assert (one.of_current.unclear, one.of_current.unclear_now) == (1, 1)
    assert Coverage(unclear=2).of_current.gap is None


@pytest.mark.parametrize(("entries", "left"), [(0, (3, 2)), (1, (2, 2)), (2, (1, 1)), (3, (0, 0)), (9, (0, 0))])
def test_entries_that_could_not_make_it_true_are_no_gap(entries: int, left: tuple[int, int]) -> None:
    found = Coverage(unclear=3, unclear_now=2).without(entries)
    assert (found.unclear, found.unclear_now) == left


@pytest.mark.parametrize(
    ("days", "left", "flags"),
    [(4, 1, ("partial",)), (5, 2, ("partial",)), (99, 2, ("partial",)), (100, 3, ("partial",))],
)
def test_what_is_longer_ago_than_a_window_is_no_gap_of_it(days: int, left: int, flags: tuple[str, ...]) -> None:
    """Of three gaps one is of no day that is known."""
    found = Coverage(partial=True, unclear=3, unclear_now=3, ages=(5, 99.5)).within(days)
    assert (found.unclear, found.unclear_now, found.flags) == (left, left, flags)
    dated = Coverage(partial=True, unclear=2, unclear_now=2, ages=(5, 99.5))
    assert (dated.within(4).gap, dated.within(4).flags) == (None, ())
    assert replace(dated, cut=True).within(4).flags == ("partial",)

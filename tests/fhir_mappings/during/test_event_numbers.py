"""Which events are missing: what a set of numbers says, whatever came in whatever order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.during.event_numbers import MOST_AHEAD, EventNumbers

NUMBERS = st.integers(min_value=1, max_value=60)
STEPS = st.lists(st.one_of(st.tuples(st.just("told"), NUMBERS), st.tuples(st.just("taken"), NUMBERS)), max_size=60)


@given(STEPS)
def test_missing_is_what_was_told_of_and_not_taken(steps: list[tuple[str, int]]) -> None:
    numbers, told, taken = EventNumbers(), 0, set[int]()
    for what, number in steps:
        told = max(told, number)
        if what == "told":
            numbers = numbers.with_told(number)
        else:
            taken.add(number)
            numbers = numbers.with_taken([(number, number)])
    missing = {number for first, last in numbers.missing for number in range(first, last + 1)}
    assert missing == set(range(1, told + 1)) - taken
    assert numbers.told == told


def test_what_is_taken_far_ahead_in_too_many_places_is_asked_for_again_and_nothing_is_forgotten() -> None:
    numbers = EventNumbers()
    for number in range(2, 1000, 2):
        numbers = numbers.with_taken([(number, number)])
    assert len(numbers.ahead) == MOST_AHEAD
    missing = {number for first, last in numbers.missing for number in range(first, last + 1)}
    assert set(range(1, 999, 2)) <= missing


def test_a_range_of_any_length_costs_nothing() -> None:
    numbers = EventNumbers().with_told(2**63 - 1).with_taken([(5, 2**62)])
    assert numbers.missing == ((1, 4), (2**62 + 1, 2**63 - 1))

"""A newer statement about an outcome: time went on, or somebody was wrong; nothing is overwritten by less."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.records.outcome_changes import Statement, agreed, change, together

JANUARY, FEBRUARY, MARCH = date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)
NO, YES = Statement(False), Statement(True)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (None, NO, "new"),
        (NO, NO, "unchanged"),
        (YES, YES, "unchanged"),
        (NO, YES, "correction"),
        (YES, NO, "correction"),
        (Statement(False, None, JANUARY), Statement(False, None, MARCH), "later"),
        (Statement(False, None, MARCH), Statement(False, None, JANUARY), "unchanged"),
        (Statement(False, None, MARCH), NO, "unchanged"),
        (NO, Statement(False, None, MARCH), "later"),
        # A late outcome: nothing through January, then one in February.
        (Statement(False, None, JANUARY), Statement(True, FEBRUARY, MARCH), "later"),
        (Statement(True, FEBRUARY, MARCH), Statement(False, None, JANUARY), "unchanged"),
        # It was said that nothing happened through March.
        (Statement(False, None, MARCH), Statement(True, FEBRUARY, MARCH), "correction"),
        (Statement(True, FEBRUARY, MARCH), Statement(False, None, MARCH), "correction"),
        (Statement(False, None, JANUARY), YES, "correction"),
        (Statement(True, FEBRUARY), Statement(True, MARCH), "correction"),
        (YES, Statement(True, MARCH), "later"),
        (Statement(False, operated_on=JANUARY), Statement(False, operated_on=FEBRUARY), "correction"),
        (Statement(False, None, JANUARY, JANUARY), Statement(True, FEBRUARY, MARCH, FEBRUARY), "correction"),
        (NO, Statement(False, operated_on=FEBRUARY), "later"),
    ],
)
def test_what_a_newer_statement_does(before: Statement | None, now: Statement, expected: str) -> None:
    assert change(before, now) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([NO, NO], NO),
        ([NO, YES], None),
        ([Statement(True, FEBRUARY, MARCH), Statement(False, None, JANUARY)], Statement(True, FEBRUARY, MARCH)),
        ([Statement(False, None, JANUARY), Statement(True, FEBRUARY, MARCH)], Statement(True, FEBRUARY, MARCH)),
        ([Statement(False, None, JANUARY), Statement(False, None, MARCH)], Statement(False, None, MARCH)),
        ([Statement(True, FEBRUARY), Statement(True, MARCH)], None),
    ],
)
def test_what_two_calls_about_one_operation_say_together(said: list[Statement], expected: Statement | None) -> None:
    assert agreed(said) == expected
    assert agreed(said[::-1]) == expected


day = st.one_of(st.none(), st.sampled_from([JANUARY, FEBRUARY, MARCH]))
statements = st.builds(Statement, st.just(False), st.none(), day, day) | st.builds(
    Statement, st.just(True), day, day, day
)


@given(statements, statements)
def test_nothing_that_was_known_is_lost_where_it_is_no_correction(before: Statement, now: Statement) -> None:
    if change(before, now) == "correction":
        return
    after = together(before, now)
    assert change(after, before) in ("unchanged", "correction" if after.occurred != before.occurred else "unchanged")
    assert change(after, now) == "unchanged"
    assert after.occurred >= before.occurred
    for name in ("occurred_on", "operated_on"):
        assert getattr(after, name) == (getattr(now, name) or getattr(before, name))

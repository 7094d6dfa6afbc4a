"""Each outcome has one denominator, its own words, and models that are served."""

from __future__ import annotations

import pytest

from cds_service.advice.outcomes import BY_NAME, OUTCOMES, Outcome
from tests.cds_service.advice import people


def test_on_a_tie_the_order_is_death_any_complication_cardiac_respiratory() -> None:
    assert [outcome.name for outcome in OUTCOMES][:4] == [
        "30-day-death",
        "any-complication",
        "cardiac-arrest-or-mi",
        "respiratory-failure",
    ]


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.name)
def test_every_outcome_has_its_words(outcome: Outcome) -> None:
    assert outcome.words
    assert outcome.short
    assert outcome.heading[0].isupper()


def test_every_served_model_belongs_to_an_outcome_with_the_same_denominator() -> None:
    for card in people.models().cards:
        assert card.outcome in BY_NAME
        assert card.denominator == BY_NAME[card.outcome].denominator

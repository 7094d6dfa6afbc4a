"""What a surgeon can act on comes first, and the order for ten people is as it was read and agreed."""

from __future__ import annotations

import pytest

from cds_service.advice.choice import CATALOGUE
from cds_service.advice.operation_attributes import attributes
from cds_service.advice.options import Policy
from tests.acceptance import golden, golden_ranking
from tests.acceptance.golden import WITH_A_CARD
from tests.acceptance.golden_ranking import TEN
from tests.cds_service.advice import people
from tests.cds_service.advice.rows import CASES
from tests.cds_service.advice.test_choice import MANY

ACTING = {row.id for row in CATALOGUE.rows if row.acts}
EVERY = Policy(maximum=99)


def test_the_ranking_is_as_it_was_agreed() -> None:
    assert golden_ranking.written() == golden_ranking.FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize("row", sorted(ACTING))
@pytest.mark.parametrize("others", [(), MANY], ids=["alone", "among many"])
def test_a_finding_to_act_on_stands_before_every_test_and_screen(
    row: str, others: tuple[dict[str, object], ...]
) -> None:
    ids = [one.id for one in people.options(*CASES[row].person, *others, policy=EVERY)]
    first_other = next((place for place, name in enumerate(ids) if name not in ACTING), len(ids))
    assert all(name in ACTING for name in ids[:first_other])
    assert not ACTING & set(ids[first_other:])
    assert ids[0] in ACTING


@pytest.mark.parametrize("name", sorted(WITH_A_CARD))
def test_a_warning_before_surgery_that_preference_decides_offers_a_talk_about_it(name: str) -> None:
    person = WITH_A_CARD[name]
    _, planned = golden.planned_for(person)
    assert isinstance(planned, tuple)
    warned = golden.card_of(person)[0].indicator == "warning"
    if warned and "preference-sensitive" in attributes(planned[0].group):
        told = golden_ranking.order_of(person, Policy())
        assert any(one.startswith("Consider a shared-decision talk") for one in told)


def test_HbA1c_above_the_limit_and_smoking_are_on_the_card_of_who_has_both() -> None:
    told = golden_ranking.order_of(TEN["smoking-and-sugar"], Policy())
    assert told[0].startswith("Consider a referral for glucose control")
    assert told[1].startswith("Consider a referral to a stop-smoking clinic")

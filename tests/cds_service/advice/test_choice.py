"""A card offers at most three things, what could change the estimate first, and nothing twice."""

from __future__ import annotations

from cds_service.advice.options import Policy
from tests.builders import a_condition, a_medication_request, an_observation
from tests.cds_service.advice import people
from tests.cds_service.advice.rows import APIXABAN

MANY = (
    people.asa(3),
    a_condition("E11.9"),
    a_condition("I25.2"),
    a_medication_request(APIXABAN),
    an_observation("718-7", 10.9, "g/dL"),
)


def test_there_are_at_most_three() -> None:
    assert len(people.options(*MANY)) == 3
    assert len(people.options(*MANY, policy=Policy(maximum=99))) > 3


def test_how_many_more_hold_is_told_on_the_card() -> None:
    card = people.a_card(*MANY)
    every = people.options(*MANY, policy=Policy(maximum=99))
    assert f"**More options:** {len(every) - 3}, not shown here." in (card.detail or "")


def test_a_tenant_may_want_fewer() -> None:
    assert len(people.options(*MANY, policy=Policy(maximum=1))) == 1
    assert people.options(*MANY, policy=Policy(maximum=0)) == ()


def test_what_could_change_the_estimate_comes_first() -> None:
    without_asa = MANY[1:]
    found = people.options(*without_asa, policy=Policy(maximum=99))
    assert found[0].id == "input-asa_class"
    kinds = [option.could_change_estimate for option in found]
    assert kinds == sorted(kinds, reverse=True)
    assert not all(kinds)


def test_no_order_is_offered_twice() -> None:
    found = people.options(*MANY, policy=Policy(maximum=99))
    orders = [option.order for option in found if option.order is not None]
    assert len(orders) == len(set(orders))


def test_the_same_person_gets_the_same_options_in_the_same_order() -> None:
    assert people.options(*MANY) == people.options(*reversed(MANY))

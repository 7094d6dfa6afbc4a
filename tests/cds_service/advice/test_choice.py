"""A card offers at most three things, what could change the estimate first, and nothing twice."""

from __future__ import annotations

from cds_service.advice import choice
from cds_service.advice.choice import Advising, Chosen
from cds_service.advice.options import Policy
from tests.builders import Resource, a_condition, a_medication_request, a_record, an_observation
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
    every = people.options(*MANY, policy=Policy(maximum=99, one_draw=False))
    shown = sum(len(one.parts) or 1 for one in people.options(*MANY))
    assert f"**More options:** {len(every) - shown}, not shown here." in (card.detail or "")


def test_a_tenant_may_want_fewer() -> None:
    assert len(people.options(*MANY, policy=Policy(maximum=1))) == 1
    assert people.options(*MANY, policy=Policy(maximum=0)) == ()


def test_what_could_change_the_estimate_comes_first_of_what_asks_for_something() -> None:
    acting = {row.id for row in choice.CATALOGUE.rows if row.acts}
    without_asa = MANY[1:]
    found = [one for one in people.options(*without_asa, policy=Policy(maximum=99)) if one.id not in acting]
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


def test_DEC_39_a_finding_of_the_short_list_opens_a_card_even_where_three_others_are_shown() -> None:
    out_of_control = (people.asa(2), a_condition("E11.9"), people.result("4548-4", 9.1, "%"))
    for maximum in (3, 0):
        assert chosen(*out_of_control, maximum=maximum).opens


def test_DEC_39_what_is_missing_and_a_routine_test_open_nothing() -> None:
    for resources in ((), (people.asa(2),), (people.asa(2), people.smoker()), (a_condition("E11.9"),)):
        found = chosen(*resources, maximum=3)
        assert found.options
        assert not found.opens


def test_a_row_that_a_tenant_switched_off_opens_nothing() -> None:
    found = chosen(a_condition("I20.0"), maximum=3)
    assert found.opens
    assert not chosen(a_condition("I20.0"), maximum=3, off=frozenset({"cardiology"})).opens


def chosen(*resources: Resource, maximum: int, off: frozenset[str] = frozenset()) -> Chosen:
    record = a_record(*resources)
    policy = Policy(maximum=maximum, off=off)
    return choice.for_patient(people.assessed(record), record, [], advising=Advising(policy=policy, codes=people.CODES))

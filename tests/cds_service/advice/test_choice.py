"""A card offers at most three things, what could change the estimate first, and nothing twice."""

from __future__ import annotations

import pytest

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


EACH = Policy(maximum=99, one_draw=False)


def test_what_could_change_the_estimate_comes_after_what_was_found_and_before_all_that_is_routine() -> None:
    grades = {row.id: row.grade for row in choice.CATALOGUE.rows if not row.acts}
    without_asa = MANY[1:]
    found = [one for one in people.options(*without_asa, policy=EACH) if one.id in {*grades, "input-asa_class"}]
    ids = [one.id for one in found]
    place = ids.index("input-asa_class")
    assert set(ids[:place]) == {"hba1c", "ferritin"}  # a diabetes and an anaemia that are recorded
    assert {grades[one] for one in ids[:place]} == {"recommended"}
    kinds = [option.could_change_estimate for option in found[place:]]
    assert kinds == sorted(kinds, reverse=True)
    assert not all(kinds)


def test_what_rests_on_age_alone_never_comes_before_what_is_missing() -> None:
    ids = [one.id for one in people.options(policy=EACH)]
    assert ids[0].startswith("input-")


HEART, BLEEDING = a_condition("I20.0"), (a_medication_request(APIXABAN), a_medication_request("32968"))
SUGAR_PILL = a_medication_request("1545653")


def test_of_equal_evidence_the_heart_comes_first_and_then_bleeding() -> None:
    """The one that comes fourth is not on the card."""
    ids = [one.id for one in people.options(people.asa(3), HEART, *BLEEDING, SUGAR_PILL, policy=EACH)]
    assert ids[:4] == ["cardiology", "doac-plan", "p2y12-plan", "sglt2-plan"]


@pytest.mark.parametrize("threat", ["heart", "bleeding"])
def test_every_row_of_such_a_threat_is_told_before_the_others_of_its_grade(threat: str) -> None:
    rows = [row for row in choice.CATALOGUE.rows if row.threat == threat]
    assert rows
    assert all(row.acts and row.grade == "recommended" for row in rows)


def test_a_second_reason_for_one_referral_or_plan_is_told_without_a_second_order() -> None:
    both = {one.id: one.order for one in people.options(people.asa(3), *BLEEDING, policy=EACH)}
    assert both["doac-plan"] is not None
    assert both["p2y12-plan"] is None
    sugar_and_bones = (people.asa(3), people.result("4548-4", 9.1, "%"), a_condition("M81.0"))
    both = {one.id: one.order for one in people.options(*sugar_and_bones, policy=EACH)}
    assert both["glucose-referral"] is not None
    assert both["bone-clinic"] is None


def test_a_test_that_could_change_the_estimate_hides_the_row_that_repeats_it() -> None:
    ids = [one.id for one in people.options(people.asa(4), policy=EACH)]
    orders = [one.order for one in people.options(people.asa(4), policy=EACH)]
    assert ("basic-metabolic-panel" in ids) + ("input-creatinine" in ids) == orders.count("basic-metabolic-panel") <= 1


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

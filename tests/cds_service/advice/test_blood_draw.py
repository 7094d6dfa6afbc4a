"""Blood tests that hold at once are one option with one draft each; an EHR of one action gets one button each."""

from __future__ import annotations

import msgspec
import pytest

from cds_service.advice import blood_draw, choice
from cds_service.advice.choice import Advising
from cds_service.advice.options import Option, Policy
from cds_service.cards import cards, suggestions
from cds_service.cards.cards import Place
from cds_service.cards.dialects import DIALECTS, Dialect
from cds_service.hooks.card import Card
from fhir_mappings.orders.order_catalogue import LOCAL, ORDERABLES
from fhir_mappings.orders.order_codes import OrderCodes
from tests.builders import a_condition, a_record
from tests.cds_service.advice import people

EVERYTHING_ELSE = (people.asa(3), people.function("INDEPENDENT"), people.result("39156-5", 27, "kg/m2"))
ANAEMIC_DIABETIC = (
    *EVERYTHING_ELSE,
    people.result("718-7", 10.9, "g/dL"),
    people.result("2160-0", 0.9, "mg/dL"),
    a_condition("E11.9"),
    a_condition("I25.10"),
)
URL = "https://risk.example.org"
ONE_ACTION = msgspec.structs.replace(DIALECTS["generic"], several_actions=False)


def card_of(dialect: Dialect = DIALECTS["generic"], codes: OrderCodes = people.CODES) -> Card:
    return people.a_card(*ANAEMIC_DIABETIC, place=Place(public_url=URL, codes=codes, dialect=dialect))


EVERY = Policy(maximum=99)


def options(policy: Policy = EVERY) -> tuple[Option, ...]:
    return people.options(*ANAEMIC_DIABETIC, policy=policy)


def test_blood_tests_are_one_option_and_name_each_its_reason() -> None:
    (drawn,) = [one for one in options() if one.parts]
    assert len(drawn.parts) > 2
    assert not [one for one in options() if not one.parts and blood_draw.is_from_blood(one.order)]
    assert len(drawn.parts) <= blood_draw.MOST
    label = suggestions.sentence(drawn)
    assert label.startswith("Consider these blood tests: ")
    for part in drawn.parts:
        assert f"{blood_draw.named(part)} ({part.reason})" in label


def test_accepting_drafts_one_order_for_each_test() -> None:
    (drawn,) = [one for one in card_of().suggestions if len(one.actions) > 1]
    (option,) = [one for one in options() if one.parts]
    drafts = [action.resource or {} for action in drawn.actions]
    assert [draft["code"]["text"] for draft in drafts] == [ORDERABLES[one.order or ""].text for one in option.parts]
    assert [draft["reasonCode"][0]["text"] for draft in drafts] == [f"Before surgery: {p.reason}" for p in option.parts]
    assert all(draft["status"] == "draft" for draft in drafts)
    for action, part in zip(drawn.actions, option.parts, strict=True):
        assert suggestions.sentence(part) in action.description


def test_an_ehr_of_one_action_gets_a_button_for_each_and_still_three() -> None:
    card = card_of(ONE_ACTION)
    assert len(card.suggestions) == 3
    assert all(len(one.actions) == 1 for one in card.suggestions)
    assert "**More options:**" in (card.detail or "")


@pytest.mark.parametrize("dialect", [DIALECTS["generic"], ONE_ACTION])
def test_the_record_knows_every_button_by_its_row(dialect: Dialect) -> None:
    record = a_record(*ANAEMIC_DIABETIC)
    assessment = people.assessed(record)
    chosen = choice.for_patient(assessment, record, [], advising=Advising(codes=people.CODES))
    place = Place(public_url=URL, codes=people.CODES, dialect=dialect)
    card = cards.write(assessment, place, session=people.SESSION, chosen=chosen)
    found = suggestions.rules(card, chosen.options)
    assert (blood_draw.ID in found.values()) == dialect.several_actions
    assert suggestions.SAVE not in found.values()
    assert max(map(len, found.values())) <= 64


def test_what_the_site_cannot_order_stands_apart_in_words() -> None:
    """The button never names a test that it does not draft."""
    some = next(one for one in options() if one.parts).parts
    left = some[0]
    codes = _without(left.order or "")
    ordering = suggestions.Ordering(codes=codes, dialect=DIALECTS["generic"])
    found = suggestions.as_ordered([blood_draw.together(some)], ordering)
    assert [one.parts for one in found] == [some[1:], ()]
    assert found[1] == left


def test_a_single_blood_test_stands_as_it_is() -> None:
    alone = next(one for one in options() if one.parts).parts[0]
    assert blood_draw.together([alone]) is alone


def test_a_small_panel_tells_the_first_tests_and_counts_the_others() -> None:
    """Never a weaker option in its place."""
    small = msgspec.structs.replace(DIALECTS["oracle"], detail_limit=650)
    detail = card_of(small).detail or ""
    (drawn,) = [one for one in options() if one.parts]
    firsts = [blood_draw.together(drawn.parts[:most]) for most in range(1, len(drawn.parts))]
    assert any(suggestions.sentence(first) in detail for first in firsts)
    assert "**More options:**" in detail


def test_what_is_no_part_of_the_estimate_is_said_of_each() -> None:
    part = Option(id="a", consider="a test", reason="r", order="albumin", could_change_estimate=True)
    apart = Option(id="b", consider="a ferritin test", reason="s", order="ferritin")
    both = blood_draw.together([part, apart])
    assert suggestions.sentence(both) == (
        "Consider these blood tests: a test (r), a ferritin test (s). Not part of this estimate: Ferritin."
    )


def test_the_draw_stands_at_the_place_of_its_first_test() -> None:
    screen = Option(id="s", consider="a screen", reason="r", order="frailty-screen")
    ecg = Option(id="e", consider="an ECG", reason="r", order="ecg")
    one, two = (Option(id=name, consider=name, reason="r", order=name) for name in ("albumin", "hba1c"))
    assert blood_draw.gathered([ecg, one, screen, two]) == [(ecg,), (one, two), (screen,)]
    assert blood_draw.places([ecg, one, screen, two]) == {"e": 0, "albumin": 1, "s": 2, "hba1c": 1}


def test_a_test_too_many_is_counted_among_what_is_not_shown() -> None:
    record = a_record(*ANAEMIC_DIABETIC)
    apart = len(options(Policy(maximum=99, one_draw=False)))
    chosen = choice.for_patient(
        people.assessed(record), record, [], advising=Advising(policy=Policy(maximum=99), codes=people.CODES)
    )
    assert chosen.more == apart - sum(len(one.parts) or 1 for one in chosen.options)
    assert chosen.more > 0


def test_a_page_that_tells_the_evidence_of_each_keeps_them_apart() -> None:
    assert not any(one.parts for one in options(Policy(maximum=99, one_draw=False)))


def test_what_is_no_blood_test_is_none() -> None:
    """Nothing without a laboratory code is drawn; an ECG and a bone scan have one and are not."""
    assert not [one.name for one in ORDERABLES.values() if one.blood and one.system == LOCAL]
    assert not ORDERABLES["ecg"].blood
    assert not ORDERABLES["dxa"].blood


def _without(order: str) -> OrderCodes:
    ours = {(one.system, one.code): people.CODES.find(one.system, one.code) for one in ORDERABLES.values()}
    del ours[ORDERABLES[order].system, ORDERABLES[order].code]
    return OrderCodes({pair: code for pair, code in ours.items() if code is not None})

"""A card is another one as soon as anything differs that its reader is told; all else leaves it the same (DEC-42)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from cds_service.advice.choice import Chosen
from cds_service.advice.options import Option
from cds_service.answer import Answer
from cds_service.answering import told_before
from cds_service.cards import cards
from cds_service.cards.cards import Place
from cds_service.cards.suggestions import sentence
from cds_service.hooks import request as hook_request
from tests.acceptance.requests import a_request
from tests.builders import a_condition
from tests.cds_service.advice import people

REQUEST = hook_request.read_request(json.dumps(a_request()).encode(), offered=("order-select",))
AS_TEXT = Option(id="cpap", consider="asking whether CPAP is used", reason="sleep apnoea", evidence="SASM 2016")
DRAWN = Option(id="ferritin", consider="a ferritin test", reason="haemoglobin 10.9", order="ferritin")
SECOND = Option(id="hba1c", consider="an HbA1c test", reason="diabetes", order="hba1c")
# Each changes one member of an option that is told as text only, or of one test of a blood draw.
CHANGES: dict[str, dict[str, Any]] = {
    "consider": {"consider": "asking about CPAP"},
    "reason": {"reason": "sleep apnoea, home study of May"},
    "evidence": {"evidence": "SASM 2026"},
    "caution": {"caution": "HbA1c can mislead here: dialysis."},
    "unchecked": {"unchecked": True},
    "could_change_estimate": {"could_change_estimate": True},
    "parts": {"parts": (msgspec.structs.replace(DRAWN, could_change_estimate=True), SECOND)},
}
NEVER_TOLD = {"id", "order", "weight"}


def key(*options: Option) -> str | None:
    """Of the card of one person with these options, none of which this place has a code for."""
    assessment = people.an_assessment(people.asa(3), a_condition("G47.33"))
    chosen = Chosen(options)
    card = cards.write(assessment, Place(public_url="https://r.example.org"), session=people.SESSION, chosen=chosen)
    given = Answer(card=card, orders=(assessment.procedure,), assessment=assessment, options=options)
    return told_before.key(given, REQUEST)


def test_the_same_is_the_same() -> None:
    assert key(AS_TEXT) == key(AS_TEXT) is not None


def test_every_member_of_an_option_is_told_or_is_not() -> None:
    members = {field.name for field in msgspec.structs.fields(Option)}
    assert CHANGES.keys() | NEVER_TOLD == members
    assert not CHANGES.keys() & NEVER_TOLD


@pytest.mark.parametrize("member", CHANGES)
def test_what_is_told_of_an_option_makes_another_card(member: str) -> None:
    changed = msgspec.structs.replace(AS_TEXT, **CHANGES[member])
    assert sentence(changed) != sentence(AS_TEXT)
    assert key(changed) != key(AS_TEXT)


@pytest.mark.parametrize("member", ["reason", "caution", "consider"])
def test_what_is_told_of_one_test_of_a_blood_draw_makes_another_card(member: str) -> None:
    def draw(one: Option) -> Option:
        caution = one.caution
        return Option(
            id="blood-tests",
            consider="these blood tests",
            reason=f"{one.consider} ({one.reason})",
            caution=caution,
            parts=(one, SECOND),
        )

    changed = msgspec.structs.replace(DRAWN, **CHANGES[member])
    assert key(draw(changed)) != key(draw(DRAWN))


def test_how_options_are_weighed_makes_no_other_card() -> None:
    assert key(msgspec.structs.replace(AS_TEXT, weight=3.0)) == key(AS_TEXT)


def test_an_option_more_and_another_order_make_another_card() -> None:
    assert len({key(AS_TEXT), key(AS_TEXT, DRAWN), key(DRAWN, SECOND), key()}) == 4


def test_without_a_card_there_is_no_key() -> None:
    assert told_before.key(Answer(silence="below-floor"), REQUEST) is None

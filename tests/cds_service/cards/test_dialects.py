"""Each EHR gets what it can show, and nothing that it would drop without a word."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from cds_service.cards import dialects
from cds_service.cards.cards import Place
from cds_service.cards.dialects import DIALECTS, EPIC_PREFERENCE_LIST
from cds_service.hooks.card import Card
from cds_service.tenants.tenant import VendorProfile
from fhir_mappings.orders.draft_orders import OrderCode
from fhir_mappings.orders.order_codes import OrderCodes
from tests.builders import a_condition, an_observation
from tests.cds_service.advice import people

URL = "https://risk.example.org"
PERSON = (people.asa(3), a_condition("E11.9"), an_observation("718-7", 10.9, "g/dL"))
EPIC_CODES = OrderCodes({("http://loinc.org", "4548-4"): OrderCode(EPIC_PREFERENCE_LIST, "EAP-90", "HbA1c")})


def a_card(name: str, codes: OrderCodes = people.CODES) -> Card:
    place = Place(public_url=URL, dialect=DIALECTS[name], codes=codes, launch_url=f"{URL}/launch")
    return people.a_card(*PERSON, place=place)


def test_every_vendor_profile_has_a_dialect() -> None:
    assert set(DIALECTS) == set(get_args(VendorProfile))


@pytest.mark.parametrize("name", DIALECTS)
def test_a_card_fits_the_panel_of_its_ehr(name: str) -> None:
    assert len(a_card(name).detail or "") <= DIALECTS[name].detail_limit


@pytest.mark.parametrize("name", DIALECTS)
def test_the_markdown_stripped_the_detail_still_reads(name: str) -> None:
    text = dialects.plain(a_card(name).detail or "")
    assert not any(mark in text for mark in ("*", "#", "|", "<", "`", "_"))
    assert all(line == "" or line.removeprefix("- ")[0].isupper() for line in text.splitlines())


def test_epic_gets_no_button_for_a_code_that_it_cannot_order() -> None:
    card = a_card("epic")
    assert card.suggestions == ()
    assert card.selection_behavior is None
    assert "Consider" in (card.detail or "")


def test_epic_gets_a_button_for_its_preference_list() -> None:
    card = a_card("epic", EPIC_CODES)
    assert card.selection_behavior == "any"
    (suggestion,) = card.suggestions
    (action,) = suggestion.actions
    assert (action.resource or {})["code"]["coding"] == [
        {"system": EPIC_PREFERENCE_LIST, "code": "EAP-90", "display": "HbA1c"}
    ]
    assert action.description
    assert suggestion.label  # neither is empty: Epic shows the one and requires the other


def test_an_option_stands_on_the_card_once_as_a_button_or_as_text() -> None:
    card = a_card("epic", EPIC_CODES)
    assert "HbA1c test" in card.suggestions[0].label
    assert "HbA1c test" not in (card.detail or "")


def test_oracle_gets_no_suggestions_no_context_and_a_short_text() -> None:
    card = a_card("oracle")
    assert card.suggestions == ()
    assert card.override_reasons == ()
    assert all(link.app_context is None for link in card.links)
    assert len(card.detail or "") <= 800


def test_meditech_gets_plain_text() -> None:
    assert "*" not in (a_card("meditech").detail or "")


@pytest.mark.parametrize("name", ["generic", "sandbox"])
def test_by_the_standard_everything_is_there(name: str) -> None:
    card = a_card(name)
    assert card.suggestions
    assert card.override_reasons
    assert [link.type for link in card.links] == ["absolute", "smart"]


@pytest.mark.parametrize("name", DIALECTS)
def test_the_answer_is_the_same_in_every_dialect(name: str) -> None:
    assert a_card(name).summary == a_card("generic").summary


GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", DIALECTS)
def test_the_whole_card_is_as_it_was_agreed(name: str) -> None:
    """Made anew by `python -m tests.cds_service.cards.write_golden`, then read before it is committed."""
    agreed = msgspec.json.decode((GOLDEN / f"{name}.json").read_bytes())
    assert people.without_uuids(a_card(name, EPIC_CODES if name == "epic" else people.CODES)) == agreed

"""A button is one draft for this patient; its uuid tells which row of the catalogue it was."""

from __future__ import annotations

import uuid

import pytest

from cds_service.advice.options import Option
from cds_service.cards import suggestions
from cds_service.cards.cards import Place
from cds_service.cards.dialects import DIALECTS
from cds_service.cards.suggestions import Ordering, Session
from fhir_mappings.orders.order_codes import OrderCodes
from tests.builders import a_condition
from tests.cds_service.advice import people

CARD = str(uuid.UUID(int=1))
HBA1C = Option(
    id="hba1c", consider="an HbA1c test", reason="diabetes, no HbA1c in 90 days", evidence="ADA 2024", order="hba1c"
)
TALK = Option(id="shared-decision", consider="a talk", reason="the risk is well above typical")
ORDERING = Ordering(codes=people.CODES, dialect=DIALECTS["generic"])


def test_the_label_stands_alone_and_says_consider() -> None:
    (found,) = suggestions.write([HBA1C], people.SESSION, ordering=ORDERING, card_uuid=CARD)
    assert found.label == (
        "Consider an HbA1c test: diabetes, no HbA1c in 90 days (ADA 2024). Not part of this estimate."
    )
    assert found.actions[0].description == f"Draft an order: HbA1c. {found.label}"


def test_the_draft_is_for_the_patient_of_the_context_and_about_the_operation() -> None:
    session = Session(patient_id="p9", user_id="PractitionerRole/7", encounter_id="e3", order="ServiceRequest/d1")
    (found,) = suggestions.write([HBA1C], session, ordering=ORDERING, card_uuid=CARD)
    draft = found.actions[0].resource or {}
    assert draft["subject"] == {"reference": "Patient/p9"}
    assert draft["encounter"] == {"reference": "Encounter/e3"}
    assert draft["requester"] == {"reference": "PractitionerRole/7"}
    assert draft["supportingInfo"] == [{"reference": "ServiceRequest/d1"}]


@pytest.mark.parametrize(
    ("option", "ordering"),
    [
        (TALK, ORDERING),  # nothing to order
        (HBA1C, Ordering(codes=OrderCodes(), dialect=DIALECTS["generic"])),  # the site has no code for it
        (HBA1C, Ordering(codes=people.CODES, dialect=DIALECTS["epic"])),  # the EHR orders by other codes
        (HBA1C, Ordering(codes=people.CODES, dialect=DIALECTS["oracle"])),  # the EHR has no buttons
    ],
)
def test_what_cannot_be_ordered_has_no_button(option: Option, ordering: Ordering) -> None:
    assert suggestions.write([option], people.SESSION, ordering=ordering, card_uuid=CARD) == ()


def test_what_cannot_be_referred_to_is_left_out() -> None:
    """An order without an id, an odd encounter, an odd user: the draft stands without them (HS-7)."""
    session = Session(patient_id="p9", user_id="Practitioner/a b", encounter_id="e 3", order="ServiceRequest/")
    (found,) = suggestions.write([HBA1C], session, ordering=ORDERING, card_uuid=CARD)
    assert not {"encounter", "requester", "supportingInfo"} & set(found.actions[0].resource or {})


def test_a_patient_who_cannot_be_referred_to_gets_no_draft() -> None:
    session = Session(patient_id="p 9", user_id="Practitioner/1")
    assert suggestions.write([HBA1C], session, ordering=ORDERING, card_uuid=CARD) == ()


def test_the_uuid_tells_card_and_row_and_nothing_else() -> None:
    (found,) = suggestions.write([HBA1C], people.SESSION, ordering=ORDERING, card_uuid=CARD)
    assert found.uuid == suggestions.suggestion_uuid(CARD, "hba1c")
    assert found.uuid != suggestions.suggestion_uuid(str(uuid.UUID(int=2)), "hba1c")


def test_every_suggestion_of_a_card_is_known_by_its_row() -> None:
    place = Place(public_url="https://risk.example.org", codes=people.CODES, save_to_chart=True)
    card = people.a_card(people.asa(3), a_condition("E11.9"), place=place)
    options = people.options(people.asa(3), a_condition("E11.9"))
    found = suggestions.rules(card, options)
    assert list(found) == [one.uuid for one in card.suggestions]
    assert "blood-tests" in found.values()
    assert list(found.values())[-1] == "save-to-chart"


def test_what_could_change_the_estimate_is_not_called_apart_from_it() -> None:
    option = Option(id="i", consider="a test", reason="it is missing", could_change_estimate=True)
    assert suggestions.sentence(option) == "Consider a test: it is missing."

"""The golden cards: `python -m tests.acceptance.golden` writes each person's card as it is read. Read, then commit.

Texts that were agreed before the code wrote them (agreed_people.py) it leaves alone, unless it is given their names.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path

import msgspec
from msgspec import Raw

from cds_service.advice import choice, silence
from cds_service.advice.choice import Advising
from cds_service.cards import cards, dialects
from cds_service.cards.cards import Place
from cds_service.cards.dialects import DIALECTS
from cds_service.hooks.card import Card
from cds_service.tenants import speaking
from fhir_mappings.features import features
from fhir_mappings.orders import procedures
from fhir_mappings.orders.procedures import NoProcedure, PlannedProcedure
from fhir_mappings.patient import patient_record
from fhir_mappings.patient.patient_record import PatientRecord
from fhir_mappings.terminology.procedure_groups import GROUPS
from tests import builders
from tests.acceptance.agreed_people import AGREED, AGREED_FIRST
from tests.acceptance.golden_people import NOT_ANSWERED, PCS, PEOPLE, Person
from tests.cds_service.advice import people

FOLDER = Path(__file__).parent / "golden"
WITH_A_CARD = PEOPLE | AGREED
EVERYBODY = WITH_A_CARD | NOT_ANSWERED


PUBLIC = "https://risk.example.org"


def planned_for(person: Person) -> tuple[tuple[Raw, ...], tuple[PlannedProcedure, ...] | NoProcedure]:
    """What is ordered for this person, and the operations that are understood."""
    order = builders.an_order((PCS, person.operation), **person.order)
    drafts = builders.as_json([order, *person.also_ordered])
    return drafts, procedures.planned(drafts, patient_id=builders.PATIENT_ID, maps=builders.DEMO_MAPS)


def place_of(person: Person) -> Place:
    """Whose panel shows the card."""
    launch, dialect = f"{PUBLIC}/smart/launch", DIALECTS[person.dialect]
    return Place(public_url=PUBLIC, codes=people.CODES, launch_url=launch, dialect=dialect)


def record_of(person: Person) -> PatientRecord:
    """What is read of this person."""
    results = builders.searches(*person.resources, **person.searches)
    return patient_record.read_record(
        results, patient_id=builders.PATIENT_ID, as_of=builders.AS_OF, zone=builders.ZONE, maps=builders.DEMO_MAPS
    )


def card_of(person: Person, group: str | None = None) -> tuple[Card, str]:
    """The card of this person by the whole way from FHIR to words, and what production would do with it.

    `group`: the operation, instead of the one that the person's order names.
    """
    drafts, found = planned_for(person)
    assert isinstance(found, tuple)
    procedure = found[0] if group is None else msgspec.structs.replace(found[0], group=group, label=GROUPS[group].label)
    record = record_of(person)
    known = features.derive(record, procedure)
    assert silence.for_patient(record, known) is None
    assessment = people.assess_features(known, procedure, record)
    chosen = choice.for_patient(
        assessment, record, drafts, advising=Advising(codes=people.CODES, maps=builders.DEMO_MAPS)
    )
    card = cards.write(assessment, place_of(person), session=people.SESSION, chosen=chosen)
    return card, silence.for_floor(assessment, speaking.CARD_FLOORS, opened=chosen.opens) or "shown"


def not_answered(person: Person) -> tuple[Card | None, str]:
    """Why this person has no card; the one that names the gap where there is one."""
    _, found = planned_for(person)
    if isinstance(found, NoProcedure):
        return None, found.reason
    record = record_of(person)
    reason = silence.for_patient(record, features.derive(record, found[0]))
    assert reason is not None
    return cards.for_gap(found[0], place_of(person)) if reason == "required-input-missing" else None, reason


def as_read(person: Person) -> str:
    """The card as a clinician reads it, with what a production tenant would have done."""
    card, fate = not_answered(person) if person in NOT_ANSWERED.values() else card_of(person)
    heading = [f"# {person.story}", f"# {card.indicator if card else 'no card'}; in production: {fate}"]
    told = ["", card.summary, "", dialects.plain(card.detail or ""), ""] if card else []
    buttons = [f"[ ] {one.label}" for one in card.suggestions] if card else []
    return "\n".join([*heading, *told, *buttons]).rstrip() + "\n"


def main(taken_over: Collection[str] = ()) -> None:
    """One text file per person; files of people who are gone are removed. `taken_over`: agreed texts to be changed."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.txt"):
        if path.stem not in EVERYBODY:
            path.unlink()
    for name, person in EVERYBODY.items():
        path, told = FOLDER / f"{name}.txt", as_read(person)
        if name not in AGREED_FIRST or name in taken_over:
            path.write_text(told, encoding="utf-8")
        elif told != path.read_text(encoding="utf-8"):
            print(f"{name}: the card is no longer as it was agreed; name it to take the new one over, and say why")


if __name__ == "__main__":
    main(sys.argv[1:])

"""The golden cards: `python -m tests.acceptance.golden` writes each person's card as it is read. Read, then commit."""

from __future__ import annotations

from pathlib import Path

from cds_service import speaking
from cds_service.advice import cards, choice, dialects, silence
from cds_service.advice.choice import Advising
from cds_service.advice.dialects import DIALECTS
from cds_service.hooks.card import Card
from fhir_mappings import features, patient_record, procedures
from tests import builders
from tests.acceptance.golden_people import PCS, PEOPLE, Person
from tests.cds_service.advice import people

FOLDER = Path(__file__).parent / "golden"


def card_of(person: Person) -> tuple[Card, str]:
    """The card of this person by the whole way from FHIR to words, and what silence would have said in production."""
    order = builders.an_order((PCS, person.operation), **person.order)
    drafts = builders.as_json([order, *person.also_ordered])
    found = procedures.planned(drafts, patient_id=builders.PATIENT_ID, maps=builders.DEMO_MAPS)
    assert isinstance(found, tuple)
    results = builders.searches(*person.resources, **person.searches)
    record = patient_record.read(
        results, patient_id=builders.PATIENT_ID, as_of=builders.AS_OF, zone=builders.ZONE, maps=builders.DEMO_MAPS
    )
    known = features.derive(record, found[0])
    reason = silence.for_patient(record, known)
    assessment = people.assess_features(known, found[0], record)
    advising = Advising(codes=people.CODES, maps=builders.DEMO_MAPS)
    chosen = choice.for_patient(assessment, record, drafts, advising=advising)
    url = "https://risk.example.org"
    place = cards.Place(
        public_url=url, codes=people.CODES, launch_url=f"{url}/smart/launch", dialect=DIALECTS[person.dialect]
    )
    card = cards.write(assessment, place, session=people.SESSION, chosen=chosen)
    return card, reason or silence.for_floor(assessment, speaking.CARD_FLOORS, opened=chosen.opens) or "shown"


def as_read(person: Person) -> str:
    """The card as a clinician reads it, with what a production tenant would have done."""
    card, fate = card_of(person)
    buttons = [f"[ ] {one.label}" for one in card.suggestions]
    return "\n".join(
        [f"# {person.story}", f"# {card.indicator}; in production: {fate}", "", card.summary, "",
         dialects.plain(card.detail or ""), "", *buttons]
    ).rstrip() + "\n"  # fmt: skip


def main() -> None:
    """One text file per person; files of people who are gone are removed."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.txt"):
        if path.stem not in PEOPLE:
            path.unlink()
    for name, person in PEOPLE.items():
        (FOLDER / f"{name}.txt").write_text(as_read(person), encoding="utf-8")


if __name__ == "__main__":
    main()

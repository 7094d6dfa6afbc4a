"""In which order ten people get their options; `python -m tests.acceptance.golden_ranking` writes it to be read."""

from __future__ import annotations

from pathlib import Path

from cds_service.advice import choice
from cds_service.advice.choice import Advising
from cds_service.advice.options import Policy
from cds_service.cards import suggestions
from fhir_mappings.features import features
from tests import builders
from tests.acceptance.golden import planned_for, record_of
from tests.acceptance.golden_people import (
    DEFORMITY,
    FUSION,
    HEALTHY_TESTS,
    PEOPLE,
    Person,
    man,
    woman,
)
from tests.builders import a_condition, a_medication_request
from tests.cds_service.advice import people
from tests.cds_service.advice.people import asa, function, result, smoker

FILE = Path(__file__).with_name("golden_ranking.txt")
_SMOKING_AND_SUGAR = Person(
    "HbA1c 9.1 % and smoking, haemoglobin 10.9, no ASA class", DEFORMITY,
    (woman("1963-05-01"), *HEALTHY_TESTS[2:], result("2160-0", 0.9, "mg/dL"), result("718-7", 10.9, "g/dL"),
     a_condition("E11.65"), result("4548-4", 9.1, "%", days=21), smoker()),
)  # fmt: skip
_DIALYSIS = Person(
    "On dialysis, totally dependent, iron deficiency treated by the unit", FUSION,
    (man("1952-05-01"), asa(4), function("TOTAL"), a_condition("N18.6"), a_condition("Z99.2"), a_condition("D50.9"),
     result("718-7", 9.8, "g/dL"), result("2160-0", 6.1, "mg/dL"), result("39156-5", 24, "kg/m2")),
)  # fmt: skip
_THINNED_AND_SMOKING = Person(
    "Apixaban, empagliflozin, smoking and frail", FUSION,
    (man("1949-05-01"), asa(3), *HEALTHY_TESTS, a_condition("R54"), smoker(), a_medication_request("1364430"),
     a_medication_request("1545653")),
)  # fmt: skip
TEN: dict[str, Person] = {
    "smoking-and-sugar": _SMOKING_AND_SUGAR,
    "on-dialysis": _DIALYSIS,
    "thinned-and-smoking": _THINNED_AND_SMOKING,
    **{
        name: PEOPLE[name]
        for name in (
            "the-usual-fusion",
            "diabetes-out-of-control",
            "iron-deficiency-known",
            "unstable-angina",
            "copd-and-smoking",
            "frail-at-86",
            "nothing-but-a-birthday",
        )
    },
}


def order_of(person: Person, policy: Policy) -> list[str]:
    """The options of this person as they are told, the first of them on the card."""
    drafts, found = planned_for(person)
    assert isinstance(found, tuple)
    record = record_of(person)
    assessment = people.assess_features(features.derive(record, found[0]), found[0], record)
    advising = Advising(policy=policy, codes=people.CODES, maps=builders.DEMO_MAPS)
    chosen = choice.for_patient(assessment, record, drafts, advising=advising)
    return [suggestions.sentence(option) for option in chosen.options]


def written() -> str:
    """Each person with what is on the card and, below the line, what would follow."""
    told = []
    for person in TEN.values():
        on_card = len(order_of(person, Policy()))
        lines = [f"{place}. {text}" for place, text in enumerate(order_of(person, Policy(maximum=99)), 1)]
        told.append("\n".join([f"# {person.story}", *lines[:on_card], "-- not on the card --", *lines[on_card:]]))
    return "\n\n".join(told) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")

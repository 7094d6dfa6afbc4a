"""Two hundred invented adults before elective surgery, the same in every run: for what needs many patients in CI."""

from __future__ import annotations

import random
from functools import cache

from fhir_mappings.terminology.code_systems import SNOMED_CT
from tests import builders
from tests.builders import MEASUREMENTS, Resource
from tests.fhir_mappings.cohorts import Person, person

COUNT = 200
_DIAGNOSES = ("E11.9", "I50.9", "I10", "J44.9", "M48.061", "N18.31", "I25.10", "C50.911", "G30.9", "I63.9", "F17.210",
              "K21.9", "M54.50", "E78.5", "G47.33", "Z87.891", "L40.0", "H25.9")  # fmt: skip
_MEDICINES = ("1364430", "5856", "6809", "29046", "17767", "8640", "7052")
_ASA = ("413495001", "413496000", "413497009", "413498004")
_USUAL = {"creatinine": (0.5, 3), "haemoglobin": (8, 17), "albumin": (2.5, 5), "platelets": (90, 450), "inr": (0.9, 3),
          "sodium": (128, 146), "glucose": (70, 250), "hba1c": (5, 10), "height": (150, 195), "weight": (50, 130),
          "bmi": (18, 45), "spo2": (90, 100), "egfr": (20, 110)}  # fmt: skip
_SMOKING = ("449868002", "8517006", "266919005")


@cache
def everybody() -> tuple[Person, ...]:
    """Ids g-0 to g-199: from 19 to 94 years, with none to many diagnoses, results, answers and medicines."""
    return tuple(_one(number, random.Random(number)) for number in range(COUNT))


def _one(number: int, chance: random.Random) -> Person:
    patient_id = f"g-{number}"
    subject = {"reference": f"Patient/{patient_id}"}
    born = f"{2026 - chance.randint(20, 94)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    found: list[Resource] = [
        builders.a_patient(id=patient_id, birthDate=born, gender=chance.choice(["male", "female"]))
    ]
    for code in chance.sample(_DIAGNOSES, chance.randint(0, 6)):
        found.append(
            builders.a_condition(code, subject=subject, recordedDate=builders.date_ago(chance.randint(5, 3000)))
        )
    for name in chance.sample(sorted(MEASUREMENTS), chance.randint(0, len(MEASUREMENTS))):
        for _ in range(chance.randint(1, 3)):
            found.append(_result(name, chance, subject))
    for code in chance.sample(_MEDICINES, chance.randint(0, 3)):
        found.append(builders.a_medication_request(code, subject=subject, id=f"m-{code}"))
    if chance.random() < 0.7:
        found.append(builders.an_answer("97816-3", (SNOMED_CT, chance.choice(_ASA)), subject=subject, id="asa"))
    if chance.random() < 0.5:
        found.append(builders.an_answer("72166-2", (SNOMED_CT, chance.choice(_SMOKING)), subject=subject, id="smoking"))
    return person(patient_id, builders.as_json(found), builders.AS_OF)


def _result(name: str, chance: random.Random, subject: dict[str, str]) -> Resource:
    code, unit = MEASUREMENTS[name]
    days = chance.choice([2, 10, 45, 89, 91, 400])
    low, high = _USUAL[name]
    number = round(chance.uniform(low, high), 2)
    return builders.an_observation(
        code, number, unit, subject=subject, id=f"{name}-{days}", effectiveDateTime=builders.days_ago(days)
    )

"""Each messy case, done to every Synthea patient: no crash, the expected status, and nothing else moves."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from fhir_mappings.features import features
from fhir_mappings.fhir.decode_resources import WrongPatientError
from fhir_mappings.report import bulk
from fhir_mappings.results.feature import Feature, Features
from fhir_mappings.terminology.code_systems import LOINC, UCUM
from tests.builders import DEMO_CODES, DEMO_MAPS, ZONE, a_planned_procedure, as_json, coded, codes_of, days_ago

Resource = dict[str, Any]
AS_OF = datetime(2026, 11, 1, 12, tzinfo=UTC)
BUDGET_S = 240  # for all of it, on a machine that is shared; the assertion tells how far it came
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
LARGEST = 150
HAEMOGLOBIN = codes_of("haemoglobin") | {"HB-BEDSIDE"}


def recent(days: float = 5) -> str:
    return days_ago(days, as_of=AS_OF)


def a_result(**members: Any) -> Resource:
    """The haemoglobin that a mutation is done to."""
    result = {
        "resourceType": "Observation",
        "id": "mutated",
        "status": "final",
        "code": coded((LOINC, "718-7")),
        "effectiveDateTime": recent(),
        "valueQuantity": {"value": 12.5, "unit": "g/dL", "system": UCUM, "code": "g/dL"},
        **members,
    }
    return {key: value for key, value in result.items() if value is not None}


def quantity(value: float, **members: Any) -> dict[str, Any]:
    return {"value": value, **members}


PANEL = {"code": coded((LOINC, "58410-2")), "valueQuantity": None,
         "component": [{"code": coded((LOINC, "718-7")), "valueQuantity": quantity(12.5, unit="g/dL")}]}  # fmt: skip
# Case, what is done to the result, and in which status and for which reason haemoglobin ends.
MUTATIONS: tuple[tuple[str, dict[str, Any], str, str | None], ...] = (
    ("1 text only", {"code": {"text": "Hgb"}}, "missing", "not-understood"),
    ("2 several codings", {"code": coded(("urn:x", "HGB"), (LOINC, "718-7"))}, "used", None),
    ("2 two concepts", {"code": coded((LOINC, "718-7"), (LOINC, "33762-6"), (LOINC, "1751-7"))}, "conflicting",
     "two-concepts"),
    ("3 alias", {"code": coded(("urn:oid:2.16.840.1.113883.6.1", "718-7"))}, "used", None),
    ("3 unknown system", {"code": coded(("http://loinc.example", "718-7"))}, "missing", "not-understood"),
    ("5 local code, mapped", {"code": coded((DEMO_CODES, "HB-BEDSIDE"))}, "used", None),
    ("5 local code, unmapped", {"code": coded(("urn:x", "HGB"))}, "missing", "not-understood"),
    ("11 bound", {"valueQuantity": quantity(12, unit="g/dL", comparator=">")}, "used", None),
    ("11 bound that straddles", {"valueQuantity": quantity(9, unit="g/dL", comparator=">")}, "missing", "censored"),
    ("12 text with unit", {"valueQuantity": None, "valueString": "12.5 g/dL"}, "used", None),
    ("12 note", {"valueQuantity": None, "valueString": "see note"}, "rejected", "non-numeric"),
    ("13 no unit, one fits", {"valueQuantity": quantity(125)}, "used-with-conversion", None),
    ("13 no unit, none fits", {"valueQuantity": quantity(30)}, "rejected", "unit-missing"),
    ("14 odd unit", {"valueQuantity": quantity(12.5, unit="GM/DL")}, "used", None),
    ("14 unreadable unit", {"valueQuantity": quantity(12.5, unit="per cent of normal")}, "rejected", "unit-unknown"),
    ("14 another unit", {"valueQuantity": quantity(12.5, unit="mmol/mol")}, "rejected", "unit-mismatch"),
    ("15 two units", {"valueQuantity": quantity(125, unit="g/L", system=UCUM, code="g/dL")}, "rejected",
     "unit-conflict"),
    ("16 implausible", {"valueQuantity": quantity(500, unit="g/dL")}, "rejected", "implausible"),
    ("17 declined", {"valueQuantity": None, "dataAbsentReason": coded((ABSENT, "asked-declined"))}, "missing",
     "declined"),
    ("18 component", PANEL, "used", None),
    ("19 range", {"valueQuantity": None, "valueRange": {"low": quantity(12, unit="g/dL"),
                                                        "high": quantity(13, unit="g/dL")}}, "used", None),
    ("19 samples", {"valueQuantity": None, "valueSampledData": {"data": "1 2"}}, "rejected", "non-numeric"),
    ("20 preliminary alone", {"status": "preliminary"}, "used", None),
    ("21 entered in error", {"status": "entered-in-error"}, "missing", "never-recorded"),
    ("21 cancelled", {"status": "cancelled"}, "missing", "never-recorded"),
    ("21 registered", {"status": "registered"}, "missing", "awaited"),
    ("22 old", {"effectiveDateTime": recent(91)}, "stale", "stale"),
    ("23 future", {"effectiveDateTime": recent(-2)}, "rejected", "future"),
    ("23 only the year", {"effectiveDateTime": "2026"}, "rejected", "date-imprecise"),
    ("23 naive time", {"effectiveDateTime": "2026-10-27T08:00:00"}, "used", None),
    ("24 period", {"effectiveDateTime": None, "effectivePeriod": {"end": recent()}}, "used", None),
    ("24 no time", {"effectiveDateTime": None}, "rejected", "no-time"),
    ("39 STU3", {"context": {"reference": "Encounter/1"}}, "rejected", "unreadable"),
    ("40 no subject", {"subject": None}, "rejected", "unreadable"),
    ("P10 markup", {"valueQuantity": quantity(12.5, unit="<img onerror=alert(1)>")}, "rejected", "unit-unknown"),
)  # fmt: skip

# Of what is missing: a result that was not understood may be the one, of what it is computed from too.
UNKNOWN = ("never-recorded", "not-ordered", "not-understood", "creatinine-missing")

Person = tuple[str, tuple[Raw, ...]]


@pytest.fixture(scope="module")
def everyone(shared: Path) -> list[Person]:
    """Every Synthea patient, without haemoglobin results; of the largest records the first resources."""
    return [
        (patient_id, tuple(raw for raw in _patient_first(resources) if not _is_haemoglobin(raw))[:LARGEST])
        for patient_id, resources in bulk.by_patient(shared / "fhir" / "synthea").items()
    ]


def _patient_first(resources: list[Raw]) -> list[Raw]:
    return sorted(resources, key=lambda raw: b'"Patient"' not in bytes(raw)[:40])


def _is_haemoglobin(raw: Raw) -> bool:
    if b'"Observation"' not in bytes(raw)[:40]:
        return False
    return any(f'"{code}"'.encode() in bytes(raw) for code in HAEMOGLOBIN)


def derive(person: Person, *added: Resource) -> Features:
    patient_id, resources = person
    heart_rate = a_result(id="heart-rate", code=coded((LOINC, "8867-4")))  # so that a readable result is left
    mine = [{"subject": {"reference": f"Patient/{patient_id}"}, **one} for one in (heart_rate, *added)]
    kept = [{key: value for key, value in one.items() if value is not None} for one in mine]
    results = bulk.searches((*resources, *as_json(kept)))
    record = bulk.record(results, patient_id=patient_id, as_of=AS_OF, zone=ZONE, maps=DEMO_MAPS)
    return features.derive(record, a_planned_procedure())


def without(found: Features) -> list[Feature]:
    """The other inputs. That a resource was set aside is told beside all of them ("partial"): it moves none.

    What was never recorded may be among what was set aside: then nobody knows that it was not.
    """
    others = [one for name, one in found.items() if name not in ("haemoglobin", "albumin")]
    return [
        replace(
            one,
            flags=tuple(flag for flag in one.flags if flag != "partial"),
            reason=None if one.reason in UNKNOWN else one.reason,
        )
        for one in others
    ]


@pytest.mark.shared
def test_every_mutation_of_every_patient_ends_as_stated(everyone: list[Person]) -> None:
    started, wrong = time.monotonic(), []
    for number, person in enumerate(everyone):
        assert time.monotonic() - started < BUDGET_S, f"{number} of {len(everyone)} patients"
        before = without(derive(person))
        for case, members, status, reason in MUTATIONS:
            mutated = a_result(**members)
            if "subject" in members:
                mutated["subject"] = None
            found = derive(person, mutated)
            haemoglobin = found["haemoglobin"]
            if (haemoglobin.status, haemoglobin.reason) != (status, reason) or without(found) != before:
                wrong.append((case, person[0], haemoglobin.status, haemoglobin.reason))
    assert wrong == []


@pytest.mark.shared
def test_another_patients_result_stops_everything_for_everybody(everyone: list[Person]) -> None:
    for person in everyone[:50]:
        with pytest.raises(WrongPatientError):
            derive(person, a_result(subject={"reference": "Patient/somebody-else"}))


def _birth(text: str | None) -> Callable[[Resource], Resource]:
    return lambda patient: {key: value for key, value in {**patient, "birthDate": text}.items() if value}


PEOPLE: tuple[tuple[str, Callable[[Resource], Resource], str, str, str | None], ...] = (
    ("25 absent", _birth(None), "age", "missing", "never-recorded"),
    ("25 year", _birth("1956"), "age", "used", None),
    ("26 placeholder", _birth("1900-01-01"), "age", "missing", "placeholder"),
    ("26 unborn", _birth("2027-01-01"), "age", "rejected", "implausible"),
    ("28 other", lambda patient: {**patient, "gender": "other", "extension": []}, "sex", "missing", "sex-not-recorded"),
)


@pytest.mark.shared
@pytest.mark.parametrize(("case", "mutate", "name", "status", "reason"), PEOPLE, ids=[one[0] for one in PEOPLE])
def test_what_is_missing_of_a_person_is_told(
    everyone: list[Person], case: str, mutate: Any, name: str, status: str, reason: str | None
) -> None:
    for patient_id, resources in everyone:
        own = [raw for raw in resources if b'"Patient"' in bytes(raw)[:40]]
        others = tuple(raw for raw in resources if raw not in own)
        changed = mutate(msgspec.json.decode(own[0]))
        found = derive((patient_id, (*others[:50], *as_json([changed]))))[name]
        assert (found.status, found.reason) == (status, reason), case

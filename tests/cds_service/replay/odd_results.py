"""Results that hold or name others, or are about something: those that a sieve could drop and a record would miss."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

Resource = dict[str, Any]
LOINC = "http://loinc.org"
LOCAL = ("urn:oid:1.2.3", "KREA")
# A panel, heart rate, cholesterol and diastolic pressure, none of any input; two inputs; one that nobody knows.
CODES = ((LOINC, "24323-8"), (LOINC, "8867-4"), (LOINC, "2093-3"), (LOINC, "8462-4"), (LOINC, "2160-0"),
         (LOINC, "82810-3"), LOCAL)  # fmt: skip
HOLDERS = ("plain", "contained", "members", "gone", "focus", "component", "copied")


def coded(code: tuple[str, str]) -> Resource:
    return {"coding": [{"system": code[0], "code": code[1]}]}


def result(patient_id: str, when: datetime, name: str, code: tuple[str, str], **members: Any) -> Resource:
    """A number under a code, two days before."""
    made: Resource = {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": coded(code),
        "subject": {"reference": f"Patient/{patient_id}"},
        "effectiveDateTime": (when - timedelta(days=2)).isoformat(),
        "valueQuantity": {"value": 4.4, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
    }
    return {one: value for one, value in (made | members).items() if value is not None}


def drawn(dice: random.Random, patient_id: str, when: datetime, number: int) -> list[Resource]:
    """One result, with what it holds or names, and beside it what came of that."""
    outer, inner = dice.choice(CODES), dice.choice(CODES)
    names = f"outer-{number}", f"inner-{number}"
    one = result(patient_id, when, names[1], inner)
    held = {name: value for name, value in one.items() if name != "subject"}
    members: dict[str, tuple[Resource, list[Resource]]] = {
        "plain": ({}, [one]),
        "contained": ({"contained": [held]}, []),
        "copied": ({"contained": [held]}, [one]),
        "members": ({"hasMember": [{"reference": f"Observation/{names[1]}"}]}, [one]),
        "gone": ({"hasMember": [{"reference": "Observation/gone"}]}, [one]),
        "focus": ({"focus": [{"reference": dice.choice(("Patient/another", "Device/1"))}]}, []),
        "component": ({"component": [{"code": coded(inner), "valueQuantity": one["valueQuantity"]}]}, []),
    }
    more, beside = members[dice.choice(HOLDERS)]
    without_value = {"valueQuantity": None} if dice.random() < 0.5 else {}
    status = dice.choice(("final", "final", "amended", "registered", "entered-in-error", "odd"))
    return [result(patient_id, when, names[0], outer, status=status, **more, **without_value), *beside]

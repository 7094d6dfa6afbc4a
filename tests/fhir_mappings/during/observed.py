"""Observations as monitors and records send them, with just what a test is about."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fhir_mappings.during.entries import CourseReader, reader

BEGIN = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
ZERO = BEGIN.timestamp()
READER: CourseReader = reader("p1", ZoneInfo("Europe/Vienna"))
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
HEART_RATE, MAP_INVASIVE, MAP_CUFF, SPO2, BLOOD_LOSS = "8867-4", "76214-6", "76536-2", "59408-5", "81661-1"


def at(seconds: float) -> str:
    """The instant so many seconds after BEGIN, as FHIR writes it."""
    return (BEGIN + timedelta(seconds=seconds)).isoformat()


def concept(code: str, system: str = LOINC) -> dict[str, Any]:
    """A concept of one code."""
    return {"coding": [{"system": system, "code": code}]}


def quantity(value: float, unit: str) -> dict[str, Any]:
    """A quantity with its UCUM unit."""
    return {"value": value, "unit": unit, "code": unit, "system": UCUM}


def observation(code: str, value: float, unit: str, /, *, seconds: float = 0, **members: Any) -> bytes:
    """One Observation of patient p1; `members` are added or stand in the place of the usual ones."""
    content = {
        "resourceType": "Observation",
        "id": f"o-{code}-{seconds:g}",
        "status": "final",
        "code": concept(code),
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": at(seconds),
        "valueQuantity": quantity(value, unit),
    } | members
    return json.dumps({name: value for name, value in content.items() if value is not None}).encode()

"""The order-select that speed is measured with: 113 kB, 20 Conditions, 100 Observations, as a hospital sends them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tests.acceptance.requests import (
    ICD,
    a_functional_status,
    a_patient,
    a_request,
    a_result,
    an_asa_class,
    bundle,
)

SIZE_BYTES = 113_000
# (LOINC, unit, value): half of what a hospital sends is no input of any model.
RESULTS = (
    ("2160-0", "mg/dL", 1.1),
    ("718-7", "g/dL", 13.2),
    ("777-3", "10*3/uL", 240.0),
    ("2951-2", "mmol/L", 139.0),
    ("1751-7", "g/dL", 4.0),
    ("2823-3", "mmol/L", 4.2),
    ("6690-2", "10*3/uL", 7.1),
    ("1988-5", "mg/L", 3.0),
    ("3094-0", "mg/dL", 16.0),
    ("1975-2", "mg/dL", 0.7),
)
CODES = ("I10", "E78.5", "M54.50", "M43.16", "K21.9", "G47.33", "F32.A", "E66.9", "H26.9", "Z90.49")


class Sent(msgspec.Struct):
    """The request, as far as its prefetch."""

    prefetch: dict[str, msgspec.Raw]


def now() -> datetime:
    """The instant at which the request's days are counted."""
    return datetime.now(UTC)


def _observation(number: int) -> dict[str, Any]:
    loinc, unit, value = RESULTS[number % len(RESULTS)]
    result = a_result(loinc, value, unit, days=1 + number // len(RESULTS) * 7, result_id=f"result-{number}")
    return result | {
        "meta": {"versionId": "1", "lastUpdated": "2026-11-01T08:00:00Z", "source": "urn:oid:1.2.840.114350.1.13.0.1"},
        "identifier": [{"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.798268", "value": f"7{number:08d}"}],
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "laboratory",
                        "display": "Laboratory",
                    }
                ]
            }
        ],
        "issued": "2026-11-01T08:00:00Z",
        "performer": [{"reference": "Organization/laboratory", "display": "Central laboratory"}],
        "referenceRange": [{"low": {"value": 1, "unit": unit}, "high": {"value": 2, "unit": unit}, "text": "1-2"}],
    }


def _condition(number: int) -> dict[str, Any]:
    recorded = datetime.now(UTC).date() - timedelta(days=100 * (number + 1))
    status = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    verified = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
    return {
        "resourceType": "Condition",
        "id": f"condition-{number}",
        "meta": {"versionId": "1", "lastUpdated": "2026-11-01T08:00:00Z"},
        "clinicalStatus": {"coding": [{"system": status, "code": "active"}]},
        "verificationStatus": {"coding": [{"system": verified, "code": "confirmed"}]},
        "code": {"coding": [{"system": ICD, "code": CODES[number % len(CODES)]}], "text": "As recorded"},
        "subject": {"reference": "Patient/pt-b"},
        "recordedDate": recorded.isoformat(),
    }


def body() -> bytes:
    """The request as JSON; what is left to 113 kB is a narrative that nobody reads."""
    results = [_observation(number) for number in range(97)]
    request = a_request(
        patient=a_patient(),
        conditions=bundle(*(_condition(number) for number in range(20))),
        labs=bundle(*results),
        observations=bundle(an_asa_class(), a_result("39156-5", 29.4, "kg/m2"), a_functional_status()),
    )
    filler = SIZE_BYTES - len(json.dumps(request)) - 200
    if filler > 0:
        request["prefetch"]["patient"]["text"] = {"status": "generated", "div": f"<div>{'x' * filler}</div>"}
    return json.dumps(request).encode()

"""Operations in a system of diagnoses, and diagnoses whose standing is told in another way than by HL7's status."""

from __future__ import annotations

from typing import Any

from tests.acceptance.foreign_lists import UNKNOWN, Foreign, done
from tests.acceptance.requests import CPT, ICD, bundle
from tests.acceptance.unreadable import a_procedure

ICD_9 = "http://hl7.org/fhir/sid/icd-9-cm"
_SPINE = {"procedures": bundle(a_procedure("22612"))}


def _operation(code: str, system: str, told: object) -> Foreign:
    """What was done in this code; the volume of ICD-9-CM for operations has no URI of its own in FHIR."""
    sent: dict[str, Any] = {"procedures": bundle(done(code, system))}
    readable = {} if told is False else _SPINE
    return Foreign(sent, {"previous_spine_surgery": (told,), "dialysis": (UNKNOWN,)}, readable)


_OPERATIONS = {
    **{f"ICD-9-CM {code}": _operation(code, ICD_9, UNKNOWN) for code in ("81.08", "81.62", "80.51", "03.09", "39.95")},
    "a diagnosis of ICD-9-CM": _operation("428.0", ICD_9, UNKNOWN),
    "a diagnosis of ICD-10-CM": _operation("M54.50", ICD, UNKNOWN),
    "a diagnosis of ICD-10-CM that an input asks for": _operation("Z98.1", ICD, UNKNOWN),
    "ICD-9-CM beside CPT": Foreign(
        {
            "procedures": bundle(
                done("", code={"coding": [{"system": ICD_9, "code": "81.08"}, {"system": CPT, "code": "22612"}]})
            )
        },
        {"previous_spine_surgery": (True,), "dialysis": (False,)},
        _SPINE,
    ),
}
STANDINGS = {f"operation: {name}": one for name, one in _OPERATIONS.items()}

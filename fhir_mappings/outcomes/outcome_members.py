"""What only outcomes read of a Condition, a Procedure or an Encounter (fhir/resources.py has what answers read)."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from fhir_mappings.fhir.elements import CodeableConcept, Period, Reference


class EncounterDiagnosis(Struct, frozen=True):
    """Which Condition a stay names, and in what role."""

    condition: Reference | None = None
    use: CodeableConcept | None = None


class Discharge(Struct, frozen=True, rename="camel"):
    """How a stay ended."""

    discharge_disposition: CodeableConcept | None = None


class OutcomeMembers(Struct, frozen=True, rename="camel"):
    """The members of each of the three; a resource has those of its type."""

    encounter: Reference | None = None
    period: Period | None = None
    hospitalization: Discharge | None = None
    diagnosis: tuple[EncounterDiagnosis, ...] = ()
    reason_code: tuple[CodeableConcept, ...] = ()
    reason_reference: tuple[Reference, ...] = ()
    complication: tuple[CodeableConcept, ...] = ()
    complication_detail: tuple[Reference, ...] = ()


BESIDE = msgspec.json.Decoder(OutcomeMembers)


def referenced(to: Reference | None) -> str | None:
    """The id in a reference, of whatever type and form."""
    text = (to.reference if to else None) or ""
    return text.split("/_history/")[0].rsplit("/", 1)[-1].removeprefix("urn:uuid:") or None

"""Where an input comes from, as a clinician knows it: the name of the test, or the list; never a resource's id."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from fhir_mappings.fhir.elements import MedicineConcept
from fhir_mappings.patient.patient_record import PatientRecord
from fhir_mappings.results.observations import Recorded
from fhir_mappings.terminology.code_systems import LOINC, SNOMED_CT

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_LONGEST = 60  # characters of a test's name
_SYSTEMS = {LOINC: "LOINC", SNOMED_CT: "SNOMED CT"}
LISTS = {
    "Patient": "patient data",
    "Condition": "diagnosis list",
    "MedicationRequest": "prescriptions",
    "MedicationStatement": "medicine list",
    "Procedure": "past procedures",
    "Encounter": "this visit",
    "DiagnosticReport": "imaging report",
    "ServiceRequest": "the order",
    "Observation": "result",
}


def names(record: PatientRecord) -> Mapping[str, str]:
    """By reference, each result that was read as its laboratory or ward names it: "Creatinine (LOINC 2160-0)"."""
    return {one.source: _named(one) for results in record.recorded.values() for one in results}


def words(source: str, known: Mapping[str, str]) -> str:
    """The sources of one input (references, with a blank between) in words, each once."""
    told = (known.get(one) or LISTS.get(one.partition("/")[0], "record") for one in source.split())
    return ", ".join(dict.fromkeys(told))


def _named(recorded: Recorded) -> str:
    """The words of a component are its own; those of a result stand in it as JSON that is read only here."""
    if recorded.is_component:
        code = recorded.valued.code
        name, codings = code.text, [(one.system, one.code) for one in code.coding]
    else:
        written = _decoded(bytes(recorded.observation.written_code))
        name = written.text or next((one.display for one in written.coding if one.display), None)
        codings = [(one.system, one.code) for one in written.coding]
    code_words = [f"{_SYSTEMS[system]} {code}" for system, code in codings if code and system in _SYSTEMS]
    told = [part for part in ((name or "")[:_LONGEST], *code_words[:1]) if part]
    return f"{told[0]} ({told[1]})" if len(told) > 1 else "".join(told)


def _decoded(written: bytes) -> MedicineConcept:
    try:
        return msgspec.json.decode(written, type=MedicineConcept) if written else MedicineConcept()
    except _UNREADABLE:
        return MedicineConcept()

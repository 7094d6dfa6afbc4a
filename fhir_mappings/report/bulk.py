"""Bulk Data, NDJSON or Bundles, to one PatientRecord per patient; the same derivation as the live hook."""

from __future__ import annotations

import contextlib
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw

from fhir_mappings.fhir.decode_resources import referenced_patient
from fhir_mappings.fhir.elements import Reference
from fhir_mappings.fhir.search_result import SearchResult, SearchResults
from fhir_mappings.patient import patient_record
from fhir_mappings.patient.patient_record import PatientRecord
from fhir_mappings.report import bulk_files
from fhir_mappings.report.bulk_files import OF_NOBODY, Head, Lost, head_of
from fhir_mappings.results.site_rules import NO_SITE_RULES, SiteRules
from fhir_mappings.terminology.concept_maps import EMPTY, ConceptMaps
from fhir_mappings.terminology.value_sets import STANDARD, ValueSets

_KEY_OF = {
    "Patient": "patient",
    "Condition": "conditions",
    "Observation": "observations",
    "DiagnosticReport": "reports",
    "MedicationRequest": "medications",
    "MedicationStatement": "medications",
    "Medication": "medications",
    "Procedure": "procedures",
    "Encounter": "encounter",
}
# Of these one that belongs to nobody is a loss; a Practitioner or an Organization never belongs to a patient.
_OWNED = frozenset(_KEY_OF) - {"Medication"} | {"ServiceRequest", "ProcedureRequest", "ReferralRequest", "Appointment"}
_NO_REPLAY_AHEAD = timedelta(0)  # inputs 1.2: in replay and training nothing may claim to be later than the index


def patients(export: Path, *, parts: int = 64, lost: Lost | None = None) -> Iterator[tuple[str, list[Raw]]]:
    """Every patient with all of their resources, as `by_patient`, with one part of them in memory at a time.

    The lines are first sorted into `parts` temporary files by their owner: one reading of the export, whatever its
    size, and memory for a 64th of it. What cannot be read, or is of nobody, is counted in `lost`.
    """
    medications: dict[str, Raw] = {}
    with tempfile.TemporaryDirectory(prefix="mapping-") as folder, contextlib.ExitStack() as opened:
        files = [opened.enter_context((Path(folder) / str(number)).open("w+b")) for number in range(parts)]
        for head, raw in bulk_files.resources(export, Counter() if lost is None else lost):
            if head.resource_type == "Medication" and head.id:
                medications[head.id] = raw
            elif owner := owner_of(head):
                files[zlib.crc32(owner.encode()) % parts].write(_on_one_line(raw))
            elif lost is not None and (kind := lost_type(head)):
                lost[(OF_NOBODY, kind)] += 1
        for file in files:
            file.seek(0)
            sorted_in = ((one, Raw(line)) for line in file if (one := head_of(line)) is not None)
            yield from _grouped(sorted_in, medications).items()


def _on_one_line(raw: Raw) -> bytes:
    text = bytes(raw).strip()
    return (msgspec.json.format(text, indent=-1) if b"\n" in text else text) + b"\n"


def lost_type(head: Head) -> str:
    """The type of a resource that names no patient, and of which one would be expected; "" for the others."""
    return head.resource_type if head.resource_type in _OWNED and owner_of(head) is None else ""


def count_patients(export: Path) -> int:
    """How many Patient resources the export holds: what a progress bar needs to know beforehand."""
    return sum(head.resource_type == "Patient" for head, _ in bulk_files.resources(export, Counter()))


def by_patient(export: Path) -> dict[str, list[Raw]]:
    """Every patient's resources, by patient id; Medications with each patient whose request names them.

    A line that is no JSON, or that belongs to nobody, is left out: `patients` counts them.
    """
    return _grouped(bulk_files.resources(export, Counter()), {})


def _grouped(resources: Iterable[tuple[Head, Raw]], medications: dict[str, Raw]) -> dict[str, list[Raw]]:
    found: dict[str, list[Raw]] = {}
    wanted: dict[str, list[str]] = {}
    for head, raw in resources:
        if head.resource_type == "Medication" and head.id:
            medications[head.id] = raw
        elif owner := owner_of(head):
            found.setdefault(owner, []).append(raw)
            if named := medication_of(head):
                wanted.setdefault(owner, []).append(named)
    for owner, names in wanted.items():
        found[owner] += [medications[name] for name in dict.fromkeys(names) if name in medications]
    return found


def type_of(raw: Raw | bytes) -> str:
    """The resource type; "" for what is no JSON."""
    head = head_of(raw)
    return head.resource_type if head else ""


def medication_of(head: Head) -> str | None:
    """The id of the Medication that a prescription names."""
    named = head.medication_reference and head.medication_reference.reference
    return named.rsplit("/", 1)[-1].removeprefix("urn:uuid:") if named else None


def names_members(head: Head, raw: Raw) -> bool:
    """Whether a result may name others that belong to it: by the name of the member alone, the same in every runner."""
    return head.resource_type == "Observation" and b'"hasMember"' in bytes(raw)


def owner_of(head: Head) -> str | None:
    """The id of the patient whose it is."""
    if head.resource_type == "Patient":
        return head.id
    if head.resource_type == "Appointment":
        return next((one for each in head.participant if (one := referenced_patient(each.actor))), None)
    named = head.subject or head.patient
    return referenced_patient(named) or _in_the_same_bundle(named)


def _in_the_same_bundle(named: Reference | None) -> str | None:
    """The id in `urn:uuid:…`, by which the resources of a Bundle name each other; there a Patient has it as its id."""
    text = (named.reference if named else None) or ""
    return text.removeprefix("urn:uuid:") if text.startswith("urn:uuid:") else None


def searches(resources: Iterable[Raw]) -> SearchResults:
    """The resources as if each prefetch key had been searched with success: an export holds all that there is.

    Every Observation stands under "observations": a record reads all keys together.
    """
    by_key: dict[str, list[Raw]] = {key: [] for key in patient_record.KEYS}
    for raw in resources:
        if key := _KEY_OF.get(type_of(raw)):
            by_key[key].append(raw)
    return {key: SearchResult(resources=tuple(those), supplied="fetched") for key, those in by_key.items()}


def record(
    results: SearchResults,
    *,
    patient_id: str,
    as_of: datetime,
    zone: ZoneInfo,
    maps: ConceptMaps = EMPTY,
    value_sets: ValueSets = STANDARD,
    rules: SiteRules = NO_SITE_RULES,
) -> PatientRecord:
    """The record of one patient as of an index instant: nothing later is read."""
    return patient_record.read_record(
        results,
        patient_id=patient_id,
        as_of=as_of,
        zone=zone,
        maps=maps,
        value_sets=value_sets,
        rules=rules,
        ahead=_NO_REPLAY_AHEAD,
    )


def records(
    directory: Path, *, as_of: Callable[[str], datetime], zone: ZoneInfo, maps: ConceptMaps = EMPTY
) -> Iterator[PatientRecord]:
    """One record per patient of an export; `as_of` gives each patient's index instant by id.

    Patients without a Patient resource are left out. Plain functions of one patient's lines: on a cluster, group the
    lines by patient and map `searches` and `record` over the groups.
    """
    for patient_id, resources in by_patient(directory).items():
        results = searches(resources)
        if results["patient"].resources:
            yield record(results, patient_id=patient_id, as_of=as_of(patient_id), zone=zone, maps=maps)

"""Bulk Data: NDJSON, plain or gzipped, to one PatientRecord per patient; the same derivation as the live hook."""

from __future__ import annotations

import contextlib
import gzip
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw, Struct

from fhir_mappings import patient_record
from fhir_mappings.concept_maps import EMPTY, ConceptMaps
from fhir_mappings.elements import Reference
from fhir_mappings.patient_record import PatientRecord
from fhir_mappings.reading import UNREADABLE_JSON, referenced_patient
from fhir_mappings.search_result import SearchResult, SearchResults

SUFFIXES = (".ndjson", ".ndjson.gz")
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
_NO_REPLAY_AHEAD = timedelta(0)  # inputs 1.2: in replay and training nothing may claim to be later than the index


class _Participant(Struct):
    """Who takes part in an Appointment, which has no subject."""

    actor: Reference | None = None


class Head(Struct, rename="camel"):
    """Whose resource it is, and of which type."""

    resource_type: str = ""
    id: str | None = None
    subject: Reference | None = None
    patient: Reference | None = None
    medication_reference: Reference | None = None
    participant: tuple[_Participant, ...] = ()


_heads = msgspec.json.Decoder(Head)


def lines(directory: Path) -> Iterator[Raw]:
    """Every resource of every NDJSON file of the directory, in the order of the files' names."""
    for path in sorted(directory.iterdir()):
        if path.name.endswith(SUFFIXES):
            yield from lines_of(path)


def lines_of(path: Path) -> Iterator[Raw]:
    """Every line of one file that is not empty, plain or gzipped."""
    with _opened(path) as stream:
        yield from (Raw(line) for line in stream if line.strip())


def patients(directory: Path, *, parts: int = 64) -> Iterator[tuple[str, list[Raw]]]:
    """Every patient with all of their resources, as `by_patient`, with one part of them in memory at a time.

    The lines are first sorted into `parts` temporary files by their owner: one reading of the export, whatever its
    size, and memory for a 64th of it.
    """
    medications: dict[str, Raw] = {}
    with tempfile.TemporaryDirectory(prefix="mapping-") as folder, contextlib.ExitStack() as opened:
        files = [opened.enter_context((Path(folder) / str(number)).open("w+b")) for number in range(parts)]
        for raw in lines(directory):
            head = head_of(raw)
            if head is None:
                continue
            if head.resource_type == "Medication" and head.id:
                medications[head.id] = raw
            elif owner := owner_of(head):
                files[zlib.crc32(owner.encode()) % parts].write(bytes(raw).rstrip() + b"\n")
        for file in files:
            file.seek(0)
            yield from _grouped((Raw(line) for line in file), medications).items()


def count_patients(directory: Path) -> int:
    """How many Patient resources the export holds: what a progress bar needs to know beforehand."""
    return sum(b'"Patient"' in raw and type_of(raw) == "Patient" for raw in map(bytes, lines(directory)))


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb")  # type: ignore[return-value]


def by_patient(directory: Path) -> dict[str, list[Raw]]:
    """Every patient's resources, by patient id; Medications with each patient whose request names them.

    A line that is no JSON, or that belongs to nobody, is left out: mapping_report counts them.
    """
    return _grouped(lines(directory), {})


def _grouped(resources: Iterable[Raw], medications: dict[str, Raw]) -> dict[str, list[Raw]]:
    found: dict[str, list[Raw]] = {}
    wanted: dict[str, list[str]] = {}
    for raw in resources:
        head = head_of(raw)
        if head is None:
            continue
        if head.resource_type == "Medication" and head.id:
            medications[head.id] = raw
        elif owner := owner_of(head):
            found.setdefault(owner, []).append(raw)
            if named := medication_of(head):
                wanted.setdefault(owner, []).append(named)
    for owner, names in wanted.items():
        found[owner] += [medications[name] for name in dict.fromkeys(names) if name in medications]
    return found


def head_of(raw: Raw | bytes) -> Head | None:
    """What is needed to sort a resource; None for what is no JSON."""
    try:
        return _heads.decode(raw)
    except UNREADABLE_JSON:
        return None


def type_of(raw: Raw | bytes) -> str:
    """The resource type; "" for what is no JSON."""
    head = head_of(raw)
    return head.resource_type if head else ""


def medication_of(head: Head) -> str | None:
    """The id of the Medication that a prescription names."""
    named = head.medication_reference and head.medication_reference.reference
    return named.rsplit("/", 1)[-1].removeprefix("urn:uuid:") if named else None


def owner_of(head: Head) -> str | None:
    """The id of the patient whose it is."""
    if head.resource_type == "Patient":
        return head.id
    if head.resource_type == "Appointment":
        return next((one for each in head.participant if (one := referenced_patient(each.actor))), None)
    return referenced_patient(head.subject or head.patient)


def searches(resources: Iterable[Raw]) -> SearchResults:
    """The resources as if each prefetch key had been searched with success: an export holds all that there is.

    Every Observation stands under "observations": a record reads all keys together.
    """
    by_key: dict[str, list[Raw]] = {key: [] for key in patient_record.KEYS}
    for raw in resources:
        if key := _KEY_OF.get(_heads.decode(raw).resource_type):
            by_key[key].append(raw)
    return {key: SearchResult(resources=tuple(those), supplied="fetched") for key, those in by_key.items()}


def record(
    results: SearchResults, *, patient_id: str, as_of: datetime, zone: ZoneInfo, maps: ConceptMaps = EMPTY
) -> PatientRecord:
    """The record of one patient as of an index instant: nothing later is read."""
    return patient_record.read(
        results, patient_id=patient_id, as_of=as_of, zone=zone, maps=maps, ahead=_NO_REPLAY_AHEAD
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

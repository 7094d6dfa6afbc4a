"""What of one person's lists was understood, for the mapping report: entries by reason, code system and code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from fhir_mappings.fhir.elements import CodeableConcept
from fhir_mappings.fhir.resources import (
    Condition,
    DiagnosticReport,
    MedicationRequest,
    MedicationStatement,
    Observation,
    Procedure,
    Resource,
)
from fhir_mappings.patient.past_procedures import names_no_operation
from fhir_mappings.patient.patient_record import PatientRecord
from fhir_mappings.results.nameless import is_nameless
from fhir_mappings.results.observations import is_under_another_code
from fhir_mappings.terminology.code_systems import KNOWN
from fhir_mappings.terminology.concept_maps import Vocabulary
from fhir_mappings.terminology.understanding import (
    NOT_A_CODE,
    Unclear,
    says_absence,
    tellable_coding,
    why_not_understood,
)

LISTS = ("conditions", "medications", "procedures", "reports")
RESULTS = "observations"
READ, UNDERSTOOD, MISSED = "read", "understood", "not-understood"
_LIST_OF: dict[type, str] = {
    Condition: "conditions",
    MedicationRequest: "medications",
    MedicationStatement: "medications",
    Procedure: "procedures",
    DiagnosticReport: "reports",
}

Keys = tuple[str, ...]


class Tally(Protocol):
    """Where it is counted (mapping_counts.Counts)."""

    per_person: Counter[Keys]
    people: Counter[Keys]

    def of_one(self, section: str, found: Counter[Keys]) -> None:
        """Count what one person has of a section, and the person once for each of its keys."""


def count(counts: Tally, record: PatientRecord, resources: Iterable[Resource]) -> None:
    """Count the entries of every list that was asked for, and the results that only have a code of the site's own."""
    read: Counter[str] = Counter()
    entries, systems, codes = _results(record, resources, read)
    whole = True
    for key in LISTS:
        if key not in record.coverage:
            continue
        missed = record.not_understood.lists.get(key, Unclear(read[key]))
        entries.update({(key, READ): missed.read, (key, UNDERSTOOD): missed.read - missed.entries})
        entries.update({(key, MISSED): missed.entries})
        entries.update({(key, str(why)): number for why, number in missed.reasons.items()})
        systems.update(_systems(key, missed, record))
        codes.update(_codes(key, missed, record))
        if missed.entries:
            counts.per_person[(key, str(missed.entries))] += 1
        seen = record.seen(key).gap is None
        counts.people.update({("whole", key): 1} if seen else {})
        whole = whole and seen
    counts.people.update({("whole", ""): 1} if whole else {})
    for section, found in (("entries", entries), ("systems", systems), ("unmapped", codes)):
        counts.of_one(section, +found)


def _systems(key: str, missed: Unclear, record: PatientRecord) -> Counter[Keys]:
    """Entries by what is wrong with a code system: not read at all, or read without this code."""
    found: Counter[Keys] = Counter()
    for (why, system), number in missed.systems.items():
        if why in ("system-not-read", "code-not-listed") and not says_absence(system):
            known = record.words.maps.canonical(system) in KNOWN
            found[(key, "code-not-listed" if known else "system-not-read", system)] += number
    return found


def _codes(key: str, missed: Unclear, record: PatientRecord) -> Counter[Keys]:
    """Entries by the codes that are not understood; those of words only under no code."""
    found: Counter[Keys] = Counter({(key, "", ""): missed.reasons.get("words-only", 0)})
    for (system, code), number in missed.codes.items():
        if code == NOT_A_CODE or says_absence(system):
            continue
        no_operation = key == "procedures" and names_no_operation(system, code, record.words)
        if no_operation or why_not_understood(system, code, record.words) in ("system-not-read", "code-not-listed"):
            found[(key, system, code)] += number
    return found


def _results(
    record: PatientRecord, resources: Iterable[Resource], read: Counter[str]
) -> tuple[Counter[Keys], Counter[Keys], Counter[Keys]]:
    """Results that nothing maps, by reason, system and code; and in `read` how many entries each list has."""
    entries: Counter[Keys] = Counter()
    systems: Counter[Keys] = Counter()
    codes: Counter[Keys] = Counter()
    for resource in resources:
        if isinstance(resource, Observation):
            if is_nameless(resource.code, record.words) or is_under_another_code(resource.code, record.words):
                _count_result(resource.code, record.words, entries, systems, codes)
        elif key := _LIST_OF.get(type(resource)):
            read[key] += 1
    return entries, systems, codes


def _count_result(
    concept: CodeableConcept,
    words: Vocabulary,
    entries: Counter[Keys],
    systems: Counter[Keys],
    codes: Counter[Keys],
) -> None:
    own = [one for one in concept.coding if not says_absence(one.system)]
    if not own:
        entries[(RESULTS, "masked" if concept.coding else "words-only")] += 1
        codes.update({(RESULTS, "", ""): 1} if not concept.coding else {})
        return
    pairs = {tellable_coding(one.system, one.code) for one in own}
    whys = {
        system: "code-not-listed" if words.maps.canonical(system) in KNOWN else "system-not-read" for system, _ in pairs
    }
    entries[(RESULTS, max(whys.values()))] += 1
    systems.update({(RESULTS, why, system) for system, why in whys.items()})
    codes.update((RESULTS, *pair) for pair in pairs)

"""PatientRecord: what the searches said of one patient, as of one instant; frozen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from fhir_mappings.fhir import decode_resources, references
from fhir_mappings.fhir.clock import AHEAD, Clock, clock
from fhir_mappings.fhir.coverage import NOT_PROVIDED, Coverage, together
from fhir_mappings.fhir.decode_resources import ReadResources, WrongPatientError
from fhir_mappings.fhir.given_medicines import MedicationAdministration, MedicationDispense
from fhir_mappings.fhir.resources import (
    Condition,
    DiagnosticReport,
    Encounter,
    Medication,
    MedicationRequest,
    MedicationStatement,
    Observation,
    Patient,
    Procedure,
    ServiceRequest,
)
from fhir_mappings.fhir.search_result import SearchResult, SearchResults
from fhir_mappings.patient import demographics, diagnoses, medications, past_procedures
from fhir_mappings.patient.demographics import Person
from fhir_mappings.patient.diagnoses import Diagnoses
from fhir_mappings.patient.findings import IMAGING_DAYS, Conclusion, conclusions
from fhir_mappings.patient.medications import Medications
from fhir_mappings.patient.past_procedures import PastProcedure
from fhir_mappings.patient.pregnancy import Pregnancy, pregnancy
from fhir_mappings.results import observations as observed
from fhir_mappings.results import within_results
from fhir_mappings.results.focus import Whose
from fhir_mappings.results.gap_ages import gap_ages
from fhir_mappings.results.nameless import named, unnamed
from fhir_mappings.results.observations import RecordedByInput
from fhir_mappings.results.result_inputs import RECORDED
from fhir_mappings.results.site_inputs import SiteInput
from fhir_mappings.results.site_rules import NO_SITE_RULES, SiteRules
from fhir_mappings.terminology.concept_maps import EMPTY, ConceptMaps, Vocabulary, vocabulary
from fhir_mappings.terminology.understanding import Counted, NotUnderstood, Unclear, Why
from fhir_mappings.terminology.value_sets import STANDARD, ValueSets

__all__ = ["KEYS", "PatientRecord", "WrongPatientError", "read_record"]

# The prefetch keys, in the order in which they are asked for (queries.py).
KEYS = ("patient", "conditions", "labs", "observations", "medications", "procedures", "encounter", "orders", "reports")
_RESULTS = ("labs", "observations")  # whatever stands under either: one that was not read may be of any input
_MEDICINES = (MedicationRequest, MedicationStatement, MedicationDispense, MedicationAdministration, Medication)
_FINISHED = frozenset({"finished", "cancelled", "entered-in-error"})
_EMERGENCY = "EMER"  # http://terminology.hl7.org/CodeSystem/v3-ActCode


class PatientRecord(Struct, frozen=True, kw_only=True):
    """Facts with unit, time and source, as of `as_of`; what was set aside, counted by reason.

    `coverage`: per prefetch key, how far that kind of data was seen; `not_understood`: what of them was not.
    `inputs`: laboratory values that the site added.
    """

    patient_id: str
    clock: Clock
    words: Vocabulary
    coverage: Mapping[str, Coverage]
    set_aside: Mapping[str, int]
    not_understood: NotUnderstood
    person: Person | None
    diagnoses: Diagnoses
    recorded: RecordedByInput
    medications: Medications
    procedures: tuple[PastProcedure, ...]
    emergency_encounter: str | None
    pregnancy: Pregnancy
    conclusions: tuple[Conclusion, ...] = ()
    orders: tuple[ServiceRequest, ...] = ()
    inputs: tuple[SiteInput, ...] = ()

    @property
    def as_of(self) -> datetime:
        """The instant as of which everything holds (aware)."""
        return self.clock.as_of

    @property
    def zone(self) -> ZoneInfo:
        """The tenant's zone."""
        return self.clock.zone

    @property
    def deceased(self) -> bool:
        """Whether the patient is recorded as dead."""
        return self.person is not None and self.person.deceased

    def reports_beside(self, key: str) -> Coverage:
        """How far one kind of data and, where the site's reports are asked for, those of their year were seen."""
        seen = self.seen(key).within(IMAGING_DAYS)
        return together((seen, self.coverage["reports"]) if "reports" in self.coverage else (seen,))

    def seen(self, key: str) -> Coverage:
        """How far one kind of data was seen."""
        return self.coverage.get(key, NOT_PROVIDED)


def read_record(  # everything that a record depends on
    results: SearchResults,
    *,
    patient_id: str,
    as_of: datetime,
    zone: ZoneInfo,
    maps: ConceptMaps = EMPTY,
    value_sets: ValueSets = STANDARD,
    rules: SiteRules = NO_SITE_RULES,
    ahead: timedelta = AHEAD,
) -> PatientRecord:
    """The record of `patient_id` as of `as_of` (aware; ValueError if not).

    `ahead`: how far after `as_of` a record may claim to be; zero in replay and training. Raises WrongPatientError
    if any resource names another patient.
    """
    now, words = clock(as_of, zone, ahead), vocabulary(value_sets, maps)
    parts = {
        key: decode_resources.decode_resources(key, result, patient_id, results.values())
        for key, result in results.items()
    }
    sorted_out = _sorted_out(parts.values())
    names = RECORDED + tuple([one.rule.idea for one in rules.inputs])
    aside = [one for part in parts.values() for one in part.unread]
    patient = next(iter(sorted_out[Patient]), None)
    within = within_results.sorted_out(
        sorted_out[Observation],
        sorted_out[DiagnosticReport],
        aside,
        Whose(patient_id, patient, {name: raw for result in results.values() for name, raw in result.named}),
        lambda code: observed.means_input(code, words, names),
    )
    recorded, unreadable, nameless = observed.index(within.observations, words, names, rules)
    for unread in (within.unread, aside):
        observed.file_unread(unread, words, names, recorded)
    if unreadable:
        parts = {key: decode_resources.without(part, unreadable) for key, part in parts.items()}
    medicines = [one for kind in _MEDICINES for one in sorted_out[kind]]
    of_bundles = references.named_medications(results.values())
    found, of_diagnoses = diagnoses.read_conditions(sorted_out[Condition], words, now)
    taken, of_medicines = medications.read_medications(medicines, words, now, of_bundles)
    past, of_procedures = past_procedures.read_procedures(sorted_out[Procedure], words, now)
    concluded, of_reports = conclusions(sorted_out[DiagnosticReport], words, now)
    counted = {
        "conditions": of_diagnoses,
        "medications": of_medicines,
        "procedures": of_procedures,
        "reports": of_reports,
    }
    elsewhere = demographics.is_elsewhere(patient)
    results = {
        key: replace(result, truncated=True) if parts[key].cut or (elsewhere and key != "patient") else result
        for key, result in results.items()
    }
    unclear = {key: _unclear(result, parts[key], counted.get(key)) for key, result in results.items()}
    set_aside = sum(_unnamed(unclear[key], parts[key], words) for key in _RESULTS if key in unclear)
    apart = unnamed(within.unread, words)
    results_unread = len(nameless) + len(within.not_sent) + len(apart) + set_aside
    apart += [when for key in _RESULTS if key in parts for when in unnamed(parts[key].unread, words)]
    ages = gap_ages([*nameless, *within.not_sent, *([when] for when in apart)], now)
    coverage = {
        key: _coverage(result, parts[key], (results_unread,) * 2, rules, ages)
        if key in _RESULTS
        else _coverage(result, parts[key], _gaps(unclear[key]), rules)
        for key, result in results.items()
    }
    return PatientRecord(
        patient_id=patient_id,
        clock=now,
        words=words,
        coverage=coverage,
        set_aside=_set_aside(parts.values(), of_diagnoses),
        not_understood=NotUnderstood(
            {key: one for key, one in unclear.items() if key in counted and one.reasons}, rules.unread_is_absent
        ),
        person=demographics.person(patient) if patient else None,
        diagnoses=found,
        recorded=recorded,
        medications=taken,
        procedures=past,
        emergency_encounter=_emergency(sorted_out[Encounter]),
        pregnancy=pregnancy(
            recorded,
            found,
            words,
            diagnoses_seen=coverage.get("conditions", NOT_PROVIDED),
            answers_seen=coverage.get("observations", NOT_PROVIDED),
            now=now,
        ),
        conclusions=concluded,
        orders=tuple(sorted_out[ServiceRequest]),
        inputs=rules.inputs,
    )


def _sorted_out(parts: Iterable[ReadResources]) -> dict[type, list[Any]]:
    """The resources by type; a search for one type, which nearly all are, is taken over whole."""
    found: dict[type, list[Any]] = defaultdict(list)
    for part in parts:
        if len(types := set(map(type, part.resources))) == 1:
            found[types.pop()].extend(part.resources)
            continue
        for resource in part.resources:
            found[type(resource)].append(resource)
    return found


# Why a resource was set aside (decode_resources.py), as a reason for not understanding an entry.
_ASIDE: dict[str, Why] = {
    decode_resources.UNREADABLE: "unread",
    decode_resources.FHIR_VERSION: "unread",
    decode_resources.SUBJECT_UNKNOWN: "subject-unclear",
    decode_resources.MODIFIER: "modifier-unknown",
}


_NO_OTHERS: dict[Why, int] = {}
_NOTHING_UNCLEAR = Unclear()


def _unclear(result: SearchResult, part: ReadResources, counted: Counted | None) -> Unclear:
    """What of one kind of data was not understood, entries that never became a resource included."""
    if not (part.set_aside or result.unread_entries or result.not_sent):
        return counted.unclear(_NO_OTHERS) if counted is not None else _NOTHING_UNCLEAR
    counted = counted or Counted()
    others: Counter[Why] = Counter()
    for reason, count in part.set_aside.items():
        others[_ASIDE[reason]] += count
    others["unread"] += result.unread_entries
    others["not-sent"] += result.not_sent
    texts = {bytes(one) if isinstance(one, Raw) else msgspec.json.encode(one) for one in part.unread}
    return counted.unclear(+others, len(part.unread) - len(texts))


def _unnamed(unclear: Unclear, part: ReadResources, words: Vocabulary) -> int:
    """How many results were not read that do not even say of what they are: they could be of any input."""
    return max(0, unclear.entries - named(part.unread, words))


def _gaps(unclear: Unclear) -> tuple[int, int]:
    return unclear.entries, unclear.current


def _coverage(
    result: SearchResult, part: ReadResources, gaps: tuple[int, int], rules: SiteRules, ages: tuple[float, ...] = ()
) -> Coverage:
    unclear, unclear_now = (0, 0) if rules.unread_is_absent else gaps
    return Coverage(
        failure=result.failure,
        truncated=result.truncated,
        partial=result.partial or (bool(gaps[0]) and bool(part.resources)),
        unclear=unclear,
        unclear_now=unclear_now,
        ages=() if rules.unread_is_absent else ages,
        cut=result.partial,
    )


def _set_aside(parts: Iterable[ReadResources], of_diagnoses: Counted) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for part in parts:
        if part.set_aside:
            counted.update(part.set_aside)
    if uncoded := of_diagnoses.reasons.get("words-only", 0):
        counted["no-code"] += uncoded
    return dict(counted)


def _emergency(encounters: Iterable[Encounter]) -> str | None:
    for encounter in encounters:
        emergency = encounter.kind is not None and encounter.kind.code == _EMERGENCY
        if emergency and encounter.status not in _FINISHED:
            return f"Encounter/{encounter.id or ''}"
    return None

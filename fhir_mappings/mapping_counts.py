"""What is counted of one person's data for the mapping report: counts only, of codes, units, statuses and orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Raw, Struct

from fhir_mappings import bulk, features, quantities, reading
from fhir_mappings.code_systems import KNOWN, canonical
from fhir_mappings.concept_maps import EMPTY, ConceptMaps
from fhir_mappings.drug_classes import UNKNOWN, understood
from fhir_mappings.elements import CodeableConcept, MedicineConcept
from fhir_mappings.measurement_rules import RULES
from fhir_mappings.orders import UnsupportedVersionError, read_order
from fhir_mappings.patient_record import PatientRecord
from fhir_mappings.procedures import NoProcedure, PlannedProcedure, planned
from fhir_mappings.reading import UNREADABLE_JSON, WrongPatientError
from fhir_mappings.resources import Condition, MedicationRequest, MedicationStatement, Observation, Procedure
from fhir_mappings.search_result import SearchResult, SearchResults

# With what the features are derived where a patient has no order: only urgency and the operation rest on it.
_NO_ORDER = PlannedProcedure(group="spine-fusion", label="", system="", code="", order="")
_ORDERS = frozenset({"ServiceRequest", "ProcedureRequest", "ReferralRequest", "Appointment"})
_OF_THE_ORDER = ("urgency", "procedure_group", "planned_duration")
_SECTIONS = ("coverage", "present", "unmapped", "units", "orders", "set_aside", "searches")

Keys = tuple[str, ...]


class Person(Struct, frozen=True, gc=False):
    """One patient's data: what each search found, and every order among it."""

    id: str
    results: SearchResults
    orders: tuple[Raw, ...] = ()


class Site(Struct, frozen=True):
    """As of when, in which zone and by which maps a site's data are read."""

    as_of: datetime
    zone: ZoneInfo
    maps: ConceptMaps = EMPTY


class Counts:
    """What is being counted while the patients go by; two of them add up, so that many machines may count."""

    def __init__(self) -> None:
        self.patients = self.unreadable = 0
        self.coverage: Counter[Keys] = Counter()
        self.present: Counter[Keys] = Counter()
        self.unmapped: Counter[Keys] = Counter()
        self.units: Counter[Keys] = Counter()
        self.orders: Counter[Keys] = Counter()
        self.set_aside: Counter[Keys] = Counter()
        self.searches: Counter[Keys] = Counter()

    def add(self, other: Counts) -> Counts:
        """These counts with the other's in them."""
        self.patients += other.patients
        self.unreadable += other.unreadable
        for section in _SECTIONS:
            getattr(self, section).update(getattr(other, section))
        return self


def of_resources(patient_id: str, resources: Iterable[Raw]) -> Person:
    """A person of an export, which holds all that there is: as if every search had been made with success."""
    everything = tuple(resources)
    orders = tuple(raw for raw in everything if bulk.type_of(raw) in _ORDERS)
    return Person(patient_id, bulk.searches(everything), orders)


def count(counts: Counts, person: Person, site: Site) -> None:
    """Count one person; one whose data name another patient is counted as unreadable, and nothing else of it."""
    results = person.results
    try:
        record = bulk.record(results, patient_id=person.id, as_of=site.as_of, zone=site.zone, maps=site.maps)
    except WrongPatientError:
        counts.unreadable += 1
        return
    counts.patients += 1
    for name, feature in features.derive(record, _NO_ORDER).items():
        if name not in _OF_THE_ORDER:
            counts.coverage[(name, feature.status, feature.reason or "")] += 1
            if feature.usable and feature.value is True:
                counts.present[(name,)] += 1
    for reason, number in record.set_aside.items():
        counts.set_aside[(reason,)] += number
    for key, result in results.items():
        if result.failure or result.truncated:
            counts.searches[(key, result.failure or "truncated")] += 1
    _count_units(counts, record)
    _count_codes(counts, record, results.values(), person.id)
    _count_orders(counts, person.orders, person.id, site.maps)


def _count_units(counts: Counts, record: PatientRecord) -> None:
    for name, recorded in record.recorded.items():
        rule = RULES.get(name)
        for one in recorded if rule else ():
            assert rule is not None  # noqa: S101 - for the type checker
            read = quantities.read(rule, one.valued)
            quantity = one.valued.value_quantity
            if (read.reason or "").startswith("unit-") or "unit-assumed" in read.flags:
                written = (quantity.code or quantity.unit or "") if quantity else ""
                counts.units[(name, written[:40], read.reason or "unit-assumed")] += 1


def _count_codes(counts: Counts, record: PatientRecord, results: Iterable[SearchResult], patient_id: str) -> None:
    for result in results:
        for resource in reading.read("export", result, patient_id).resources:
            kind = type(resource).__name__
            if isinstance(resource, MedicationRequest | MedicationStatement):
                concept = resource.medication_codeable_concept
                if concept is not None and understood(concept, (), record.words) is UNKNOWN:
                    counts.unmapped.update((kind, *pair) for pair in _pairs(concept))
            elif isinstance(resource, Condition | Observation | Procedure) and not _is_known(resource.code, record):
                counts.unmapped.update((kind, *pair) for pair in _pairs(resource.code))


def _is_known(concept: CodeableConcept, record: PatientRecord) -> bool:
    """Whether a coding is of a standard system, or the site's map has it."""
    return any(
        record.words.maps.canonical(one.system) in KNOWN or record.words.ideas(one.system, one.code)
        for one in concept.coding
    ) or bool(concept.text and record.words.ideas_of_text(concept.text))


def _pairs(concept: CodeableConcept | MedicineConcept) -> list[tuple[str, str]]:
    """The (system, code) pairs, shortened; one pair of nothing for words only, which are never repeated here."""
    return [(canonical(one.system)[:120], (one.code or "")[:60]) for one in concept.coding] or [("", "")]


def _count_orders(counts: Counts, resources: Iterable[Raw], patient_id: str, maps: ConceptMaps) -> None:
    for raw in resources:
        try:
            found = planned([raw], patient_id=patient_id, maps=maps)
            order = read_order(raw)
        except (WrongPatientError, UnsupportedVersionError, *UNREADABLE_JSON):
            counts.orders[("fhir-version-unsupported", "", "")] += 1
            continue
        outcome = found.reason if isinstance(found, NoProcedure) else found[0].group
        pairs = _pairs(order.codes[0]) if order and order.codes else [("", "")]
        counts.orders[(outcome, *pairs[0])] += 1

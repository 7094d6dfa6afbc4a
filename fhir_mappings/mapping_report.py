"""What a site's data would become: coverage per input, unmapped codes and orders by volume, unit problems (R-D05)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
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
from fhir_mappings.procedures import GROUPS, NoProcedure, PlannedProcedure, planned
from fhir_mappings.reading import UNREADABLE_JSON, WrongPatientError
from fhir_mappings.resources import Condition, MedicationRequest, MedicationStatement, Observation, Procedure
from fhir_mappings.search_result import SearchResult

# With what the features are derived where a patient has no order: only urgency and the operation rest on it.
_NO_ORDER = PlannedProcedure(group="spine-fusion", label="", system="", code="", order="")
_ORDERS = (b'"ServiceRequest"', b'"ProcedureRequest"', b'"ReferralRequest"', b'"Appointment"')
_OF_THE_ORDER = ("urgency", "procedure_group", "planned_duration")

Patients = Iterable[tuple[str, Iterable[Raw]]]
Counted = tuple[tuple[str, ...], int]


class MappingReport(Struct, frozen=True, kw_only=True):
    """Counts only: no identifier, no value, no text of a patient.

    `coverage`: (input, status, reason) and in how many patients. `unmapped`: (resource type, system, code) that no
    map and no value set knows, text-only resources as ("Condition", "", ""). `units`: (input, unit as written,
    reason). `orders`: (outcome, system, code), the outcome a procedure group or why there is none.
    """

    patients: int
    unreadable_patients: int
    coverage: tuple[Counted, ...]
    unmapped: tuple[Counted, ...]
    units: tuple[Counted, ...]
    orders: tuple[Counted, ...]
    set_aside: tuple[Counted, ...]

    @property
    def order_coverage(self) -> float | None:
        """The part of the possible operations that is mapped, by volume; None without any. The gate is 0.95."""
        mapped = sum(count for (outcome, *_), count in self.orders if outcome in GROUPS)
        surgical = sum(count for (outcome, *_), count in self.orders if outcome != "not-surgical")
        return mapped / surgical if surgical else None


class _Counts:
    """What is being counted while the patients go by."""

    def __init__(self) -> None:
        self.patients = self.unreadable = 0
        self.coverage: Counter[tuple[str, ...]] = Counter()
        self.unmapped: Counter[tuple[str, ...]] = Counter()
        self.units: Counter[tuple[str, ...]] = Counter()
        self.orders: Counter[tuple[str, ...]] = Counter()
        self.set_aside: Counter[tuple[str, ...]] = Counter()


def of_export(directory: Path) -> Patients:
    """The patients of a Bulk Data export, as `report` takes them."""
    return bulk.by_patient(directory).items()


def report(
    patients: Patients,
    *,
    as_of: datetime,
    zone: ZoneInfo,
    maps: ConceptMaps = EMPTY,
    progress: Callable[[int], None] = lambda _: None,
) -> MappingReport:
    """What these patients' data would become as of `as_of`; `progress` is told how many patients are done."""
    counts = _Counts()
    for done, (patient_id, resources) in enumerate(patients, start=1):
        _count(counts, patient_id, tuple(resources), as_of=as_of, zone=zone, maps=maps)
        progress(done)
    return MappingReport(
        patients=counts.patients,
        unreadable_patients=counts.unreadable,
        coverage=_sorted(counts.coverage),
        unmapped=_sorted(counts.unmapped),
        units=_sorted(counts.units),
        orders=_sorted(counts.orders),
        set_aside=_sorted(counts.set_aside),
    )


def _sorted(counter: Counter[tuple[str, ...]]) -> tuple[Counted, ...]:
    """The most frequent first; equals in the order of their names."""
    return tuple(sorted(counter.items(), key=lambda pair: (-pair[1], pair[0])))


def _count(
    counts: _Counts, patient_id: str, resources: tuple[Raw, ...], *, as_of: datetime, zone: ZoneInfo, maps: ConceptMaps
) -> None:
    results = bulk.searches(resources)
    try:
        record = bulk.record(results, patient_id=patient_id, as_of=as_of, zone=zone, maps=maps)
    except WrongPatientError:
        counts.unreadable += 1
        return
    counts.patients += 1
    for name, feature in features.derive(record, _NO_ORDER).items():
        if name not in _OF_THE_ORDER:
            counts.coverage[(name, feature.status, feature.reason or "")] += 1
    for reason, number in record.set_aside.items():
        counts.set_aside[(reason,)] += number
    _count_units(counts, record)
    _count_codes(counts, record, results.values(), patient_id)
    _count_orders(counts, resources, patient_id, maps)


def _count_units(counts: _Counts, record: PatientRecord) -> None:
    for name, recorded in record.recorded.items():
        rule = RULES.get(name)
        for one in recorded if rule else ():
            assert rule is not None  # noqa: S101 - for the type checker
            read = quantities.read(rule, one.valued)
            quantity = one.valued.value_quantity
            if (read.reason or "").startswith("unit-") or "unit-assumed" in read.flags:
                written = (quantity.code or quantity.unit or "") if quantity else ""
                counts.units[(name, written[:40], read.reason or "unit-assumed")] += 1


def _count_codes(counts: _Counts, record: PatientRecord, results: Iterable[SearchResult], patient_id: str) -> None:
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
        canonical(one.system) in KNOWN or record.words.ideas(one.system, one.code) for one in concept.coding
    ) or bool(concept.text and record.words.ideas_of_text(concept.text))


def _pairs(concept: CodeableConcept | MedicineConcept) -> list[tuple[str, str]]:
    """The (system, code) pairs, shortened; one pair of nothing for words only, which are never repeated here."""
    return [(canonical(one.system)[:120], (one.code or "")[:60]) for one in concept.coding] or [("", "")]


def _count_orders(counts: _Counts, resources: Iterable[Raw], patient_id: str, maps: ConceptMaps) -> None:
    for raw in resources:
        if not any(kind in bytes(raw)[:60] for kind in _ORDERS):
            continue
        try:
            found = planned([raw], patient_id=patient_id, maps=maps)
            order = read_order(raw)
        except (WrongPatientError, UnsupportedVersionError, *UNREADABLE_JSON):
            counts.orders[("fhir-version-unsupported", "", "")] += 1
            continue
        outcome = found.reason if isinstance(found, NoProcedure) else found[0].group
        pairs = _pairs(order.codes[0]) if order and order.codes else [("", "")]
        counts.orders[(outcome, *pairs[0])] += 1


def statuses(found: MappingReport) -> Mapping[str, Counter[str]]:
    """Per input, in how many patients it ends in which status."""
    by_input: dict[str, Counter[str]] = {}
    for (name, status, _), count in found.coverage:
        by_input.setdefault(name, Counter())[status] += count
    return by_input

"""What is counted of one person's data for the mapping report: counts only, of codes, units, statuses and orders."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Raw, Struct

from fhir_mappings.features import features
from fhir_mappings.fhir import decode_resources
from fhir_mappings.fhir.coverage import NOT_UNDERSTOOD
from fhir_mappings.fhir.decode_resources import UNREADABLE_JSON, WrongPatientError
from fhir_mappings.fhir.resources import Resource
from fhir_mappings.fhir.search_result import SearchResults
from fhir_mappings.orders.orders import UnsupportedVersionError, read_order
from fhir_mappings.orders.procedures import NoProcedure, PlannedProcedure, planned
from fhir_mappings.patient.findings import CONCLUDED
from fhir_mappings.patient.patient_record import PatientRecord
from fhir_mappings.report import bulk, bulk_files, mapping_lists
from fhir_mappings.results import quantities
from fhir_mappings.results.feature import Feature
from fhir_mappings.results.result_inputs import OF_FEATURES
from fhir_mappings.results.site_rules import NO_SITE_RULES, SiteRules
from fhir_mappings.terminology.concept_maps import EMPTY, ConceptMaps
from fhir_mappings.terminology.understanding import tellable_coding
from fhir_mappings.terminology.value_sets import STANDARD, ValueSets

# With what the features are derived where a patient has no order: only urgency and the operation rest on it.
_NO_ORDER = PlannedProcedure(group="spine-fusion", label="", system="", code="", order="")
_ORDERS = frozenset({"ServiceRequest", "ProcedureRequest", "ReferralRequest", "Appointment"})
_OF_THE_ORDER = ("urgency", "procedure_group", "planned_duration")
SECTIONS = (
    *("coverage", "present", "entries", "per_person", "systems", "unmapped"),
    *("units", "orders", "set_aside", "searches", "lost"),
)
RANGE = "range"
# The letters and signs in which units are printed: "mg/dL", "10*9/L", "mmol/mol{Hb}", "10⁹/l", "mm Hg", "°C".
_UNIT = re.compile(r"[\w%/*^.\[\]{}()'°\-+]{1,20}( [\w%/*^.\[\]{}()'°\-+]{1,10})?")
_LONGEST_UNIT = 20
NO_UNIT = "not a unit"

Keys = tuple[str, ...]


class CountedPerson(Struct, frozen=True, gc=False):
    """One patient's data: what each search found, and every order among it."""

    id: str
    results: SearchResults
    orders: tuple[Raw, ...] = ()


class MappingSite(Struct, frozen=True):
    """As of when, in which zone and by which maps, codes, units and values of its own a site's data are read."""

    as_of: datetime
    zone: ZoneInfo
    maps: ConceptMaps = EMPTY
    value_sets: ValueSets = STANDARD
    rules: SiteRules = NO_SITE_RULES


class Counts:
    """What is being counted while the patients go by; two of them add up, so that many machines may count.

    `people`: of how many people each key of a section is, by (section, *key), where that is counted.
    """

    def __init__(self) -> None:
        self.patients = self.unreadable = 0
        self.coverage: Counter[Keys] = Counter()
        self.present: Counter[Keys] = Counter()
        self.entries: Counter[Keys] = Counter()
        self.per_person: Counter[Keys] = Counter()
        self.systems: Counter[Keys] = Counter()
        self.unmapped: Counter[Keys] = Counter()
        self.units: Counter[Keys] = Counter()
        self.orders: Counter[Keys] = Counter()
        self.set_aside: Counter[Keys] = Counter()
        self.searches: Counter[Keys] = Counter()
        self.lost: Counter[Keys] = Counter()
        self.people: Counter[Keys] = Counter()

    def add(self, other: Counts) -> Counts:
        """These counts with the other's in them."""
        self.patients += other.patients
        self.unreadable += other.unreadable
        for section in SECTIONS:
            getattr(self, section).update(getattr(other, section))
        self.people.update(other.people)
        return self

    def of_one(self, section: str, found: Mapping[Keys, int]) -> None:
        """Count what one person has of a section, and the person once for each of its keys."""
        getattr(self, section).update(found)
        self.people.update((section, *keys) for keys in found)


def of_resources(patient_id: str, resources: Iterable[Raw]) -> CountedPerson:
    """A person of an export, which holds all that there is: as if every search had been made with success."""
    everything = tuple(resources)
    orders = tuple(raw for raw in everything if bulk.type_of(raw) in _ORDERS)
    return CountedPerson(patient_id, bulk.searches(everything), orders)


def count(counts: Counts, person: CountedPerson, site: MappingSite) -> None:
    """Count one person; one whose data name another patient, or who has no Patient resource, as that and no more."""
    results = _as_asked(person.results, site)
    if not results["patient"].resources and results["patient"].succeeded:
        counts.lost[(bulk_files.NO_PATIENT,)] += 1
        return
    try:
        record = bulk.record(
            results,
            patient_id=person.id,
            as_of=site.as_of,
            zone=site.zone,
            maps=site.maps,
            value_sets=site.value_sets,
            rules=site.rules,
        )
    except WrongPatientError:
        counts.unreadable += 1
        return
    counts.patients += 1
    _count_inputs(counts, record)
    for reason, number in record.set_aside.items():
        counts.set_aside[(reason,)] += number
    for key, result in results.items():
        if result.failure or result.truncated:
            counts.searches[(key, result.failure or "truncated")] += 1
    _count_units(counts, record)
    mapping_lists.count(counts, record, _read(results, person.id))
    _count_orders(counts, person.orders, person.id, site)


def _as_asked(results: SearchResults, site: MappingSite) -> SearchResults:
    """As the hook would ask: reports only where the site's maps say what their conclusions mean (queries.py)."""
    if site.maps.codes_for(frozenset(CONCLUDED), site.value_sets):
        return results
    return {key: result for key, result in results.items() if key != "reports"}


def _read(results: SearchResults, patient_id: str) -> Iterator[Resource]:
    return (
        one
        for result in results.values()
        for one in decode_resources.decode_resources("export", result, patient_id).resources
    )


def _count_inputs(counts: Counts, record: PatientRecord) -> None:
    for name, feature in features.derive(record, _NO_ORDER).items():
        if name not in _OF_THE_ORDER:
            counts.coverage[(name, _status(feature), feature.reason or "")] += 1
            if feature.usable and feature.value is True:
                counts.present[(name,)] += 1


def _status(feature: Feature) -> str:
    """The status; `range` where it is missing because an entry was not understood that could make it true (DEC-38)."""
    return RANGE if feature.reason == NOT_UNDERSTOOD and feature.could_be and not feature.usable else feature.status


def _count_units(counts: Counts, record: PatientRecord) -> None:
    own = {one.rule.idea: one.rule for one in record.inputs}
    for name, recorded in record.recorded.items():
        rule = OF_FEATURES.get(name) or own.get(name)
        for one in recorded if rule else ():
            assert rule is not None  # noqa: S101 - for the type checker
            read = quantities.read_value(rule, one.valued)
            quantity = one.valued.value_quantity
            if (read.reason or "").startswith("unit-") or "unit-assumed" in read.flags:
                written = (quantity.code or quantity.unit or "") if quantity else ""
                counts.units[(rule.name, _as_unit(written), read.reason or "unit-assumed")] += 1


def _as_unit(written: str) -> str:
    """A unit as written, where it has the form of one: what people write in its place are words."""
    return written if not written or (len(written) <= _LONGEST_UNIT and _UNIT.fullmatch(written)) else NO_UNIT


def _count_orders(counts: Counts, resources: Iterable[Raw], patient_id: str, site: MappingSite) -> None:
    for raw in resources:
        try:
            found = planned([raw], patient_id=patient_id, maps=site.maps, value_sets=site.value_sets, done_too=True)
            order = read_order(raw)
        except (WrongPatientError, UnsupportedVersionError, *UNREADABLE_JSON):
            counts.orders[("fhir-version-unsupported", "", "")] += 1
            continue
        outcome = found.reason if isinstance(found, NoProcedure) else found[0].group
        codings = order.codes[0].coding if order and order.codes else ()
        pair = tellable_coding(codings[0].system, codings[0].code) if codings else ("", "")
        counts.orders[(outcome, *pair)] += 1

"""What the patient takes now: MedicationRequest and MedicationStatement by class (inputs 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.fhir.clock import Clock, is_ahead
from fhir_mappings.fhir.coverage import Coverage, together
from fhir_mappings.fhir.dates import Moment, moment
from fhir_mappings.fhir.decode_resources import UNREADABLE_JSON
from fhir_mappings.fhir.elements import CodeableConcept, Dosage, Period, Reference
from fhir_mappings.fhir.resources import Medication, MedicationRequest, MedicationStatement
from fhir_mappings.patient.diagnoses import Diagnoses
from fhir_mappings.patient.diagnosis_features import no, yes
from fhir_mappings.results.feature import Feature
from fhir_mappings.terminology.concept_maps import Vocabulary
from fhir_mappings.terminology.drug_classes import UNKNOWN, Drug, joined, understood
from fhir_mappings.terminology.understanding import Counted, Why, of_concept, says_none_known

# https://hl7.org/fhir/R4/valueset-medicationrequest-intent.html
_ORDERED = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
_LONG_AGO = timedelta(days=365)
# https://hl7.org/fhir/R4/valueset-medicationrequest-status.html and valueset-medication-statement-status.html; an entry
# with another status, or none, might be taken, and so might one whose status is "unknown": nobody knows which applies.
_STATUSES = frozenset(
    {"active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "intended", "not-taken"}
)
_INTENTS = _ORDERED | {"proposal", "plan", "option"}

# Inputs 6: the class of each input, and the diagnosis that says the same.
INPUTS = {
    "insulin": ("insulin", "insulin-use"),
    "anticoagulant": ("anticoagulant", "anticoagulant-use"),
    "antiplatelet": ("antiplatelet", "antiplatelet-use"),
    "steroid": ("steroid", "steroid-use"),
    "opioid": ("opioid", "opioid-use"),
}

Prescribed = MedicationRequest | MedicationStatement


class Medicine(Struct, frozen=True, gc=False):
    """One medicine that is taken now."""

    source: str
    drug: Drug
    when: Moment | None
    flags: tuple[str, ...] = ()


class Medications(Struct, frozen=True, dict=True):
    """What is taken now."""

    taken: tuple[Medicine, ...] = ()

    def of(self, drug_class: str) -> tuple[Medicine, ...]:
        """The medicines of a class, the latest first."""
        return self._by_class.get(drug_class, ())

    @cached_property
    def _by_class(self) -> dict[str, tuple[Medicine, ...]]:
        latest_first = sorted(self.taken, key=lambda one: (-_seconds(one.when), one.source))
        found: dict[str, list[Medicine]] = {}
        for one in latest_first:
            for drug_class in dict.fromkeys(name for name, _ in one.drug.classes):
                found.setdefault(drug_class, []).append(one)
        return {drug_class: tuple(medicines) for drug_class, medicines in found.items()}


def _seconds(when: Moment | None) -> float:
    return when.time.timestamp() if when else 0.0


def read_medications(
    resources: Iterable[object], words: Vocabulary, now: Clock, named: Mapping[str, Medication] | None = None
) -> tuple[Medications, Counted]:
    """What is taken as of the hook, and which entries were not understood.

    A statement "not taken" beats an older request for the same ingredient.
    `named`: Medications by the name that a Bundle gives them, for references to it (`urn:uuid:…`).
    """
    resources = tuple(resources)
    bundled = {one.id: one for one in resources if isinstance(one, Medication) and one.id} | dict(named or {})
    taken, refused, counted = [], [], Counted()
    for resource in resources:
        if not isinstance(resource, Prescribed):
            continue
        counted.read += 1
        if says_none_known(resource.medication_codeable_concept):
            continue
        if _says_nothing(resource):
            if (doubtful := _doubtful(resource, bundled, words)).drug.possible:
                taken.append(doubtful)
                counted.add("modifier-unknown", resource.medication_codeable_concept, entry=resource.id)
        elif isinstance(resource, MedicationStatement) and resource.status == "not-taken":
            refused.append((_said(resource, now), _drug(resource, bundled, words)))
        elif _is_taken(resource, now):
            medicine = _medicine(resource, bundled, words, now)
            taken.append(medicine)
            if medicine.drug.possible:
                counted.add(_why(resource, words), resource.medication_codeable_concept, entry=resource.id)
    kept = tuple(one for medicine in taken if (one := _without(medicine, refused)))
    return Medications(kept), counted


def _says_nothing(one: Prescribed) -> bool:
    """Whether its status or intent is none of FHIR's: then nobody knows whether it is taken."""
    intended = isinstance(one, MedicationStatement) or one.intent in _INTENTS
    return one.status not in _STATUSES or not intended


def _doubtful(one: Prescribed, bundled: dict[str, Medication], words: Vocabulary) -> Medicine:
    """What might be taken: it could be of the classes that its code says, and counts for none of them."""
    drug = _drug(one, bundled, words)
    return Medicine("", Drug(possible=drug.possible | {name for name, _ in drug.classes}), None)


def _is_taken(one: Prescribed, now: Clock) -> bool:
    if isinstance(one, MedicationRequest):
        return _is_current(one, now)
    return one.status == "active" and _covers(one, now)


def _why(one: Prescribed, words: Vocabulary) -> Why:
    """Why the class of a medicine is not known: its code, or a reference that leads nowhere."""
    concept = one.medication_codeable_concept
    if concept is None:
        return "unread" if one.medication_reference is not None else "words-only"
    return of_concept(concept, words) or "code-not-listed"


def _is_current(request: MedicationRequest, now: Clock) -> bool:
    if request.status != "active" or request.intent not in _ORDERED or request.do_not_perform:
        return False
    if any(coding.code == "inpatient" for category in request.category for coding in category.coding):
        return False
    authored = moment(request.authored_on, now.zone)
    if authored is not None and is_ahead(authored, now):
        return False
    validity = request.dispense_request.validity_period if request.dispense_request else None
    return not _is_over(validity, now) and not _dosing_is_over(request.dosage_instruction, now)


def _dosing_is_over(dosages: tuple[Dosage, ...], now: Clock) -> bool:
    bounds = [one.timing.repeat.bounds_period if one.timing and one.timing.repeat else None for one in dosages]
    return bool(bounds) and all(_is_over(period, now) for period in bounds)


def _is_over(period: Period | None, now: Clock) -> bool:
    end = moment(period.end, now.zone) if period else None
    return end is not None and end.time < now.as_of


def _covers(statement: MedicationStatement, now: Clock) -> bool:
    """Whether the statement's time includes the hook; a single date says since when."""
    period = statement.effective_period
    start = moment(statement.effective_date_time or (period.start if period else None), now.zone)
    return not (start is not None and is_ahead(start, now)) and not _is_over(period, now)


def _said(statement: MedicationStatement, now: Clock) -> datetime | None:
    period = statement.effective_period
    text = statement.date_asserted or statement.effective_date_time or (period.start if period else None)
    said = moment(text, now.zone)
    return said.time if said else None


def classes(one: Prescribed, words: Vocabulary) -> frozenset[str]:
    """The classes of one prescription's medicine, by its code or its contained Medication."""
    return frozenset(name for name, _ in _drug(one, {}, words).classes)


def _medicine(one: Prescribed, bundled: dict[str, Medication], words: Vocabulary, now: Clock) -> Medicine:
    if isinstance(one, MedicationRequest):
        kind, text = "MedicationRequest", one.authored_on
    else:
        period = one.effective_period
        kind, text = "MedicationStatement", one.effective_date_time or (period.start if period else one.date_asserted)
    when = moment(text, now.zone)
    long_ago = when is not None and now.as_of - when.time > _LONG_AGO
    flags = ("prescribed-over-a-year-ago",) if long_ago else ()
    return Medicine(f"{kind}/{one.id or ''}", _drug(one, bundled, words), when, flags)


def _drug(one: Prescribed, bundled: dict[str, Medication], words: Vocabulary) -> Drug:
    dosages = one.dosage_instruction if isinstance(one, MedicationRequest) else one.dosage
    routes = tuple(dosage.route for dosage in dosages if dosage.route)
    if one.medication_codeable_concept is not None:
        return understood(one.medication_codeable_concept, routes, words)
    medication = _resolved(one.medication_reference, one.contained, bundled)
    return _of_medication(medication, routes, words) if medication else UNKNOWN


def _of_medication(medication: Medication, routes: tuple[CodeableConcept, ...], words: Vocabulary) -> Drug:
    whole = understood(medication.code, routes, words)
    parts = [one.item_codeable_concept for one in medication.ingredient if one.item_codeable_concept]
    if whole is not UNKNOWN or not parts:
        return whole
    return joined(understood(part, routes, words) for part in parts)


def _resolved(
    reference: Reference | None, contained: tuple[Raw, ...], bundled: dict[str, Medication]
) -> Medication | None:
    """The Medication meant: contained, else among the resources that came or were fetched; never followed further."""
    text = reference.reference if reference else None
    if not text:
        return None
    if text.startswith("#"):
        return next((one for one in map(_contained, contained) if one and one.id == text[1:]), None)
    if text in bundled:
        return bundled[text]
    return bundled.get(text.split("/_history/")[0].rsplit("/", 1)[-1].removeprefix("urn:uuid:"))


def _contained(raw: Raw) -> Medication | None:
    try:
        return msgspec.json.decode(raw, type=Medication)
    except UNREADABLE_JSON:
        return None  # a contained resource of another type


def _without(medicine: Medicine, refused: list[tuple[datetime | None, Drug]]) -> Medicine | None:
    """The medicine without the ingredients that the patient is later said not to take; None if nothing is left."""
    gone: set[str] = set()
    for said, drug in refused:
        if said is not None and (medicine.when is None or medicine.when.time <= said or medicine.when.date_only):
            gone |= drug.ingredients
    drug = medicine.drug
    if not gone & drug.ingredients:
        return medicine
    left = tuple(pair for pair in drug.classes if pair[1] not in gone)
    return Medicine(medicine.source, Drug(left, drug.ingredients - gone), medicine.when, medicine.flags)


def in_use(
    name: str, medications: Medications, diagnoses: Diagnoses, seen: Coverage, diagnoses_seen: Coverage
) -> Feature:
    """Whether a medicine of the input's class is taken, or a diagnosis says so (any of)."""
    drug_class, idea = INPUTS[name]
    if medicines := medications.of(drug_class):
        return yes(name, medicines[0].source, medicines[0].when, medicines[0].flags + seen.flags)
    if matches := diagnoses.of(idea):
        return yes(name, matches[0].source, matches[0].began, diagnoses_seen.flags)
    # A medicine whose code is known tells its class: an entry that is not understood is a gap only for the classes
    # that it could be of, and one that never became a medicine for all.
    return no(name, together((_for_class(seen, medications, drug_class), diagnoses_seen.of_current)))


def on_antihypertensive(medications: Medications, seen: Coverage) -> Feature:
    """Whether a medicine that lowers blood pressure is taken."""
    name = "hypertension_on_medication"
    if medicines := medications.of("antihypertensive"):
        return yes(name, medicines[0].source, medicines[0].when, medicines[0].flags + seen.flags)
    return no(name, _for_class(seen, medications, "antihypertensive"))


def _for_class(seen: Coverage, medications: Medications, drug_class: str) -> Coverage:
    """How far the list was seen as to one class: a medicine that is surely of another class is no gap."""
    others = sum(bool(one.drug.possible) and drug_class not in one.drug.possible for one in medications.taken)
    left = max(0, seen.unclear - others)
    return msgspec.structs.replace(seen, unclear=left, unclear_now=left) if others else seen


def hypertension_on_medication(hypertension: Feature, treated: Feature) -> Feature:
    """All of: hypertension among the diagnoses, and a medicine for it. False if either is; else missing if either."""
    for one in (hypertension, treated):
        if one.usable and one.value is False:
            return one
    for one in (hypertension, treated):
        if not one.usable:
            return one
    source = f"{hypertension.source} {treated.source}"
    return msgspec.structs.replace(hypertension, source=source, flags=hypertension.flags + treated.flags)

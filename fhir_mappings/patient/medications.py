"""What the patient takes now: prescribed, stated, handed out or given, by class (inputs 6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import timedelta
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from fhir_mappings.fhir.clock import Clock, is_ahead
from fhir_mappings.fhir.coverage import Coverage, together
from fhir_mappings.fhir.dates import Moment, moment
from fhir_mappings.fhir.given_medicines import GivenMedicine, may_be_taken
from fhir_mappings.fhir.resources import Medication, MedicationRequest, MedicationStatement
from fhir_mappings.patient.diagnoses import Diagnoses
from fhir_mappings.patient.diagnosis_features import no, yes
from fhir_mappings.patient.not_taken import Refusals
from fhir_mappings.patient.prescription_times import (
    begins_ahead,
    covers,
    is_current,
    is_for_stay_and_home,
    last_told,
    when_said,
)
from fhir_mappings.patient.which_drug import Bundled, Prescribed, Prescriptions, drug_of
from fhir_mappings.results.feature import Feature
from fhir_mappings.terminology.concept_maps import Vocabulary
from fhir_mappings.terminology.drug_classes import Drug
from fhir_mappings.terminology.understanding import Counted, Why, of_concept, says_none_known

# https://hl7.org/fhir/R4/valueset-medicationrequest-intent.html
_ORDERED = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
_LONG_AGO = timedelta(days=365)
# https://hl7.org/fhir/R4/valueset-medicationrequest-status.html and valueset-medication-statement-status.html; an entry
# with another status, or none, might be taken, and so might one whose status is "unknown": nobody knows which applies.
_STATUSES = frozenset(
    {"active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "intended", "not-taken"}
)
_PLAN = "plan"
_INTENTS = _ORDERED | {"proposal", _PLAN, "option"}

# Inputs 6: the class of each input, and the diagnosis that says the same.
INPUTS = {
    "insulin": ("insulin", "insulin-use"),
    "anticoagulant": ("anticoagulant", "anticoagulant-use"),
    "antiplatelet": ("antiplatelet", "antiplatelet-use"),
    "steroid": ("steroid", "steroid-use"),
    "opioid": ("opioid", "opioid-use"),
}

Listed = Prescribed | GivenMedicine


class Medicine(Struct, frozen=True, gc=False):
    """One medicine that is taken now; `in_doubt`: it is known what it is, and not whether it is taken."""

    source: str
    drug: Drug
    when: Moment | None
    flags: tuple[str, ...] = ()
    in_doubt: bool = False


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
    resources, counted = tuple(resources), Counted()
    bundled = {one.id: one for one in resources if isinstance(one, Medication) and one.id} | dict(named or {})
    listed = [one for one in resources if isinstance(one, Listed)]
    counted.read = len(listed)
    telling = [
        one for one in listed if one.medication_reference or not says_none_known(one.medication_codeable_concept)
    ]
    refusals = _refusals(telling, bundled, words, now)
    taken = []
    for one in telling:
        if isinstance(one, Prescribed) and (is_taken := _is_taken(one, now)) is not False:
            medicine = _medicine(one, bundled, words, now)
            left, in_doubt = refusals.left_of(medicine.drug, last_told(one, medicine.when, now))
            if left is not medicine.drug:
                medicine = replace(medicine, drug=left, in_doubt=in_doubt)
            is_open = _is_open(one, now)
            if is_taken is None:
                medicine = _doubtful(left, in_doubt=is_open and not left.possible)
            taken.append(medicine)
            if medicine.drug.possible and not medicine.in_doubt:
                why = _why(one, words) if is_taken or is_open else "modifier-unknown"
                counted.add(why, one.medication_codeable_concept, entry=one.id)
    sure = {name for one in taken for name, _ in one.drug.classes}
    prescriptions = Prescriptions(telling, bundled, words)
    for one in telling:
        if isinstance(one, GivenMedicine) and may_be_taken(one, now) and not prescriptions.are_over(one):
            left, _ = refusals.left_of(prescriptions.drug_of(one), one.when(now))
            taken += _given(one, left, sure, words, counted)
    return Medications(tuple(taken)), counted


def _refusals(telling: Iterable[object], bundled: Bundled, words: Vocabulary, now: Clock) -> Refusals:
    """What is said not to be taken; what will only be said after the hook is left out."""
    refusals = Refusals()
    for one in telling:
        if isinstance(one, MedicationStatement) and one.status == "not-taken" and covers(one, now):
            if begins_ahead(one, now):
                continue
            said = when_said(one, now)
            if said is None or not is_ahead(said, now):
                refusals.add(said, drug_of(one, bundled, words))
    return refusals


def _doubtful(drug: Drug, *, in_doubt: bool = False) -> Medicine:
    """What might be taken: it could be of the classes that its code says, and counts for none of them."""
    return Medicine("", Drug(possible=drug.possible | {name for name, _ in drug.classes}), None, in_doubt=in_doubt)


def _is_open(one: Prescribed, now: Clock) -> bool:
    """Whether an active entry leaves open that it is taken: written by a clock that is ahead, for a stay and for home,
    or a plan of what somebody reports, by which US Core tells what nobody ordered.

    https://hl7.org/fhir/us/core/medication-list.html
    """
    if one.status != "active":
        return False
    if begins_ahead(one, now):
        return True
    if not isinstance(one, MedicationRequest):
        return False
    return _is_reported(one) or is_for_stay_and_home(one)


def _is_reported(one: MedicationRequest) -> bool:
    return one.intent == _PLAN and (one.reported_boolean is True or bool(one.reported_reference))


def _given(one: GivenMedicine, drug: Drug, sure: Set[str], words: Vocabulary, counted: Counted) -> Iterator[Medicine]:
    """What was handed out or given and might be taken: where it is of no class that is not known to be taken, nothing.

    It says neither for how long nor whether the patient took it, so it makes no input true.
    """
    if might_be := _doubtful(drug).drug.possible - sure:
        is_known = drug.possible <= sure
        if not is_known:
            counted.add(_why(one, words), one.medication_codeable_concept, entry=one.id)
        yield Medicine("", Drug(possible=might_be), None, in_doubt=is_known)


def _is_taken(one: Prescribed, now: Clock) -> bool | None:
    """Whether it is taken now; None where that is not known, and nothing ends it.

    So it is where its status or intent is none of FHIR's or `unknown`, and where an order leaves it open.
    """
    said = [one.status == "active" if one.status in _STATUSES else None]
    if isinstance(one, MedicationRequest):
        said.append(one.intent in _ORDERED or _is_reported(one) if one.intent in _INTENTS else None)
    if _is_open(one, now):
        said.append(None)
    if False in said or not (covers(one, now) if isinstance(one, MedicationStatement) else is_current(one, now)):
        return False
    return None if None in said else True


def _why(one: Listed, words: Vocabulary) -> Why:
    """Why the class of a medicine is not known: its code, or a reference that leads nowhere."""
    concept = one.medication_codeable_concept
    if concept is None:
        return "unread" if one.medication_reference is not None else "words-only"
    return of_concept(concept, words) or "code-not-listed"


def classes(one: Prescribed, words: Vocabulary) -> frozenset[str]:
    """The classes of one prescription's medicine, by its code or its contained Medication."""
    return frozenset(name for name, _ in drug_of(one, {}, words).classes)


def _medicine(one: Prescribed, bundled: Bundled, words: Vocabulary, now: Clock) -> Medicine:
    if isinstance(one, MedicationRequest):
        kind, text = "MedicationRequest", one.authored_on
    else:
        period = one.effective_period
        kind, text = "MedicationStatement", one.effective_date_time or (period.start if period else one.date_asserted)
    when = moment(text, now.zone)
    long_ago = when is not None and now.as_of - when.time > _LONG_AGO
    flags = ("prescribed-over-a-year-ago",) if long_ago else ()
    return Medicine(f"{kind}/{one.id or ''}", drug_of(one, bundled, words), when, flags)


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
    possible = [one for one in medications.taken if one.drug.possible]
    others = sum(not one.in_doubt and drug_class not in one.drug.possible for one in possible)
    if others:
        left = max(0, seen.unclear - others)
        seen = replace(seen, unclear=left, unclear_now=left)
    if any(one.in_doubt and drug_class in one.drug.possible for one in possible):
        return seen.in_doubt("taking-unclear")
    return seen


def hypertension_on_medication(hypertension: Feature, treated: Feature) -> Feature:
    """All of: hypertension among the diagnoses, and a medicine for it. False if either is; else missing if either."""
    for one in (hypertension, treated):
        if one.usable and one.value is False:
            return one
    for one in (hypertension, treated):
        if not one.usable:
            return one
    source = f"{hypertension.source} {treated.source}"
    return replace(hypertension, source=source, flags=hypertension.flags + treated.flags)

"""Which drug an entry of the medicines names: by its code, or by the Medication that it contains or refers to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Raw

from fhir_mappings.fhir.decode_resources import UNREADABLE_JSON
from fhir_mappings.fhir.elements import CodeableConcept, Reference
from fhir_mappings.fhir.given_medicines import GivenMedicine, is_ended
from fhir_mappings.fhir.resources import Medication, MedicationRequest, MedicationStatement
from fhir_mappings.terminology.concept_maps import Vocabulary
from fhir_mappings.terminology.drug_classes import UNKNOWN, Drug, joined, named_in_words, route_codes, understood

Prescribed = MedicationRequest | MedicationStatement
Bundled = Mapping[str, Medication]
# By such a prescription nothing was handed out, or nobody knows whether it was one: it says of no drug which that was.
# https://hl7.org/fhir/R4/valueset-medicationrequest-status.html
_NONE_PRESCRIBED = frozenset({None, "entered-in-error", "draft", "unknown"})


def drug_of(one: Prescribed | GivenMedicine, bundled: Bundled, words: Vocabulary) -> Drug:
    """By its code and by the Medication that it names; UNKNOWN where neither says what it is."""
    routes = route_codes(_routes(one))
    drugs = [understood(one.medication_codeable_concept, routes, words)]
    if one.medication_reference is None:
        return drugs[0]
    if medication := _resolved(one.medication_reference, one.contained, bundled):
        drugs.append(_of_medication(medication, routes, words))
    known = [drug for drug in drugs if drug is not UNKNOWN]
    return joined(known) if known else UNKNOWN


class Prescriptions:
    """The drugs of the prescriptions of a record, by id: each is looked at once, however often it was handed out."""

    __slots__ = ("_bundled", "_drugs", "_requests", "_words")

    def __init__(self, entries: Iterable[object], bundled: Bundled, words: Vocabulary) -> None:
        self._requests = {one.id: one for one in entries if isinstance(one, MedicationRequest)}
        self._bundled, self._words = bundled, words
        self._drugs: dict[str, Drug] = {}

    def drug_of(self, given: GivenMedicine) -> Drug:
        """What was handed out: its own drug, where that is not known the one of the prescriptions it was given by.

        And what its own words name beside that, for another drug may have been handed out.
        """
        own = drug_of(given, self._bundled, self._words)
        if own is not UNKNOWN or not given.prescriptions:
            return own
        drugs = [self._prescribed(one) for one in given.prescriptions]
        return UNKNOWN if UNKNOWN in drugs else joined((*drugs, named_in_words(given.medication_codeable_concept)))

    def are_over(self, given: GivenMedicine) -> bool:
        """Whether every prescription that it was handed out by came and has ended it."""
        named = [self._requests.get(_request_id(one)) for one in given.prescriptions]
        return bool(named) and all(one is not None and is_ended(given, one.status) for one in named)

    def _prescribed(self, reference: Reference) -> Drug:
        name = _request_id(reference)
        if name not in self._drugs:
            request = self._requests.get(name)
            is_one = request is not None and request.status not in _NONE_PRESCRIBED
            self._drugs[name] = drug_of(request, self._bundled, self._words) if request and is_one else UNKNOWN
        return self._drugs[name]


def _request_id(reference: Reference) -> str:
    parts = (reference.reference or "").partition("/_history/")[0].split("/")
    return parts[-1] if parts[-2:-1] == ["MedicationRequest"] else ""


def _routes(one: Prescribed | GivenMedicine) -> tuple[CodeableConcept, ...]:
    if isinstance(one, GivenMedicine):
        return one.routes
    dosages = one.dosage_instruction if isinstance(one, MedicationRequest) else one.dosage
    return tuple(dosage.route for dosage in dosages if dosage.route)


def _of_medication(medication: Medication, routes: frozenset[str], words: Vocabulary) -> Drug:
    """A code says what it is; its ingredients say so too, and where there is no code, each of them has to.

    One that was entered in error says nothing, nor does an ingredient that has no effect.
    """
    if medication.status == "entered-in-error":
        return UNKNOWN
    whole = understood(medication.code, routes, words)
    active = [one for one in medication.ingredient if one.is_active is not False]
    parts = [understood(one.item_codeable_concept, routes, words) for one in active]
    known = [drug for drug in (whole, *parts) if drug is not UNKNOWN]
    return joined(known if whole is not UNKNOWN else parts or [UNKNOWN])


def _resolved(reference: Reference | None, contained: tuple[Raw, ...], bundled: Bundled) -> Medication | None:
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

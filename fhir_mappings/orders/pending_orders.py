"""What is already being requested, by code and idea: the drafts of the session, the open orders of the chart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Raw

from fhir_mappings.fhir.clock import placed
from fhir_mappings.fhir.dates import moment
from fhir_mappings.fhir.decode_resources import UNREADABLE_JSON
from fhir_mappings.fhir.elements import Coding
from fhir_mappings.orders.open_orders import FORGOTTEN_DAYS, is_open
from fhir_mappings.orders.orders import UnsupportedVersionError, read_order
from fhir_mappings.patient.patient_record import PatientRecord
from fhir_mappings.terminology.code_systems import canonical
from fhir_mappings.terminology.concept_maps import EMPTY, ConceptMaps, vocabulary
from fhir_mappings.terminology.value_sets import STANDARD, ValueSets


class Requested(msgspec.Struct, frozen=True):
    """The (system, code) pairs that are being ordered, and the value sets to which they belong."""

    codes: frozenset[tuple[str, str]] = frozenset()
    ideas: frozenset[str] = frozenset()

    def has(self, system: str, code: str) -> bool:
        """Whether this very code is being ordered."""
        return (canonical(system), code) in self.codes


NOTHING = Requested()


def pending_in_drafts(
    drafts: Sequence[Raw], *, maps: ConceptMaps = EMPTY, value_sets: ValueSets = STANDARD
) -> Requested:
    """What the drafts of this session ask for. One that cannot be read asks for nothing; text never decides."""
    words = vocabulary(value_sets, maps)
    codes = {pair for draft in drafts for pair in _codes(draft, maps)}
    ideas = {idea for system, code in codes for idea in words.ideas(system, code)}
    return Requested(frozenset(codes), frozenset(ideas))


def open_orders(record: PatientRecord) -> Requested | None:
    """What the chart's open orders of the last year ask for; None where no search succeeded (never-suggest 8).

    An order without a date is taken for a recent one: a test that is pending is not asked for again.
    """
    if record.seen("orders").gap:
        return None
    codes = set()
    for order in record.orders:
        authored = moment(order.authored_on, record.zone) if order.authored_on else None
        forgotten = authored is not None and placed(authored, FORGOTTEN_DAYS, record.clock) == "stale"
        if is_open(order.status, intent=order.intent, forbidden=order.do_not_perform) and not forgotten:
            codes.update(_pairs(order.code.coding, record.words.maps))
    ideas = {idea for system, code in codes for idea in record.words.ideas(system, code)}
    return Requested(frozenset(codes), frozenset(ideas))


def together(one: Requested, other: Requested) -> Requested:
    """What either asks for."""
    return Requested(one.codes | other.codes, one.ideas | other.ideas)


def _pairs(codings: Iterable[Coding], maps: ConceptMaps) -> list[tuple[str, str]]:
    """Each code under its system's URI, and where the site says that it is a known system, under that one's too."""
    return [
        (system, coding.code.strip())
        for coding in codings
        if coding.code
        for system in {canonical(coding.system), maps.canonical(coding.system)}
    ]


def _codes(draft: Raw, maps: ConceptMaps) -> list[tuple[str, str]]:
    try:
        order = read_order(draft)
    except (UnsupportedVersionError, *UNREADABLE_JSON):
        return []
    if order is None or not is_open(order.status, intent=order.intent, forbidden=order.forbidden):
        return []
    return [pair for concept in order.codes for pair in _pairs(concept.coding, maps)]

"""What is already being requested: the codes and clinical ideas of the drafts of an ordering session."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from fhir_mappings.code_systems import canonical
from fhir_mappings.concept_maps import EMPTY, ConceptMaps, vocabulary
from fhir_mappings.orders import UnsupportedVersionError, read_order
from fhir_mappings.reading import UNREADABLE_JSON
from fhir_mappings.value_sets import STANDARD, ValueSets

_IGNORED_STATUSES = frozenset({"revoked", "entered-in-error", "cancelled"})


class Requested(msgspec.Struct, frozen=True):
    """The (system, code) pairs that are being ordered, and the value sets to which they belong."""

    codes: frozenset[tuple[str, str]] = frozenset()
    ideas: frozenset[str] = frozenset()

    def has(self, system: str, code: str) -> bool:
        """Whether this very code is being ordered."""
        return (canonical(system), code) in self.codes


NOTHING = Requested()


def read(drafts: Sequence[Raw], *, maps: ConceptMaps = EMPTY, value_sets: ValueSets = STANDARD) -> Requested:
    """What the drafts of this session ask for. One that cannot be read asks for nothing; text never decides."""
    words = vocabulary(value_sets, maps)
    codes = {pair for draft in drafts for pair in _codes(draft)}
    ideas = {idea for system, code in codes for idea in words.ideas(system, code)}
    return Requested(frozenset(codes), frozenset(ideas))


def _codes(draft: Raw) -> list[tuple[str, str]]:
    try:
        order = read_order(draft)
    except (UnsupportedVersionError, *UNREADABLE_JSON):
        return []
    if order is None or order.forbidden or order.status in _IGNORED_STATUSES:
        return []
    codings = [coding for concept in order.codes for coding in concept.coding]
    return [(canonical(coding.system), coding.code.strip()) for coding in codings if coding.code]

"""By how many codes of which code system an operation is known here: what a site can order and be answered (DEC-41)."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from msgspec import Struct

from fhir_mappings.terminology.code_systems import CPT, HCPCS, ICD_9_CM, ICD_10_PCS, LOINC, SNOMED_CT, TEXT, canonical
from fhir_mappings.terminology.concept_maps import ConceptMaps
from fhir_mappings.terminology.procedure_groups import GROUPS
from fhir_mappings.terminology.value_sets import ValueSets

# The systems in which operations are ordered: one of which no code is known is told, for its orders get no answer.
STANDARD_SYSTEMS = {CPT: "CPT", ICD_10_PCS: "ICD-10-PCS", SNOMED_CT: "SNOMED CT"}
SITE, NO_CODE = "site's own", "none"
_LABELS = {**STANDARD_SYSTEMS, ICD_9_CM: "ICD-9-CM", HCPCS: "HCPCS", LOINC: "LOINC", TEXT: SITE, "": NO_CODE}
LABELS = tuple(dict.fromkeys((*_LABELS.values(), SITE)))


class Known(Struct, frozen=True):
    """How many codes of one system name an operation; `rules` select codes by their beginning or their form."""

    system: str
    codes: int = 0
    rules: int = 0

    @property
    def told(self) -> str:
        """In a few words: "SNOMED CT 61", "ICD-10-PCS 57 rules"."""
        parts = [str(self.codes)] if self.codes or not self.rules else []
        return f"{self.system} {' and '.join(parts + ([f'{self.rules} rules'] if self.rules else []))}"


def label(system: str) -> str:
    """One of LABELS for any code system: few enough to count by."""
    return _LABELS.get(canonical(system), SITE)


@lru_cache(maxsize=8)
def known(sets: ValueSets, maps: ConceptMaps) -> tuple[Known, ...]:
    """Per code system what is known of operations, the systems of orders first, whether or not there is any code."""
    groups = frozenset(GROUPS) & sets.by_id.keys()
    rules = [rule for name in groups for rule in sets.by_id[name].includes]
    pairs = {(rule.system, rule.value) for rule in rules if rule.kind == "code"}
    pairs = (pairs - maps.alone) | set(maps.codes_for(groups, sets)) | set(maps.texts_for(groups, sets))
    codes = Counter(label(system) for system, _ in pairs)
    selected = Counter(label(rule.system) for rule in rules if rule.kind != "code")
    names = dict.fromkeys((*STANDARD_SYSTEMS.values(), *sorted((codes.keys() | selected.keys()) - {SITE}), SITE))
    return tuple(Known(name, codes[name], selected[name]) for name in names)


def counts_in_words(found: tuple[Known, ...]) -> str:
    """The counts in one line."""
    return ", ".join(one.told for one in found)


def gaps(found: tuple[Known, ...]) -> tuple[str, ...]:
    """What to warn of: each code system of orders of which nothing is known."""
    return tuple(
        f"{one.system}: 0 codes; orders in {one.system} get no answer"
        for one in found
        if one.system in STANDARD_SYSTEMS.values() and not one.codes and not one.rules
    )

"""A site's own codes, as the standard codes or the clinical ideas they mean: FHIR ConceptMaps, per tenant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from fhir_mappings.code_systems import CONCEPT, KNOWN, TEXT, canonical, normalised
from fhir_mappings.value_sets import STANDARD, ValueSets

DEMO = Path(__file__).with_name("concept_maps") / "demo.json"

# https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html: the target must mean the same or more.
_USABLE = frozenset({"equivalent", "equal", "wider", "subsumes"})
_NO_MATCH = frozenset({"unmatched", "disjoint"})


class ConceptMapError(Exception):
    """A ConceptMap cannot be used; the message names the file and the code. The service does not start."""


class MapInfo(Struct, frozen=True, gc=False):
    """Which map, in which version, approved by whom: for the record."""

    name: str
    version: str
    approver: str


class ConceptMaps:
    """What each code of a site means, as (system, code) pairs. Empty by default, immutable."""

    def __init__(
        self,
        targets: Mapping[tuple[str, str], tuple[tuple[str, str], ...]] | None = None,
        sources: tuple[MapInfo, ...] = (),
    ) -> None:
        self._targets = dict(targets or {})
        self.sources = sources
        self.systems = frozenset(system for system, _ in self._targets)

    def translate(self, system: str, code: str) -> tuple[tuple[str, str], ...]:
        """The (system, code) pairs that a site's code means; none if the maps do not have it."""
        return self._targets.get((canonical(system), code.strip()), ())

    def codes_for(self, names: frozenset[str], sets: ValueSets = STANDARD) -> tuple[tuple[str, str], ...]:
        """The site's own (system, code) pairs that mean one of the clinical ideas `names`, in the order of the maps."""
        return tuple(
            source
            for source, targets in self._targets.items()
            if source[0] != TEXT and any(names & set(_ideas(target, sets)) for target in targets)
        )

    def __bool__(self) -> bool:
        return bool(self._targets)


EMPTY = ConceptMaps()


def _ideas(target: tuple[str, str], sets: ValueSets) -> tuple[str, ...]:
    system, code = target
    if system == CONCEPT:
        return (code,) if code in sets.by_id else ()
    return sets.containing(system, code)


def load(paths: Iterable[Path]) -> ConceptMaps:
    """The maps of these files together; raises ConceptMapError naming the file that cannot be used."""
    targets: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
    sources = []
    for path in paths:
        try:
            document = msgspec.json.decode(path.read_bytes())
            sources.append(_info(document))
            for source, target in _elements(document):
                targets[source] = tuple(dict.fromkeys((*targets.get(source, ()), target)))
        except (OSError, msgspec.MsgspecError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise ConceptMapError(f"{path}: {type(error).__name__}: {error}") from error
    return ConceptMaps(targets, tuple(sources))


def _info(document: Mapping[str, Any]) -> MapInfo:
    if document["resourceType"] != "ConceptMap":
        raise ValueError("is not a ConceptMap")
    return MapInfo(document["name"], document["version"], document["contact"][0]["name"])


def _elements(document: Mapping[str, Any]) -> Iterable[tuple[tuple[str, str], tuple[str, str]]]:
    for group in document["group"]:
        source, target = canonical(group["source"]), canonical(group["target"])
        if target not in KNOWN:
            raise ValueError(f"target system {group['target']} is not read here")
        for element in group["element"]:
            for match in element["target"]:
                if match["equivalence"] in _NO_MATCH:
                    continue
                yield (source, element["code"]), _checked(target, match, element["code"])


def _checked(target: str, match: Mapping[str, str], code: str) -> tuple[str, str]:
    if match["equivalence"] not in _USABLE:
        raise ValueError(f"{code}: equivalence {match['equivalence']} says less than the target")
    if target == CONCEPT and match["code"] not in STANDARD.by_id:
        raise ValueError(f"{code}: there is no clinical idea {match['code']}")
    return target, normalised(target, match["code"])


class Vocabulary:
    """The value sets and one tenant's maps together: one look-up from any code to the clinical ideas it means."""

    def __init__(self, sets: ValueSets, maps: ConceptMaps) -> None:
        self.value_sets, self.maps = sets, maps
        self.ideas = lru_cache(maxsize=16_384)(self._ideas)
        self.means_something = lru_cache(maxsize=64)(self._means_something)

    def _ideas(self, system: str | None, code: str | None) -> tuple[str, ...]:
        """The ids of the value sets that a code belongs to, itself or by what the site says that it means."""
        if not system or not code:
            return ()
        found = dict.fromkeys(_ideas((canonical(system), code), self.value_sets))
        for target in self.maps.translate(system, code):
            found.update(dict.fromkeys(_ideas(target, self.value_sets)))
        return tuple(found)

    def ideas_of_text(self, text: str) -> tuple[str, ...]:
        """What a site says that an exact text means; texts are never understood otherwise (messy case 1)."""
        return self.ideas(TEXT, text) if TEXT in self.maps.systems else ()

    def _means_something(self, idea: str) -> bool:
        """Whether any code of the site means this idea (an idea without a standard code exists only then)."""
        return bool(self.maps.codes_for(frozenset({idea}), self.value_sets))

    def texts(self, text: str) -> tuple[tuple[str, str], ...]:
        """The standard codes that a site's map gives for an exact text."""
        return self.maps.translate(TEXT, text) if TEXT in self.maps.systems else ()


@lru_cache(maxsize=256)
def vocabulary(sets: ValueSets, maps: ConceptMaps) -> Vocabulary:
    """The one vocabulary of a tenant, built once."""
    return Vocabulary(sets, maps)

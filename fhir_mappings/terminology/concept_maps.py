"""A site's own codes, as the standard codes or the clinical ideas they mean: FHIR ConceptMaps, per tenant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from fhir_mappings.terminology import concept_map_files as files
from fhir_mappings.terminology.code_systems import CONCEPT, KNOWN, NAMES, TEXT, canonical, compared, normalised
from fhir_mappings.terminology.concept_map_files import MapFile, MapFileError, MapGroup
from fhir_mappings.terminology.listed_codes import is_listed
from fhir_mappings.terminology.value_sets import STANDARD, ValueSets

DEMO = Path(__file__).with_name("concept_maps") / "demo.json"

# https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html: the target must mean the same or more.
_USABLE = frozenset({"equivalent", "equal", "wider", "subsumes"})
# No code of any value set is longer; what is, is looked up without being remembered, for a memory has its bound.
_LONGEST = 256

Pair = tuple[str, str]


class ConceptMapError(Exception):
    """A ConceptMap cannot be used; the message names the file and the code. The service does not start."""


class MapInfo(Struct, frozen=True, gc=False):
    """Which map, in which version, approved by whom: for the record."""

    name: str
    version: str
    approver: str


class Beyond(Struct, frozen=True, gc=False):
    """What a group says of the codes that it does not name: `code` for all of them, or each as it is ("")."""

    target: str
    code: str
    named: frozenset[str]


class ConceptMaps:
    """What each code of a site means, as (system, code) pairs. Empty by default, immutable.

    `beyond`: by source system, what holds of unnamed codes. `alone`: the codes that mean what the maps say and not
    what the value sets say. `spelled`: how the site writes a code that is compared without its dots. `aliases`: URI of
    the site → the canonical URI of the system that it is: added to the systems known everywhere (DEC-41).
    """

    def __init__(
        self,
        targets: Mapping[Pair, tuple[Pair, ...]] | None = None,
        sources: tuple[MapInfo, ...] = (),
        *,
        beyond: Mapping[str, tuple[Beyond, ...]] | None = None,
        alone: frozenset[Pair] = frozenset(),
        spelled: Mapping[Pair, str] | None = None,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self._targets = dict(targets or {})
        self._beyond = dict(beyond or {})
        self._aliases = {compared(uri): (uri, known) for uri, known in (aliases or {}).items()}
        for uri, known in self._aliases.values():
            self._beyond[uri] = (*self._beyond.get(uri, ()), Beyond(known, "", frozenset()))
        self._spelled = dict(spelled or {})
        self.sources = sources
        self.alone = alone
        self.systems = frozenset(system for system, _ in self._targets) | frozenset(self._beyond)

    def canonical(self, system: str | None) -> str:
        """The one URI of a code system here: as everywhere, or as the site says of a URI that is known nowhere else."""
        uri = canonical(system)
        return self._aliases[key][1] if self._aliases and (key := compared(uri)) in self._aliases else uri

    def _source(self, system: str | None) -> str:
        """The URI under which the maps know a system, however the site writes it."""
        uri = canonical(system)
        return self._aliases[key][0] if self._aliases and (key := compared(uri)) in self._aliases else uri

    def translate(self, system: str, code: str) -> tuple[Pair, ...]:
        """The (system, code) pairs that a site's code means; none if the maps do not have it."""
        source = self._source(system)
        if source not in self.systems:
            return ()
        code = normalised(source, code)
        found = self._targets.get((source, code), ())
        return found + tuple(
            (one.target, one.code or normalised(one.target, code))
            for one in self._beyond.get(source, ())
            if code not in one.named
        )

    def rules_out(self, system: str | None, code: str | None) -> bool:
        """Whether the site has said that a code of its own has no match here: it was looked at, and means nothing."""
        source = self._source(system)
        return (source, normalised(source, code or "")) in self._targets and not self.translate(source, code or "")

    def codes_for(self, names: frozenset[str], sets: ValueSets = STANDARD) -> tuple[Pair, ...]:
        """The site's own (system, code) pairs that mean one of the clinical ideas `names`, in the order of the maps.

        Of a system whose codes are taken as they are: those that the sets list.
        """
        named = (
            (source[0], self._spelled.get(source, source[1]))
            for source, targets in self._targets.items()
            if source[0] != TEXT and any(names & set(_ideas(target, sets)) for target in targets)
        )
        as_they_are = (
            (system, code)
            for system, rules in self._beyond.items()
            for one in rules
            for name in sorted(names & sets.by_id.keys())
            for code in (() if one.code else sets.codes(name, one.target))
            if code not in one.named
        )
        return tuple(dict.fromkeys((*named, *as_they_are)))

    def texts_for(self, names: frozenset[str], sets: ValueSets = STANDARD) -> tuple[Pair, ...]:
        """The site's exact texts that mean one of the clinical ideas `names`."""
        return tuple(
            source
            for source, targets in self._targets.items()
            if source[0] == TEXT and any(names & set(_ideas(target, sets)) for target in targets)
        )

    def __bool__(self) -> bool:
        return bool(self._targets or self._beyond)


EMPTY = ConceptMaps()


def _ideas(target: Pair, sets: ValueSets) -> tuple[str, ...]:
    system, code = target
    if system == CONCEPT:
        return (code,) if code in sets.by_id else ()
    return sets.containing(system, code)


class _Said(Struct, frozen=True):
    """What one file says: the meaning of each code that it names, and of those that it does not."""

    info: MapInfo
    replaces: bool
    targets: dict[Pair, tuple[Pair, ...]]
    spelled: dict[Pair, str]
    beyond: tuple[tuple[str, Beyond], ...]

    @property
    def systems(self) -> frozenset[str]:
        """The code systems of which it says something."""
        return frozenset(system for system, _ in (*self.targets, *self.beyond))


def load(
    paths: Iterable[Path],
    *,
    shipped: Iterable[Path] = (),
    sets: ValueSets = STANDARD,
    code_systems: Mapping[str, str] | None = None,
) -> ConceptMaps:
    """The maps of these files added to the shipped ones; ConceptMapError names the file that cannot be used.

    A file that says that it replaces stands in the place of what the shipped maps say of its code systems, and the
    codes that it names mean what it says alone. Every target has to be in `sets` or otherwise known here.
    `code_systems`: URI of the site → the name (code_systems.NAMES) of the system that it is.
    """
    ours, own = [_said(path, sets) for path in shipped], [_said(path, sets) for path in paths]
    replaced = frozenset[str]().union(*(one.systems for one in own if one.replaces))
    targets: dict[Pair, tuple[Pair, ...]] = {}
    beyond: dict[str, tuple[Beyond, ...]] = {}
    spelled: dict[Pair, str] = {}
    for one, gone in (*((each, replaced) for each in ours), *((each, frozenset[str]()) for each in own)):
        spelled |= one.spelled
        for pair, those in one.targets.items():
            if pair[0] not in gone:
                targets[pair] = tuple(dict.fromkeys((*targets.get(pair, ()), *those)))
        for system, rule in one.beyond:
            if system not in gone:
                beyond[system] = (*beyond.get(system, ()), rule)
    alone = frozenset(pair for one in own if one.replaces for pair in one.targets)
    sources = tuple(one.info for one in (*ours, *own))
    systems = aliases(code_systems or {})
    return ConceptMaps(targets, sources, beyond=beyond, alone=alone, spelled=spelled, aliases=systems)


def aliases(code_systems: Mapping[str, str]) -> dict[str, str]:
    """URI → canonical URI; raises ConceptMapError for a name that is none, or a URI that already is a system."""
    for uri, name in code_systems.items():
        if name not in NAMES:
            raise ConceptMapError(f"{uri}: {name} is no system that is read here; there are {', '.join(sorted(NAMES))}")
        if (known := canonical(uri)) in KNOWN or compared(uri) in ("", compared(TEXT)):
            raise ConceptMapError(f"{uri}: already is {known or 'nothing'}; an alias adds, it never redefines")
    return {canonical(uri): NAMES[name] for uri, name in code_systems.items()}


def _said(path: Path, sets: ValueSets) -> _Said:
    targets: dict[Pair, tuple[Pair, ...]] = {}
    spelled: dict[Pair, str] = {}
    try:
        document = files.read_map(path)
        for group in document.group:
            source = canonical(group.source)
            for code, those in _meanings(group, sets):
                pair = source, normalised(source, code)
                spelled.setdefault(pair, code.strip())
                targets[pair] = tuple(dict.fromkeys((*targets.get(pair, ()), *those)))
        beyond = tuple(_beyond(group, sets) for group in document.group if group.unmapped)
        return _Said(_info(document), document.replaces, targets, spelled, beyond)
    except MapFileError as error:
        raise ConceptMapError(error.of(path)) from error


def _info(document: MapFile) -> MapInfo:
    approver = document.contact[0].name if document.contact else ""
    for member, said in (("name", document.name), ("version", document.version), ("contact", approver)):
        if not said.strip():
            raise MapFileError(
                f"has no {member}: a map tells its name, its version and by whom it was approved (contact)"
            )
    return MapInfo(document.name, document.version, approver)


def _meanings(group: MapGroup, sets: ValueSets) -> Iterator[tuple[str, tuple[Pair, ...]]]:
    """Each code of a group with what it means, nothing where it is said to have no match. Raises MapFileError."""
    target = canonical(group.target)
    if target not in KNOWN:
        raise MapFileError(f"target system {group.target} is not read here")
    matches = [(element, match) for element, match in files.pairs(group) if match.equivalence not in files.NO_MATCH]
    too_wide = (f"{one.code} ({match.equivalence})" for one, match in matches if match.equivalence not in _USABLE)
    files.refuse(too_wide, "is mapped to a target that says more than the code does")
    nowhere = (f"{one.code} → {match.code}" for one, match in matches if not is_listed(target, match.code, sets))
    files.refuse(nowhere, f"leads nowhere: such a code of {group.target} is in no list here")
    for element in group.element:
        kept = (one.code for one in element.target if one.equivalence not in files.NO_MATCH)
        yield element.code, tuple((target, normalised(target, code)) for code in kept)


def _beyond(group: MapGroup, sets: ValueSets) -> tuple[str, Beyond]:
    """What holds of the codes that a group does not name. https://hl7.org/fhir/R4/valueset-conceptmap-unmapped-mode.html"""
    source, target, unmapped = canonical(group.source), canonical(group.target), group.unmapped
    code = normalised(target, unmapped.code) if unmapped and unmapped.mode == "fixed" else ""
    if source == TEXT or (target == CONCEPT and not code):
        raise MapFileError(f"group.unmapped from {group.source} to {group.target} cannot be: name the codes one by one")
    if code and not is_listed(target, code, sets):
        raise MapFileError(f"group.unmapped → {code} leads nowhere: such a code of {group.target} is in no list here")
    named = frozenset(normalised(source, element.code) for element in group.element)
    return source, Beyond(target, code, named)


class Vocabulary:
    """The value sets and one tenant's maps together: one look-up from any code to the clinical ideas it means."""

    def __init__(self, sets: ValueSets, maps: ConceptMaps) -> None:
        self.value_sets, self.maps = sets, maps
        self._remembered = lru_cache(maxsize=16_384)(self._ideas)
        self.means_something = lru_cache(maxsize=64)(self._means_something)

    def ideas(self, system: str | None, code: str | None) -> tuple[str, ...]:
        """The ids of the value sets that a code belongs to, itself or by what the site says that it means."""
        if not system or not code:
            return ()
        return self._remembered(system, code) if len(system) + len(code) <= _LONGEST else self._ideas(system, code)

    def _ideas(self, system: str, code: str) -> tuple[str, ...]:
        pair = canonical(system), code.strip()
        by_itself = len(code) <= _LONGEST and (pair[0], normalised(*pair)) not in self.maps.alone
        found = dict.fromkeys(_ideas(pair, self.value_sets) if by_itself else ())
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

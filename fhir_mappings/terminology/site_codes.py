"""Codes that a site adds to the clinical ideas: one that means something here already moves only where it says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from fhir_mappings.terminology.check_digits import is_plausible
from fhir_mappings.terminology.code_systems import ATC, CONCEPT, KNOWN, NDC, RXNORM, TEXT, UCUM, canonical, normalised
from fhir_mappings.terminology.exclusions import overlaps
from fhir_mappings.terminology.expansions import SITE
from fhir_mappings.terminology.icd_editions import is_classified
from fhir_mappings.terminology.reviewed_codes import is_reviewed
from fhir_mappings.terminology.value_sets import CodeRule, ValueSet, ValueSets
from models_onnx import data_files
from models_onnx.data_files import DataFileError

# Medicines are read by their class (drug_classes.py), units by their dimension; ideas and texts are mapped.
_NOT_HERE = frozenset({RXNORM, ATC, NDC, UCUM, CONCEPT, TEXT})
NOTHING = "nothing that matters here"
Pair = tuple[str, str]


class AddedCodes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Codes of one system with all that they mean. `source`: on whose word. `replaces`: whatever they mean here now."""

    ideas: Annotated[tuple[str, ...], Meta(min_length=1)]
    system: str
    codes: tuple[str, ...]
    source: str
    replaces: bool = False


class _CodesFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    codes: tuple[AddedCodes, ...]


class Moved(Struct, frozen=True):
    """A code that means other ideas than what is shipped says of it; `formerly`: those, or NOTHING."""

    code: str
    ideas: str
    formerly: str

    @property
    def told(self) -> str:
        """In words, for `cds-service check`."""
        return f"{self.code} means {self.ideas} here, and no longer {self.formerly}"


class SiteAddition(Struct, frozen=True):
    """Codes with all that they mean, and the place in the file where they stand: `file:line`."""

    place: str
    ideas: tuple[str, ...]
    pairs: tuple[Pair, ...]
    replaces: bool


def read_codes(path: Path) -> tuple[SiteAddition, ...]:
    """The additions of codes.yaml. Raises DataFileError naming file and line."""
    return tuple(
        _addition(path, number, entry) for number, entry in enumerate(data_files.read_yaml(path, _CodesFile).codes)
    )


def _addition(path: Path, number: int, entry: AddedCodes) -> SiteAddition:
    place = f"{path}:{data_files.line_of(path, f'codes[{number}]')}"
    if (system := canonical(entry.system)) not in KNOWN - _NOT_HERE:
        raise DataFileError(f"{place}: codes of {entry.system} are not added here: map them with a ConceptMap")
    if not entry.codes or not entry.source.strip():
        raise DataFileError(f"{place}: codes and source must not be empty")
    return SiteAddition(place, entry.ideas, pairs(place, ((system, code) for code in entry.codes)), entry.replaces)


def pairs(place: str, codes: Iterable[Pair]) -> tuple[Pair, ...]:
    """The codes as value sets spell them. Raises DataFileError for one that cannot be a code of its system."""
    found = []
    for system, written in codes:
        uri = canonical(system)
        code = normalised(uri, written)
        if not uri or not code or len(code) > 64 or not is_plausible(uri, code):
            raise DataFileError(f"{place}: {written!r} is no code of {system}: look at its check digit")
        found.append((uri, code))
    return tuple(dict.fromkeys(found))


def added(
    sets: ValueSets, additions: Iterable[SiteAddition], new: Iterable[ValueSet] = ()
) -> tuple[ValueSets, tuple[Moved, ...]]:
    """These sets with the codes added, and those that lost a meaning. `new`: ideas of the site's own, still empty.

    Raises DataFileError for an idea that does not exist, a code that means something else here already and does not
    say `replaces`, one that a shipped rule keeps out, and where a code would be in two sets that exclude each other.
    """
    found = {**sets.by_id, **{one.id: one for one in new}}
    given: dict[Pair, SiteAddition] = {}
    moved: list[Moved] = []
    for addition in additions:
        if unknown := [name for name in addition.ideas if name not in found]:
            raise DataFileError(
                f"{addition.place}: there is no idea {unknown[0]} (fhir_mappings/terminology/value_sets)"
            )
        for pair in addition.pairs:
            if (other := given.setdefault(pair, addition)) is not addition:
                raise DataFileError(f"{addition.place}: {pair[1]} is given twice, also at {other.place}")
            moved += _put(pair, addition, sets, found)
    changed = ValueSets(found.values(), sets.reviewed)
    _check(changed, given)
    return changed, tuple(moved)


def _put(pair: Pair, addition: SiteAddition, sets: ValueSets, found: dict[str, ValueSet]) -> Iterator[Moved]:
    """Add the code to the sets of its ideas; where it is to mean something else than before, tell it."""
    (system, code), rule = pair, CodeRule(pair[0], "code", pair[1], SITE)
    before, ideas = sets.containing(system, code), addition.ideas
    if set(before) == set(ideas):
        return
    if before or _is_of_no_idea(system, code, sets):
        formerly = ", ".join(before) or NOTHING
        if not addition.replaces:
            told = f"{code} already means {formerly} here; say `replaces: true` to make it mean something else"
            raise DataFileError(f"{addition.place}: {told}")
        yield Moved(code, ", ".join(ideas), formerly)
    for name in set(before).difference(ideas):
        found[name] = replace(found[name], excludes=(*found[name].excludes, rule))
    for name in set(ideas).difference(before):
        of = found[name]
        if of.keeps_out(system, code):
            raise DataFileError(f"{addition.place}: what is shipped keeps {code} out of {name}")
        found[name] = replace(of, includes=(*of.includes, rule), version=_of_site(of.version))


def _of_site(version: str) -> str:
    return version if version.endswith(" and the site") else f"{version} and the site"


def _is_of_no_idea(system: str, code: str, sets: ValueSets) -> bool:
    return is_classified(system, code) or is_reviewed(system, code, sets)


def _check(changed: ValueSets, given: dict[Pair, SiteAddition]) -> None:
    """Every code means what was said of it, and nothing that excludes it."""
    for (system, code), addition in given.items():
        means = changed.containing(system, code)
        if set(means) != set(addition.ideas):
            raise DataFileError(f"{addition.place}: {code} cannot mean only that: its edition says {', '.join(means)}")
    for one, other, code in overlaps(changed):
        place = next((addition.place for (_, own), addition in given.items() if own == code), "")
        raise DataFileError(f"{place}: {code} would be in {one} and in {other}, which exclude each other")

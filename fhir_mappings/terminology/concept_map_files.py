"""FHIR ConceptMaps as files: read strictly, whatever they are for; what is not understood of one stops the start.

https://hl7.org/fhir/R4/conceptmap.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field

from models_onnx import data_files
from models_onnx.data_files import DataFileError

# Our own extension of a ConceptMap: it stands in the place of what is shipped instead of adding to it (DEC-41).
REPLACES_URL = "https://surgical-risk.io/fhir/StructureDefinition/replaces"
# https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html
NO_MATCH = frozenset({"unmatched", "disjoint"})
_EQUIVALENCES = NO_MATCH | {
    "relatedto", "equivalent", "equal", "wider", "subsumes", "narrower", "specializes", "inexact",
}  # fmt: skip
_MOST_TOLD = 5


class MapFileError(ValueError):
    """What is wrong with a map, in words for whoever wrote it; the caller puts the file's name before them (`of`)."""

    def of(self, path: Path) -> str:
        """`file: what is wrong`, or `file:line: …` where the reader knows the line."""
        told = str(self)
        return f"{path}:{told}" if told.partition(":")[0].isdigit() else f"{path}: {told}"


class Target(Struct, frozen=True, rename="camel"):
    """What one code is mapped to."""

    code: str = ""
    display: str | None = None
    equivalence: str = ""
    depends_on: tuple[Any, ...] = ()
    product: tuple[Any, ...] = ()


class Element(Struct, frozen=True):
    """One code of the source system with its targets."""

    code: str = ""
    target: tuple[Target, ...] = ()


class Unmapped(Struct, frozen=True):
    """What becomes of the codes of the source system that no element names."""

    mode: Literal["provided", "fixed", "other-map"]
    code: str = ""
    url: str = ""


class MapGroup(Struct, frozen=True):
    """The codes of one system and what they are in another."""

    source: str
    target: str
    element: tuple[Element, ...]
    unmapped: Unmapped | None = None


class Contact(Struct, frozen=True):
    """Who answers for the map."""

    name: str = ""


class MapExtension(Struct, frozen=True, rename="camel"):
    """An extension; only our own is read."""

    url: str
    value_boolean: bool | None = None


class MapFile(Struct, frozen=True, rename="camel"):
    """A ConceptMap. `replaces` may be said as a member too, for files that are never validated as FHIR."""

    resource_type: str
    group: tuple[MapGroup, ...]
    name: str = ""
    version: str = ""
    contact: tuple[Contact, ...] = ()
    extension: tuple[MapExtension, ...] = ()
    replaced: bool = field(default=False, name="replaces")

    @property
    def replaces(self) -> bool:
        """Whether it says that it stands in the place of what is shipped."""
        return self.replaced or any(one.url == REPLACES_URL and one.value_boolean for one in self.extension)


def read_map(path: Path) -> MapFile:
    """The map of a file. Raises MapFileError: what is wrong, and on which line where that is known."""
    try:
        found = data_files.read_json(path, MapFile)
    except (OSError, DataFileError) as error:
        raise MapFileError(data_files.why(error).removeprefix(f"{path}:")) from error
    if found.resource_type != "ConceptMap":
        raise MapFileError("is not a ConceptMap")
    for group in found.group:
        _check_group(group)
    return found


def _check_group(group: MapGroup) -> None:
    if not group.source.strip() or not group.target.strip():
        raise MapFileError("a group names no source or no target system")
    if unmapped := group.unmapped:
        if unmapped.mode == "other-map":
            raise MapFileError(f"group.unmapped of {group.source} refers to another map, {unmapped.url}: add that file")
        if unmapped.mode == "fixed" and not unmapped.code.strip():
            raise MapFileError(f"group.unmapped of {group.source} is fixed and has no code")
    refuse(_unfilled(group), "has no target yet: fill in its code, say `unmatched`, or leave the code out")
    for element, target in pairs(group):
        _check_target(element, target)


def _unfilled(group: MapGroup) -> Iterator[str]:
    """The codes that nobody decided about: without a target, or with one that has no code and is no `unmatched`."""
    for element in group.element:
        if not element.code.strip():
            raise MapFileError(f"an element of {group.source} has no code")
        if not element.target or any(
            not one.code.strip() and one.equivalence not in NO_MATCH for one in element.target
        ):
            yield element.code


def _check_target(element: Element, target: Target) -> None:
    if not target.equivalence:
        raise MapFileError(f"{element.code}: a target has no equivalence, which FHIR R4 asks for")
    if target.equivalence not in _EQUIVALENCES:
        raise MapFileError(f"{element.code}: {target.equivalence} is no equivalence of FHIR R4")
    if target.depends_on or target.product:
        raise MapFileError(
            f"{element.code}: dependsOn and product are not read: what hangs on more than a code is refused"
        )


def pairs(group: MapGroup) -> Iterator[tuple[Element, Target]]:
    """Every element with each of its targets, in the order of the file."""
    return ((element, target) for element in group.element for target in element.target)


def refuse(codes: Iterable[str], why: str) -> None:
    """Raise MapFileError naming the codes of which this is true, the first few by name, where there are any."""
    wrong = tuple(dict.fromkeys(codes))
    if wrong:
        more = f" (and {len(wrong) - _MOST_TOLD} more)" if len(wrong) > _MOST_TOLD else ""
        raise MapFileError(f"{', '.join(wrong[:_MOST_TOLD])}{more} {why}")

"""Which ICD codes are classified: by edition, the categories whose meaning was checked there (DEC-37, inputs 5).

The value sets give rules for WHO's ICD-10 and for ICD-10-CM. They hold in another edition only in the categories that
were checked to mean there what they mean in WHO's (icd_categories.csv); icd_refinements.csv has what an edition says
otherwise. A category without a checked row is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

from fhir_mappings.terminology.icd_spelling import COLUMNS, FORMS, ICD_10, ICD_10_CM, in_who_terms, spelled
from models_onnx import data_files
from models_onnx.data_files import DataFileError

ICD_9_CM = "http://hl7.org/fhir/sid/icd-9-cm"
EDITIONS = frozenset(COLUMNS.values())
# National editions that have no rules of their own in the value sets, but where WHO's are held to by checked rows.
BY_CHECKED_ROWS = EDITIONS - {ICD_10, ICD_10_CM}
_ICD_9 = re.compile(r"\d{3,5}|E\d{3,4}|V\d{2,4}")
_DIRECTORY = Path(__file__).parent

Meaning = Literal["=", "o"]  # what WHO's category means; one of the edition's own


class Refinement(Struct, frozen=True, gc=False):
    """An idea that an edition adds to, or takes from, its codes that begin with `code`."""

    edition: str
    code: str
    adds: bool
    idea: str


class CheckedRowError(Exception):
    """A table of checked rows cannot be used; the message names file and row. The service does not start."""


def _rows(name: str, header: list[str], key: list[str]) -> Iterator[list[str]]:
    try:
        yield from data_files.read_rows(_DIRECTORY / name, header, key)
    except DataFileError as error:
        raise CheckedRowError(str(error)) from error


def _categories() -> dict[tuple[str, str], Meaning]:
    found: dict[tuple[str, str], Meaning] = {}
    for category, *cells in _rows("icd_categories.csv", ["category", *COLUMNS], ["category"]):
        for edition, cell in zip(COLUMNS.values(), cells, strict=True):
            match cell:
                case "=" | "o":
                    found[edition, category] = cell
                case "":
                    pass
                case _:
                    raise CheckedRowError(f"icd_categories.csv: {category} has the unknown cell {cell}")
    return found


def _refinements() -> tuple[Refinement, ...]:
    rows = _rows("icd_refinements.csv", ["edition", "code", "change", "idea"], ["edition", "code", "idea"])
    return tuple(
        Refinement(COLUMNS[name], code.replace(".", ""), change == "+", idea) for name, code, change, idea in rows
    )


def _icd_9() -> frozenset[str]:
    found: set[str] = set()
    for first, last in _rows("icd9_categories.csv", ["first", "last"], ["first"]):
        letter = first[0] if first[0] in "EV" else ""
        digits = len(first) - len(letter)
        numbers = range(int(first.removeprefix(letter)), int(last.removeprefix(letter)) + 1)
        found.update(f"{letter}{number:0{digits}}" for number in numbers)
    return frozenset(found)


CATEGORIES = _categories()
REFINEMENTS = _refinements()
_ICD_9_CATEGORIES = _icd_9()


def means_as_who(edition: str, code: str) -> bool:
    """Whether the category of a code in WHO's terms means in its edition what it means in WHO's."""
    return CATEGORIES.get((edition, code[:3])) == "="


def is_classified(edition: str, code: str) -> bool:
    """Whether the code (normalised: no dot, upper case) of this edition has a checked row, whatever it means."""
    if edition == ICD_9_CM:
        category = code[:4] if code.startswith("E") else code[:3]
        return _ICD_9.fullmatch(code) is not None and category in _ICD_9_CATEGORIES
    form = FORMS.get(edition)
    if form is None or form.fullmatch(code) is None:
        return False
    return (edition, in_who_terms(edition, code)[:3]) in CATEGORIES


def refined(edition: str, code: str, ideas: Iterable[str]) -> set[str]:
    """The ideas that WHO's rules give for a code, with what its edition adds and without what it takes away."""
    found = set(ideas)
    for one in REFINEMENTS:
        if one.edition == edition and code.startswith(one.code):
            (found.add if one.adds else found.discard)(one.idea)
    return found


def hfrs_category(system: str, code: str) -> str | None:
    """The three-character category of a code as it comes, where it means what the Hospital Frailty Risk Score means.

    `system`: the canonical URI. None for other systems, a code that is none, or a category without a checked row.
    """
    if system not in EDITIONS:
        return None
    spelling = spelled(system, code)
    category = in_who_terms(system, spelling)[:3]
    return category if is_classified(system, spelling) and means_as_who(system, category) else None

"""Rows that a site adds to the catalogue: the same schema, and of what is not there, or proves too little, none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cds_service.advice.catalogue import Proof, Row, Theme, Trigger, parts, problems
from fhir_mappings.features.existing_tests import DIAGNOSES, MEDICINES, PERFORMED_DAYS
from fhir_mappings.results.feature import FeatureDefinition
from fhir_mappings.results.tested_rules import TESTED
from models_onnx import data_files
from models_onnx.data_files import DataFileError

# A row opens a card by itself on a recommendation only (DEC-39 lets our own do so on less, each after review).
_OPENS_ON = "recommended"
_LONGEST = 160
# What would be markup, a link or a second line on a card.
_FORBIDDEN = frozenset("<>[]*`|\\\n\r\t")
_KNOWN = {
    "diagnosis": frozenset(DIAGNOSES),
    "medicine": frozenset(MEDICINES),
    "performed": frozenset(PERFORMED_DAYS),
    "result_done": frozenset(TESTED),
    "result_not_done": frozenset(TESTED),
}


def read_rows(path: Path, features: Mapping[str, FeatureDefinition], taken: set[str]) -> Theme:
    """The theme of one file. `taken`: ids that there are, to which its own are added. DataFileError: file and line."""
    theme = data_files.read_yaml(path, Theme, complete=_without_numbers)
    for number, row in enumerate(theme.rows):
        if row.id in taken:
            raise DataFileError(f"{_place(path, number)}: {row.id}: there is a row of this id")
        taken.add(row.id)
        for wrong in (*problems(row, features), *_more(row)):
            raise DataFileError(f"{_place(path, number)}: {row.id}: {wrong}")
    return theme


def _place(path: Path, number: int) -> str:
    return f"{path}:{data_files.line_of(path, f'rows[{number}]')}"


def _without_numbers(values: Any) -> Any:
    """`number` is the place in our clinical catalogue, in which no row of a site stands."""
    rows = values.get("rows") if isinstance(values, dict) else None
    if not isinstance(rows, list):
        return values
    numbered = [{"number": 0, **row} if isinstance(row, dict) else row for row in rows]
    return {**values, "rows": numbered}


def _more(row: Row) -> Iterator[str]:
    proofs: list[Row | Proof] = [row, *([row.elsewhere] if row.elsewhere else [])]
    if row.opens and any(one.grade != _OPENS_ON for one in proofs):
        yield f"a row of a site opens a card only on evidence of the grade {_OPENS_ON}"
    if not all(text.strip() for one in proofs for text in (one.citation, one.evidence, one.source_date)):
        yield "evidence, citation and source_date must not be empty"
    for text in (
        row.consider,
        row.because,
        *(one.evidence for one in proofs),
        *(caution.say for caution in row.cautions),
    ):
        if len(text) > _LONGEST or _FORBIDDEN.intersection(text) or "://" in text:
            yield f"{text[:40]!r}: plain words of at most {_LONGEST} characters, without markup or a link"
    whole = [row.trigger, *([row.unless] if row.unless else []), *(caution.when for caution in row.cautions)]
    for trigger in whole:
        for part in parts(trigger):
            yield from _unknown(part)


def _unknown(part: Trigger) -> Iterator[str]:
    """A fact that nobody finds would silence the row for ever."""
    for member, known in _KNOWN.items():
        name = getattr(part, member)
        if name is not None and name not in known:
            yield f"{member} {name}: there are {', '.join(sorted(known))}"

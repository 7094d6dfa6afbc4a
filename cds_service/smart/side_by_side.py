"""For a category that is missing: each outcome for each of its values side by side, of which its range consists."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from cds_service.advice import by_class, by_value, model_inputs
from cds_service.advice.assessment import Assessment
from cds_service.pages import axis
from cds_service.pages.words import label, plain
from fhir_mappings.features.features import FEATURES
from fhir_mappings.patient.patient_record import PatientRecord
from models_onnx.registry import Registry
from models_onnx.score import InputValue


class ComparedRow(msgspec.Struct, frozen=True):
    """One outcome: its figure for each value, and the usual one ("" where that is not known)."""

    heading: str
    cells: tuple[str, ...]
    usual: str


class Table(msgspec.Struct, frozen=True):
    """One missing input: its values as columns."""

    input: str
    values: tuple[str, ...]
    rows: tuple[ComparedRow, ...]


def tables(told: Assessment, record: PatientRecord, models: Registry, of: int) -> tuple[Table, ...]:
    """A table for every missing category that moves a told probability, all figures of `of`."""
    return tuple(table for feature in told.unusable if (table := _table(feature.name, told, record, models, of)))


def _table(name: str, told: Assessment, record: PatientRecord, models: Registry, of: int) -> Table | None:
    found = _values(name, told)
    if not found:
        return None
    opened = model_inputs.unknowns(record, told.features).opened
    by = {(one.model, one.version): one.recalibration for one in told.scores if one.recalibration is not None}
    figures = by_value.figures(name, [value for value, _ in found], told.features, opened, models=models, by=by)
    rows = tuple(_rows(told, figures, of))
    return Table(label(name), tuple(words for _, words in found), rows) if rows else None


def _values(name: str, told: Assessment) -> list[tuple[InputValue, str]]:
    """The values of a category in words; nothing for what is none, or rests on a list of which the range tells."""
    if name == by_class.INPUT:
        return [(grade, f"ASA {words}") for grade, words in zip(by_class.GRADES, by_class.CLASSES, strict=True)]
    if told.features[name].could_be:
        return []
    return [(value, plain(value)) for value in (FEATURES[name].categories if name in FEATURES else ())]


def _rows(told: Assessment, figures: by_value.Figures, of: int) -> Iterator[ComparedRow]:
    for one in told.estimates:
        if (ranges := figures.get((one.score.model, one.score.version))) is not None:
            usual = axis.count(one.peer.probability, of) if one.peer is not None else ""
            cells = tuple(axis.between(each.low, each.high, of) for each in ranges)
            yield ComparedRow(one.outcome.heading, cells, usual)

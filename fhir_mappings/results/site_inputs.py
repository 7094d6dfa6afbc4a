"""Laboratory values that a site adds: one entry each says how the number is found, read and told."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from fhir_mappings.results.feature import FeatureDefinition
from fhir_mappings.results.measurement_rules import MeasurementRule
from fhir_mappings.terminology.site_codes import SiteAddition, pairs
from fhir_mappings.terminology.unit_texts import ucum
from fhir_mappings.terminology.units import FACTORS, SAME, Conversion, commensurable
from fhir_mappings.terminology.value_sets import ValueSet
from models_onnx import data_files
from models_onnx.data_files import DataFileError

_NAME = re.compile(r"[a-z][a-z0-9_]{2,39}")
MOST = 50


class SiteCode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code by which results arrive."""

    system: str
    code: str


class LaboratoryEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One laboratory value, as laboratory.yaml has it.

    `possible`: what a result can be at all, in `unit`; beyond it is rejected. `usual`: beyond it is told as unusual.
    `units`: how much of `unit` one of another unit is, where they are of another dimension. `source`: of the limits.
    `replaces`: the codes lose what they mean here.
    """

    name: str
    label: Annotated[str, Meta(min_length=2, max_length=60)]
    codes: Annotated[tuple[SiteCode, ...], Meta(min_length=1, max_length=50)]
    unit: str
    lookback_days: Annotated[int, Meta(ge=1, le=3653)]
    possible: tuple[float, float]
    usual: tuple[float, float]
    source: Annotated[str, Meta(min_length=3)]
    units: dict[str, float] = {}
    decimals: Annotated[int, Meta(ge=0, le=4)] = 2
    replaces: bool = False

    @property
    def idea(self) -> str:
        """The name of its value set."""
        return self.name.replace("_", "-")


class _LaboratoryFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    laboratory: Annotated[tuple[LaboratoryEntry, ...], Meta(max_length=MOST)]


class SiteInput(Struct, frozen=True):
    """A laboratory value of a site: how it is read, what it is called, its own idea and the codes that mean it."""

    rule: MeasurementRule
    definition: FeatureDefinition
    value_set: ValueSet
    codes: SiteAddition


def read_inputs(path: Path, *, taken: Collection[str]) -> tuple[SiteInput, ...]:
    """The values of laboratory.yaml; `taken`: names of inputs and ideas that there are. Raises DataFileError."""
    entries = data_files.read_yaml(path, _LaboratoryFile).laboratory
    names = [entry.name for entry in entries]
    for number, entry in enumerate(entries):
        for member, wrong in _complaints(entry, taken):
            raise DataFileError(f"{_place(path, number, member)}: {wrong}")
        if names.count(entry.name) > 1:
            raise DataFileError(f"{_place(path, number, '.name')}: {entry.name} is given twice")
    return tuple(_input(entry, _place(path, number, ".codes")) for number, entry in enumerate(entries))


def _place(path: Path, number: int, member: str) -> str:
    return f"{path}:{data_files.line_of(path, f'laboratory[{number}]{member}')}"


def _complaints(entry: LaboratoryEntry, taken: Collection[str]) -> Iterator[tuple[str, str]]:
    if not _NAME.fullmatch(entry.name):
        yield ".name", "lower-case letters, digits and underscores, 3 to 40"
    if entry.name in taken or entry.idea in taken:
        yield ".name", f"{entry.name} is read already: add its codes in codes.yaml"
    if not entry.label.strip().isprintable() or entry.label != entry.label.strip():
        yield ".label", "plain text"
    for unit in (entry.unit, *entry.units):
        if not unit or ucum(unit) != unit:
            yield (".unit" if unit == entry.unit else ".units"), f"{unit!r} is no UCUM unit that is understood here"
    if not all(math.isfinite(one) and one > 0 for one in entry.units.values()) or entry.unit in entry.units:
        yield ".units", f"how much {entry.unit} one of another unit is: a number above 0"
    if known := [unit for unit in entry.units if unit in _of_one_dimension(entry.unit)]:
        yield ".units", f"{known[0]} and {entry.unit} are converted already, as UCUM has it"
    (lowest, highest), (low, high) = entry.possible, entry.usual
    if not all(map(math.isfinite, (lowest, highest))) or lowest >= highest:
        yield ".possible", "two numbers, rising"
    if not lowest <= low < high <= highest:
        yield ".usual", "two numbers, rising, within what is possible"


def _of_one_dimension(unit: str) -> dict[str, Conversion]:
    return commensurable(unit) if any(unit in family for family in FACTORS.values()) else {}


def _input(entry: LaboratoryEntry, place: str) -> SiteInput:
    rule = MeasurementRule(
        name=entry.name,
        label=entry.label,
        unit=entry.unit,
        units=_of_one_dimension(entry.unit)
        | {entry.unit: SAME}
        | {unit: Conversion(factor) for unit, factor in entry.units.items()},
        lookback_days=entry.lookback_days,
        hard=entry.possible,
        soft=entry.usual,
        source=entry.source,
        decimals=entry.decimals,
    )
    definition = FeatureDefinition(
        name=entry.name,
        label=entry.label,
        kind="number",
        unit=entry.unit,
        source=f"added by the site: {entry.source}",
        low=entry.possible[0],
        high=entry.possible[1],
        lookback_days=entry.lookback_days,
        decimals=entry.decimals,
    )
    codes = SiteAddition(
        place, (entry.idea,), pairs(place, ((one.system, one.code) for one in entry.codes)), entry.replaces
    )
    return SiteInput(rule, definition, ValueSet(entry.idea, entry.label, "the site's", ()), codes)

"""What a site adds without Python, as a folder of its own: maps, codes, laboratory values, units, rows. Read strictly.

site/
  concept-maps/*.json   FHIR ConceptMaps, as the tenant's own `concept_maps`
  codes.yaml            codes of standard systems, added to our ideas
  laboratory.yaml       laboratory values of its own
  units.yaml            its texts for units
  rows/*.yaml           suggestion rows with their evidence
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from cds_service.advice import site_rows
from cds_service.advice.catalogue import Theme
from cds_service.advice.choice import CATALOGUE
from fhir_mappings.features.features import FEATURES
from fhir_mappings.results import site_inputs, unit_aliases
from fhir_mappings.results.feature import FeatureDefinition
from fhir_mappings.results.site_inputs import SiteInput
from fhir_mappings.terminology import site_codes
from fhir_mappings.terminology.site_codes import Moved, SiteAddition
from fhir_mappings.terminology.value_sets import STANDARD, ValueSets
from models_onnx import data_files
from models_onnx.data_files import DataFileError

_MAPS, _CODES, _LABORATORY, _UNITS, _ROWS = "concept-maps", "codes.yaml", "laboratory.yaml", "units.yaml", "rows"
_FOLDERS = {_MAPS: ".json", _ROWS: ".yaml"}
_FILES = (_CODES, _LABORATORY, _UNITS)
_NOTES = ("README.md", "LICENSE")  # may lie beside them


class SiteFolder(msgspec.Struct, frozen=True, kw_only=True):
    """What a site's folder holds; empty for a tenant without one. `units`: UCUM unit by text."""

    maps: tuple[Path, ...] = ()
    codes: tuple[SiteAddition, ...] = ()
    inputs: tuple[SiteInput, ...] = ()
    units: dict[str, str] = {}
    themes: tuple[Theme, ...] = ()
    moved: tuple[Moved, ...] = ()

    @property
    def definitions(self) -> dict[str, FeatureDefinition]:
        """Every feature that its rows may ask for."""
        return FEATURES | {one.definition.name: one.definition for one in self.inputs}

    @property
    def taken_units(self) -> frozenset[str]:
        """The units that its own values take."""
        return frozenset(unit for one in self.inputs for unit in one.rule.units)


NOTHING_ADDED = SiteFolder()


class _Alias(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: str
    means: str


class _UnitFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    units: tuple[_Alias, ...]


def read_folder(folder: Path | None) -> SiteFolder:
    """What the folder holds. Raises DataFileError naming file and line: also for a file that nobody would read."""
    if folder is None:
        return NOTHING_ADDED
    try:
        return _read(folder)
    except OSError as error:
        raise DataFileError(f"{error.filename or folder}: {data_files.why(error)}") from error


def _read(folder: Path) -> SiteFolder:
    _refuse_unread(folder)
    taken = {*FEATURES, *STANDARD.by_id}
    path = folder / _LABORATORY
    own = SiteFolder(inputs=site_inputs.read_inputs(path, taken=taken) if path.exists() else ())
    rows = {row.id for row in CATALOGUE.rows}
    return msgspec.structs.replace(
        own,
        maps=tuple(_in(folder, _MAPS)),
        codes=site_codes.read_codes(folder / _CODES) if (folder / _CODES).exists() else (),
        units=_units(folder / _UNITS, own.taken_units) if (folder / _UNITS).exists() else {},
        themes=tuple(site_rows.read_rows(path, own.definitions, rows) for path in _in(folder, _ROWS)),
    )


def applied(own: SiteFolder, sets: ValueSets) -> tuple[ValueSets, SiteFolder]:
    """The value sets with the site's codes and ideas, and the folder with what moved. Raises DataFileError."""
    if not own.codes and not own.inputs:
        return sets, own
    additions = (*(one.codes for one in own.inputs), *own.codes)
    changed, moved = site_codes.added(sets, additions, [one.value_set for one in own.inputs])
    return changed, msgspec.structs.replace(own, moved=moved)


def _refuse_unread(folder: Path) -> None:
    """A misspelt name would be a rule that never holds."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in _NOTES:
            continue
        if not (path.name in _FOLDERS and path.is_dir()) and not (path.name in _FILES and path.is_file()):
            expected = ", ".join((*_FILES, *(f"{name}/" for name in _FOLDERS)))
            raise DataFileError(f"{path}:1: nobody reads this; a site folder holds {expected}")


def _in(folder: Path, name: str) -> Iterator[Path]:
    if not (folder / name).is_dir():
        return
    for path in sorted((folder / name).iterdir()):
        if path.name.startswith(".") or path.name in _NOTES:
            continue
        if path.suffix != _FOLDERS[name]:
            raise DataFileError(f"{path}:1: nobody reads this; {name}/ holds *{_FOLDERS[name]}")
        yield path


def _units(path: Path, also: frozenset[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, alias in enumerate(data_files.read_yaml(path, _UnitFile).units):
        place = f"{path}:{data_files.line_of(path, f'units[{number}]')}"
        if wrong := unit_aliases.complaint(alias.text, alias.means, also):
            raise DataFileError(f"{place}: {wrong}")
        if alias.text in found:
            raise DataFileError(f"{place}: {alias.text!r} is given twice")
        found[alias.text] = alias.means
    return found


def added_in_words(own: SiteFolder) -> str:
    """What was added, for `cds-service check`."""
    inputs = [f"{one.rule.name} ({one.rule.unit}, {len(one.codes.pairs)} codes)" for one in own.inputs]
    codes = [f"{' and '.join(one.ideas)} +{len(one.pairs)}" for one in own.codes]
    rows = [row.id for theme in own.themes for row in theme.rows]
    parts = {
        "concept maps": [path.name for path in own.maps],
        "codes": codes,
        "laboratory": inputs,
        "units": [f"{text!r} = {unit}" for text, unit in own.units.items()],
        "rows": rows,
    }
    return "; ".join(f"{name}: {', '.join(of) or 'none'}" for name, of in parts.items())

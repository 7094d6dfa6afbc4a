"""A hospital's joined operations as rows that a refit learns from: `cds-service record operations` writes the file.

A file may have more columns of inputs (`input.NAME`: levels, approach, wound class) and of groups (`group.NAME`:
language, payer) than the record holds. What cannot be read is told by file, line and column, never by its value.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_onnx.added_card import AddedInput, within
from models_onnx.learning_columns import GROUP, INPUT, REQUIRED
from models_onnx.training.operations_file import MISSING, OperationsFileError
from models_onnx.training.penalised import Matrix

_YES_NO = {"1": 1.0, "true": 1.0, "yes": 1.0, "0": 0.0, "false": 0.0, "no": 0.0}
Texts = NDArray[np.object_]


@dataclass(frozen=True)
class LearningRows:
    """One element per operation; `inputs` as a graph reads them, NaN where missing.

    `person` numbers patients, each site's apart. `withheld`: why nobody was shown a figure of this operation (`silent`
    or `hold-out`), empty where somebody may have been. `champion`: what the model in force said, NaN where it said
    nothing; `champions` names which. `outside`: the operations beyond what the inputs are declared for. `sha256` is
    that of the files.
    """

    person: NDArray[np.int64]
    site: Texts
    day: NDArray[Any]
    procedure_group: Texts
    withheld: Texts
    permitted: NDArray[np.bool_]
    source: Texts
    occurred: Matrix
    champion: Matrix
    champions: Texts
    inputs: Matrix
    outside: NDArray[np.bool_]
    groups: Mapping[str, Texts]
    sha256: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.person)

    def some(self, chosen: NDArray[np.bool_]) -> LearningRows:
        """The operations of which `chosen` is true."""
        told: dict[str, Any] = {
            name: value[chosen] if isinstance(value, np.ndarray) else value for name, value in vars(self).items()
        }
        told["groups"] = {name: of[chosen] for name, of in self.groups.items()}
        return LearningRows(**told)


def read_learning(paths: Sequence[Path], inputs: Sequence[AddedInput], outcome: str) -> LearningRows:
    """The operations of all files together; raises OperationsFileError.

    Every declared input needs its column, for one that is absent by mistake would be fitted as missing.
    """
    records = [(path, line, record) for path in paths for line, record in _records(path, inputs)]
    if not records:
        raise OperationsFileError("the files hold no operations")
    persons: dict[tuple[str, str], int] = {}
    values = [[_value(record, entry, (path, line)) for entry in inputs] for path, line, record in records]
    for path, line, record in records:
        if record["outcome"] != outcome:
            raise OperationsFileError(f"{path.name}, line {line}, column outcome: another than {outcome}")

    def texts(column: str) -> Texts:
        return np.array([record.get(column, "").strip() for _, _, record in records], dtype=object)

    def yes(column: str) -> Matrix:
        return np.array([_coded(record[column], _YES_NO, (path, line), column) for path, line, record in records])

    groups = sorted({name for _, _, record in records for name in record if name.startswith(GROUP)})
    keys = [(record["site"], record["person"] or record["operation"]) for _, _, record in records]
    return LearningRows(
        person=np.array([persons.setdefault(key, len(persons)) for key in keys]),
        site=texts("site"),
        day=np.array([_day(record["day"], (path, line)) for path, line, record in records]),
        procedure_group=texts("procedure_group"),
        withheld=texts("withheld"),
        permitted=yes("permitted") == 1.0,
        source=texts("source"),
        occurred=yes("occurred"),
        champion=np.array([_probability(record, (path, line)) for path, line, record in records]),
        champions=texts("champion"),
        inputs=np.array([[number for number, _ in row] for row in values], dtype=float).reshape(len(values), -1),
        outside=np.array([any(is_out for _, is_out in row) for row in values]),
        groups={name.removeprefix(GROUP): texts(name) for name in groups},
        sha256=tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths),
    )


def _records(path: Path, inputs: Sequence[AddedInput]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            header = reader.fieldnames or ()
            for name in (*REQUIRED, *(INPUT + entry.name for entry in inputs)):
                if name not in header:
                    raise OperationsFileError(f"{path.name}, line 1: column {name} is not there")
            for record in reader:
                if None in record or None in record.values():
                    raise OperationsFileError(f"{path.name}, line {reader.line_num}: not the columns of line 1")
                yield reader.line_num, record
    except UnicodeDecodeError as error:
        raise OperationsFileError(f"{path.name}: not in UTF-8") from error
    except csv.Error as error:
        raise OperationsFileError(f"{path.name}, line {reader.line_num}: {error}") from error
    except OSError as error:
        raise OperationsFileError(f"{path}: {error.strerror}") from error


def _fault(where: tuple[Path, int], column: str, what: str) -> OperationsFileError:
    return OperationsFileError(f"{where[0].name}, line {where[1]}, column {column}: {what}")


def _coded(text: str, codes: Mapping[str, float], where: tuple[Path, int], column: str) -> float:
    found = codes.get(text.strip().lower())
    if found is None:
        raise _fault(where, column, f"one of {', '.join(codes)}")
    return found


def _value(record: Mapping[str, str], entry: AddedInput, where: tuple[Path, int]) -> tuple[float, bool]:
    """An input as a graph reads it, and whether it is one that the model is not made for."""
    column = INPUT + entry.name
    text = record[column].strip()
    if text.lower() in MISSING:
        return math.nan, entry.required
    if entry.kind == "yes-no":
        return _coded(text, _YES_NO, where, column), False
    if entry.kind == "category":
        place = {name: number for number, name in enumerate(entry.categories)}.get(text)
        return (math.nan, True) if place is None else (float(place), False)
    number = _number(text, where, column)
    return number, not within(entry, number)


def _number(text: str, where: tuple[Path, int], column: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _fault(where, column, "not a number")
    return number


def _probability(record: Mapping[str, str], where: tuple[Path, int]) -> float:
    text = record["champion_probability"].strip()
    if not text:
        return math.nan
    number = _number(text, where, "champion_probability")
    if not 0 < number < 1:
        raise _fault(where, "champion_probability", "not between 0 and 1")
    return number


def _day(text: str, where: tuple[Path, int]) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise _fault(where, "day", "a day as 2026-11-29") from error

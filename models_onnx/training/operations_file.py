"""A file of operations as columns of numbers; what cannot be read is told by line and column, never by its value."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MISSING = frozenset({"", ".", "na", "n/a", "nan", "null"})
# As the file codes them (data dictionary; for gender the file is right and the published dictionary wrong).
CODES = {
    "gender": (0.0, 1.0),
    "race": (1.0, 2.0, 3.0),
    "asa_status": (1.0, 2.0, 3.0),
    "baseline_cancer": (0.0, 1.0),
    "mort30": (0.0, 1.0),
    "complication": (0.0, 1.0),
}
REQUIRED = ("ahrq_ccs", "age")


class OperationsFileError(ValueError):
    """A file that cannot be read as operations; the message names line and column."""


class Columns:
    """The columns that were asked for: `text` as written, `numbers` with NaN where missing; `absent` are not there."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.text: NDArray[np.object_] = np.full(rows, "", dtype=object)
        self.numbers: dict[str, NDArray[np.float64]] = {}
        self.absent: tuple[str, ...] = ()


def read_columns(path: Path, wanted: Sequence[str]) -> Columns:
    """The `wanted` columns of a comma-separated file; raises OperationsFileError.

    Without operation or age there is nothing to say; any other column may be absent, and is then missing for all.
    """
    lines, records = _records(path)
    present = [name for name in wanted if records and name in records[0]]
    found = Columns(len(records))
    found.absent = tuple(name for name in wanted if name not in present)
    for name in wanted:
        if name == "ahrq_ccs":
            found.text = np.array([record[name].strip() for record in records], dtype=object)
        elif name in present:
            pairs = zip(lines, records, strict=True)
            found.numbers[name] = np.array([_number(record[name], line, name) for line, record in pairs])
        else:
            found.numbers[name] = np.full(len(records), np.nan)
    return found


def _records(path: Path) -> tuple[list[int], list[dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            header = reader.fieldnames or ()
            for name in REQUIRED:
                if name not in header:
                    raise OperationsFileError(f"{path.name}, line 1: column {name} is not there")
            lines, records = [], []
            for record in reader:
                if None in record or None in record.values():
                    wrong = f"not as many fields as the {len(header)} columns of line 1"
                    raise OperationsFileError(f"{path.name}, line {reader.line_num}: {wrong}")
                lines.append(reader.line_num)
                records.append(record)
    except UnicodeDecodeError as error:
        raise OperationsFileError(f"{path.name}: not in UTF-8") from error
    except csv.Error as error:
        raise OperationsFileError(f"{path.name}, line {reader.line_num}: {error}") from error
    except OSError as error:
        raise OperationsFileError(f"{path}: {error.strerror}") from error
    if not records:
        raise OperationsFileError(f"{path.name}: it has no rows")
    return lines, records


def _number(text: str, line: int, column: str) -> float:
    bare = text.strip()
    if bare.lower() in MISSING:
        return math.nan
    try:
        number = float(bare)
    except ValueError:
        number = math.inf
    if not math.isfinite(number) or number < 0:
        raise OperationsFileError(f"line {line}, column {column}: not a number from 0 on")
    if column in CODES and number not in CODES[column]:
        codes = ", ".join(f"{code:g}" for code in CODES[column])
        raise OperationsFileError(f"line {line}, column {column}: not one of {codes}")
    return number

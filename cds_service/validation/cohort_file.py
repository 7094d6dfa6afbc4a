"""A site's file of groups of people for the validation report: a CSV, of which every fault has its line."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from cds_service.records.outcome_file import Fault
from cds_service.validation.collected import ONLY_IN_A_FILE, ValidatedOperation

KEY = "evaluation_id"
MOST_ROWS = 1_000_000
MOST_BYTES = 64 * 1024 * 1024
# Categories, of which a page may name each; a column of more holds something else, such as names of people.
MOST_GROUPS = 50
_CHARACTERS = 64


class CohortFileError(Exception):
    """A file that is not used: with what is wrong where, never with a value."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))


def cohorts(content: bytes) -> dict[str, dict[str, str]]:
    """By evaluation what the file says; an empty cell says nothing. Raises CohortFileError."""
    found: dict[str, dict[str, str]] = {}
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for line, row in _rows(content):
        own = row.pop(KEY)
        if not own or own in found:
            raise CohortFileError(Fault(line, KEY, "stands in an earlier line" if own else "is empty"))
        if len(found) == MOST_ROWS:
            raise CohortFileError(Fault(line, "*", f"more than {MOST_ROWS:,} rows"))
        found[own] = {name: value for name, value in row.items() if value}
        for name, value in found[own].items():
            if not value.isprintable() or len(value) > _CHARACTERS:
                raise CohortFileError(Fault(line, name, f"a category of at most {_CHARACTERS} printable characters"))
            groups[name].add(value)
            if len(groups[name]) > MOST_GROUPS:
                told = f"more than {MOST_GROUPS} different values: the report names each, so give categories"
                raise CohortFileError(Fault(line, name, told))
    return found


def covered(of: Mapping[str, Mapping[str, str]], operations: Sequence[ValidatedOperation]) -> int:
    """How many operations the file says something of. Raises CohortFileError where it is none of them."""
    names = {name for row in of.values() for name in row}
    count = sum(bool(names.intersection(one.cohorts)) for one in operations)
    if of and operations and not count:
        raise CohortFileError(Fault(2, KEY, "no line of the file is about an operation of the window"))
    return count


def _rows(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Each line that is not empty with its number, by the columns that are read."""
    if len(content) > MOST_BYTES:
        raise CohortFileError(Fault(1, "*", f"a file of at most {MOST_BYTES} bytes"))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise CohortFileError(Fault(line, "*", "not UTF-8: save the file as UTF-8")) from error
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        heads = [name.strip().lower() for name in next(reader, [])]
        names = [name for name in heads if name in ONLY_IN_A_FILE]
        if KEY not in heads or not names or len(set(heads)) < len(heads):
            told = f"needs {KEY} and at least one column of {', '.join(ONLY_IN_A_FILE)}, each once, with commas between"
            raise CohortFileError(Fault(1, "*", told))
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) != len(heads):
                    raise CohortFileError(Fault(reader.line_num, "*", f"{len(heads)} columns, as in the header"))
                row = dict(zip(heads, map(str.strip, cells), strict=True))
                yield reader.line_num, {name: row[name] for name in (KEY, *names)}
    except csv.Error as error:
        raise CohortFileError(Fault(reader.line_num, "*", f"not readable as CSV: {error}")) from error

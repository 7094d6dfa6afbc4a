"""A hospital's own file of what happened to its patients: a CSV, every line checked before any is kept (R-E04).

Version 2 has days: `occurred_on`, `observed_through`, `operated_on`. A file without them (version 1) is still read;
what it says is undated, and nobody can tell from it when an operation had been followed long enough.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

import msgspec

from cds_service.records.rows import OutcomeRow

REQUIRED = ("evaluation_id", "outcome", "occurred")
DAYS = ("occurred_on", "observed_through", "operated_on")
OPTIONAL = ("source", *DAYS)
SOURCE_CHARACTERS = 128
MOST_BYTES = 64 * 1024 * 1024
WITHDRAWN = "withdrawn"
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_FIRST_YEAR = 2000  # no service of this kind asked about an operation before; 0026 was written with two digits
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")  # none that a spreadsheet writes within a cell
# How a file begins that is none of text, and what to do.
_OTHER_FILES = {
    b"\x1f\x8b": "compressed by gzip: unpack the file",
    b"PK\x03\x04": "a workbook or an archive: save it as CSV in UTF-8, or unpack it",
    b"\xff\xfe": "UTF-16: save the file as UTF-8",
    b"\xfe\xff": "UTF-16: save the file as UTF-8",
}
_YES_NO: Mapping[str, bool] = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Fault(msgspec.Struct, frozen=True):
    """What is wrong where: the line of the file (from 1), the column, and what to change; never the value."""

    line: int
    column: str
    told: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.told}"


class OutcomeFileError(Exception):
    """A file of which nothing was kept, with everything that is wrong in it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


class Line(msgspec.Struct, frozen=True):
    """One readable line and where it stands; `withdrawn`: what was said before of this outcome is taken back."""

    number: int
    row: OutcomeRow
    withdrawn: bool = False


def outcome_lines(
    content: bytes, *, tenant_id: str, known: Collection[str], source: str, today: date
) -> tuple[Line, ...]:
    """The lines of a CSV file (UTF-8, comma, a header). Raises OutcomeFileError naming every fault.

    Columns: evaluation_id, outcome (one of `known`), occurred (true or false, 1 or 0, yes or no; or `withdrawn`);
    optionally source, else `source` for all lines, and the days of DAYS as 2026-11-29, none of them after `today`.
    Two lines about the same outcome of the same evaluation are a fault.
    """
    lines: list[Line] = []
    faults: list[Fault] = []
    first_seen: dict[tuple[str, str], int] = {}
    for number, given in _records(content):
        problems = (*_problems(number, given, known), *_problems_of_days(number, given, today))
        key = (given["evaluation_id"], given["outcome"])
        if not problems and (before := first_seen.setdefault(key, number)) != number:
            problems = (Fault(number, "evaluation_id", f"the same evaluation and outcome as in line {before}"),)
        faults.extend(problems)
        if not problems:
            withdrawn = given["occurred"].lower() == WITHDRAWN
            lines.append(Line(number, _row(given, tenant_id, source), withdrawn))
    if faults:
        raise OutcomeFileError(faults)
    return tuple(lines)


def _row(given: Mapping[str, str], tenant_id: str, source: str) -> OutcomeRow:
    return OutcomeRow(
        tenant_id=tenant_id,
        evaluation_id=given["evaluation_id"],
        outcome=given["outcome"],
        occurred=_YES_NO.get(given["occurred"].lower(), False),
        source=given.get("source") or source,
        **{name: date.fromisoformat(given[name]) for name in DAYS if given.get(name)},
    )


def _records(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Each line with its number, by column; the header is checked before the first."""
    if len(content) > MOST_BYTES:
        raise OutcomeFileError([Fault(1, "*", f"a file of at most {MOST_BYTES} bytes")])
    for beginning, told in _OTHER_FILES.items():
        if content.startswith(beginning):
            raise OutcomeFileError([Fault(1, "*", told)])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise OutcomeFileError([Fault(line, "*", "not UTF-8: save the file as UTF-8")]) from error
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        _check_header(header)
        for record in reader:
            if not any(field.strip() for field in record):
                continue
            if len(record) != len(header):
                raise OutcomeFileError([Fault(reader.line_num, "*", f"{len(header)} columns, as in the header")])
            yield reader.line_num, dict(zip(header, map(str.strip, record), strict=True))
    except csv.Error as error:
        raise OutcomeFileError([Fault(reader.line_num, "*", f"not readable as CSV: {error}")]) from error


def _check_header(header: Sequence[str]) -> None:
    if len(header) == 1 and (mark := next((one for one in (";", "\t", "|") if one in header[0]), None)):
        words = {";": "semicolons", "\t": "tabs", "|": "bars"}[mark]
        raise OutcomeFileError([Fault(1, "*", f"columns are separated by {words}: separate them by commas")])
    absent = [name for name in REQUIRED if name not in header]
    strange = [name for name in header if name not in REQUIRED + OPTIONAL]
    faults = [Fault(1, name, "missing from the header") for name in absent]
    faults += [Fault(1, name or "*", f"unknown; columns are {', '.join(REQUIRED + OPTIONAL)}") for name in strange]
    faults += [Fault(1, name, "given twice") for name in dict.fromkeys(header) if header.count(name) > 1]
    if faults:
        raise OutcomeFileError(faults)


def _problems(number: int, given: Mapping[str, str], known: Collection[str]) -> Iterator[Fault]:
    if not 0 < len(given["evaluation_id"]) <= 36:
        yield Fault(number, "evaluation_id", "the id of an evaluation, as the export names it")
    if given["outcome"] not in known:
        yield Fault(number, "outcome", f"one of {', '.join(sorted(known))}")
    if given["occurred"].lower() not in (*_YES_NO, WITHDRAWN):
        yield Fault(number, "occurred", f"true or false, or {WITHDRAWN}")
    for name in (one for one, value in given.items() if _CONTROL.search(value)):
        yield Fault(number, name, "holds a control character: remove it")
    if len(given.get("source", "")) > SOURCE_CHARACTERS:
        yield Fault(number, "source", f"at most {SOURCE_CHARACTERS} characters")


def _problems_of_days(number: int, given: Mapping[str, str], today: date) -> Iterator[Fault]:
    days: dict[str, date] = {}
    for name in DAYS:
        if not given.get(name):
            continue
        if (day := _day(given[name])) is None or day > today:
            yield Fault(number, name, "a day as 2026-11-29, not in the future")
            return
        if day.year < _FIRST_YEAR:
            yield Fault(number, name, f"a day of {_FIRST_YEAR} or later: write the year with four digits")
            return
        days[name] = day
    if "occurred_on" in days and _YES_NO.get(given["occurred"].lower()) is not True:
        yield Fault(number, "occurred_on", "a day only where it occurred")
    for earlier, later in (("operated_on", "occurred_on"), ("operated_on", "observed_through")):
        if earlier in days and later in days and days[later] < days[earlier]:
            yield Fault(number, later, f"not before {earlier}")


def _day(text: str) -> date | None:
    if not _ISO_DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None

"""Files of outcomes as hospitals really send them: each fault has its line and its remedy, and nothing is kept."""

from __future__ import annotations

import gzip

import pytest

from cds_service.records.outcome_file import OutcomeFileError
from tests.cds_service.records.test_outcome_file import HEADER, read

DATED = f"{HEADER[:-1]},operated_on,observed_through\n"


@pytest.mark.parametrize(
    ("content", "line", "remedy"),
    [
        (gzip.compress(HEADER.encode(), mtime=0), 1, "unpack"),
        (b"PK\x03\x04rest of a workbook", 1, "save it as CSV"),
        (f"{HEADER}e-1,30-day-death,1\n".encode("utf-16"), 1, "save the file as UTF-8"),
        (f"{HEADER}\u00e4-1,30-day-death,1\n".encode("latin-1"), 2, "save the file as UTF-8"),
        ("evaluation_id;outcome;occurred\ne-1;30-day-death;1\n", 1, "separate them by commas"),
        ("evaluation_id\toutcome\toccurred\ne-1\t30-day-death\t1\n", 1, "separate them by commas"),
        (f"{HEADER}e-1\x00,30-day-death,1\n", 2, "remove it"),
        (f"{DATED}e-1,30-day-death,0,0026-03-10,\n", 2, "four digits"),
        (f"{DATED}e-1,30-day-death,0,26-03-10,\n", 2, "2026-11-29"),
        (f"{DATED}e-1,30-day-death,0,10.03.26,\n", 2, "2026-11-29"),
        (f"{DATED}e-1,30-day-death,0,2026-03-10T10:00:00+01:00,\n", 2, "2026-11-29"),
        (f"{DATED}e-1,30-day-death,0,2025-02-29,\n", 2, "2026-11-29"),
        (f"{DATED}e-1,30-day-death,0,2026-03-10,2026-04-1", 2, "2026-11-29"),
        (f"{DATED}e-1,30-day-death,0,2026-03-10", 2, "columns, as in the header"),
        (f'{DATED}e-1,"30-day-death,0,2026-03-10,\n', 2, "not readable as CSV"),
        (f"{HEADER}e-1,30-day-death,0,5\n", 2, "columns, as in the header"),
        (f"{HEADER}e-1,30-day-death,1\rE-2,30-day-death,maybe\r", 3, "true or false"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line_and_what_to_do(content, line, remedy):
    with pytest.raises(OutcomeFileError) as error:
        read(content)
    (fault,) = error.value.faults
    assert (fault.line, remedy in fault.told) == (line, True), fault


def test_a_leap_day_and_the_ends_of_years_are_days():
    lines = read(f"{DATED}e-1,30-day-death,0,2024-02-29,2024-12-31\ne-2,30-day-death,0,2025-12-31,2026-01-30\n")
    assert [line.row.operated_on.isoformat() for line in lines] == ["2024-02-29", "2025-12-31"]

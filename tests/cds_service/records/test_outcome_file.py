"""A hospital's file of outcomes: what is wrong is told by line and column, without the value."""

from datetime import date

import pytest

from cds_service.records import outcome_file
from cds_service.records.outcome_file import OutcomeFileError

KNOWN = ("30-day-death", "any-complication")
HEADER = "evaluation_id,outcome,occurred\n"


def read(text, source="registry"):
    content = text if isinstance(text, bytes) else text.encode()
    return outcome_file.outcome_lines(
        content, tenant_id="general-hospital", known=KNOWN, source=source, today=date(2026, 11, 29)
    )


def faults(text):
    with pytest.raises(OutcomeFileError) as error:
        read(text)
    return [(fault.line, fault.column) for fault in error.value.faults]


@pytest.mark.parametrize(
    ("word", "occurred"), [("true", True), ("1", True), ("YES", True), ("False", False), ("0", False), ("no", False)]
)
def test_yes_and_no_are_read_in_the_words_people_use(word, occurred):
    (line,) = read(f"{HEADER}e-1,30-day-death,{word}\n")
    assert (line.number, line.row.occurred, line.row.source) == (2, occurred, "registry")


def test_a_spreadsheets_own_file_is_read():
    text = '\ufeffOutcome, evaluation_id ,occurred,source\r\n30-day-death,e-1,1,"death register, 2026"\r\n\r\n,,,\r\n'
    (line,) = read(text)
    assert (line.row.evaluation_id, line.row.source) == ("e-1", "death register, 2026")


def test_a_quoted_line_break_keeps_the_count_of_lines():
    text = f'{HEADER[:-1]},source\ne-1,30-day-death,1,"a\nb"\ne-2,30-day-death,maybe,\n'
    assert faults(text) == [(4, "occurred")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [(1, "evaluation_id"), (1, "outcome"), (1, "occurred")]),
        ("evaluation_id,outcome\n", [(1, "occurred")]),
        ("evaluation_id;outcome;occurred\n", [(1, "*")]),
        (f"{HEADER[:-1]},name\n", [(1, "name")]),
        (f"{HEADER[:-1]},outcome\n", [(1, "outcome")]),
        (f"{HEADER},30-day-death,1\n", [(2, "evaluation_id")]),
        (f"{HEADER}{'e' * 37},30-day-death,1\n", [(2, "evaluation_id")]),
        (f"{HEADER}e-1,death,1\n", [(2, "outcome")]),
        (f"{HEADER}e-1,30-day-death,\n", [(2, "occurred")]),
        (f"{HEADER}e-1,death,maybe\ne-2,x,1\n", [(2, "outcome"), (2, "occurred"), (3, "outcome")]),
        (f"{HEADER}e-1,30-day-death,1\ne-1,30-day-death,1\n", [(3, "evaluation_id")]),
        (f"{HEADER}e-1,30-day-death\n", [(2, "*")]),
        (f"{HEADER}e-1,30-day-death,1,x\n", [(2, "*")]),
        (f'{HEADER}"e-1"x,30-day-death,1\n', [(2, "*")]),
        (HEADER.encode() + b"e-1,30-day-death,\xff\n", [(2, "*")]),
        (f"{HEADER[:-1]},source\ne-1,30-day-death,1,{'s' * 129}\n", [(2, "source")]),
    ],
)  # fmt: skip
def test_every_fault_is_told_by_line_and_column(text, expected):
    assert faults(text) == expected


def test_a_fault_never_repeats_the_value():
    with pytest.raises(OutcomeFileError) as error:
        read(f"{HEADER}canary-id-that-is-longer-than-thirty-six-characters,canary,canary\n")
    assert "canary" not in str(error.value)


def test_a_file_without_lines_is_nothing_to_keep():
    assert read(HEADER) == ()

"""FHIR dates keep their precision and get a zone only where they have none."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from fhir_mappings.fhir.dates import moment

VIENNA = ZoneInfo("Europe/Vienna")


@pytest.mark.parametrize(
    ("text", "precision", "first", "last"),
    [
        ("2026-11-17T08:00:00Z", "time", date(2026, 11, 17), date(2026, 11, 17)),
        ("2026-11-17T23:30:00Z", "time", date(2026, 11, 18), date(2026, 11, 18)),  # already tomorrow in Vienna
        ("2026-11-17", "day", date(2026, 11, 17), date(2026, 11, 17)),
        ("2026-02", "month", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026", "year", date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_a_date_is_as_exact_as_it_was_recorded(text: str, precision: str, first: date, last: date) -> None:
    found = moment(text, VIENNA)
    assert found is not None
    assert (found.precision, found.first, found.last) == (precision, first, last)


def test_a_time_without_a_zone_is_read_in_the_tenants() -> None:
    found = moment("2026-11-17T08:00:00", VIENNA)
    assert found is not None
    assert found.time == datetime(2026, 11, 17, 7, tzinfo=UTC)


def test_a_date_alone_means_the_end_of_that_day() -> None:
    found = moment("2026-11-17", VIENNA)
    assert found is not None
    assert found.time.isoformat() == "2026-11-17T23:59:59.999999+01:00"
    assert found.date_only


def test_a_leap_second_is_read() -> None:
    found = moment("2016-12-31T23:59:60Z", VIENNA)
    assert found is not None
    assert found.time == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", None, "yesterday", "2026-13-01", "2026-02-30", "20261117", "2026-W47-2", "2026/11/17", "17.11.2026", "0000",
     "2026-11-17T25:00:00Z", "2026-11-17T08", "2026-11-17T", "2026-11-17T08:", "2026-1-4", "2026-11-17 08:00",
     "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "２０２６", "٢٠٢٦-١١",
     "2026-11-17T08:00:00." + "0" * 64_000 + "Z", "2026-11-17T08:00:00\x00", "2026-11-17 08:00:00", "２０２６-11-17"],
)  # fmt: skip
def test_what_is_no_fhir_date_is_no_date(text: str | None) -> None:
    assert moment(text, VIENNA) is None


INSTANT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,12})?)?(Z|[+-]\d\d(:?\d\d)?)?", re.ASCII
)  # of https://hl7.org/fhir/R4/datatypes.html#dateTime, with the seconds and the zone that hospitals leave out


@pytest.mark.parametrize("written", ["2026-11-17T08:00:00.123456+01:00", "2026-11-17T08:00:00Z", "2026-11-17"])
def test_every_prefix_and_every_other_character_gives_a_time_of_fhir_or_none(written: str) -> None:
    others = [written[:length] for length in range(len(written))]
    for position in range(len(written) + 1):
        for character in map(chr, range(256)):
            others.append(written[:position] + character + written[position:])
            others.append(written[:position] + character + written[position + 1 :])
    for text in others:
        assert moment(text, VIENNA) is None or INSTANT.fullmatch(text) or re.fullmatch(r"\d{4}(-\d\d){0,2}", text), text

"""No cell of a table that we write is run by the program that opens it."""

from __future__ import annotations

import pytest

from fhir_mappings.writing.spreadsheet import harmless

SIGNS = "=+-@＝＋－＠"


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", ["", " ", "\t", "\n", "\r\n", "\u2028", "\u00a0"])
def test_no_cell_begins_as_a_formula(sign: str, before: str) -> None:
    assert harmless(f"{before}{sign}cmd|' /C calc'!A0").startswith("'")


@pytest.mark.parametrize("sign", SIGNS)
def test_no_line_within_a_cell_begins_as_one(sign: str) -> None:
    for told in (harmless(f"words\n{sign}1+1"), harmless(f"words\r{sign}1+1"), harmless(f"words\x85{sign}1+1")):
        assert told.splitlines() == [f"words {sign}1+1"]


@pytest.mark.parametrize("text", ["", "718-7", "http://loinc.org", "a = b", "mmol/L"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text

"""The 29 rows of the clinical catalogue: each is coded, or stands with its reason in a table that is still true."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cds_service.advice import catalogue, not_coded
from cds_service.advice.choice import CATALOGUE
from cds_service.advice.not_coded import NOT_CODED, NotCoded
from cds_service.advice.outcomes import BY_NAME
from fhir_mappings.features.features import FEATURES
from fhir_mappings.patient.patient_record import KEYS
from fhir_mappings.terminology.code_systems import LOINC
from fhir_mappings.terminology.value_sets import STANDARD
from tests.cds_service.advice.banned import banned_words

CLINICAL_ROWS = set(range(1, 30))  # of the clinical catalogue
CODED = {row.number for row in CATALOGUE.rows}
WHOLE = {one.row for one in NOT_CODED if one.part == "all of it"}
DOCUMENT = Path(__file__).parents[3] / "docs" / "suggestions.md"


def test_every_row_is_coded_or_stands_in_the_table_with_its_reason() -> None:
    assert CODED | WHOLE == CLINICAL_ROWS
    assert not CODED & WHOLE
    assert sorted(WHOLE) == [28]


def test_what_is_coded_in_part_is_coded() -> None:
    assert {one.row for one in NOT_CODED} - WHOLE <= CODED


@pytest.mark.parametrize("one", NOT_CODED, ids=lambda one: f"row-{one.row}")
def test_the_reason_is_still_true(one: NotCoded) -> None:
    missing = one.still_true
    assert missing.no_outcome not in BY_NAME
    assert missing.no_value_set not in STANDARD.by_id
    assert missing.no_feature not in FEATURES
    assert missing.no_prefetch_key not in KEYS
    assert missing.no_loinc_in is None or STANDARD.codes(missing.no_loinc_in, LOINC) == ()
    assert len([name for name in msgspec.structs.asdict(missing).values() if name]) == 1


def test_a_reason_can_cease_to_be_true() -> None:
    assert "30-day-death" in BY_NAME
    assert "osteoporosis" in STANDARD.by_id


def test_the_table_gives_no_direction() -> None:
    assert [one.row for one in NOT_CODED if banned_words(f"{one.part} {one.why}")] == []


def test_the_document_shows_the_rows_and_the_table_as_they_are() -> None:
    """Made anew by `python -m cds_service.advice.not_coded`."""
    written = DOCUMENT.read_text(encoding="utf-8")
    assert not_coded.document(catalogue.load()) == written


def test_the_document_names_every_row() -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    assert [row.id for row in CATALOGUE.rows if f"`{row.id}`" not in written] == []

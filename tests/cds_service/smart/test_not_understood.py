"""The profile lists what was not understood by system and code, never by its words; a foreign text is no code."""

from __future__ import annotations

import re

import msgspec

from cds_service.cards import discrete
from cds_service.pages import result
from tests import builders
from tests.cds_service.advice import people

SITE = "https://hospital.example/fhir/codes"


def test_entries_are_told_by_list_reason_and_code_and_never_by_their_words() -> None:
    record = builders.a_record(
        builders.a_condition("M54.50"),
        builders.a_condition(builders.coded((SITE, "HF-1"))) | {"id": "c2"},
        builders.a_condition(builders.coded((SITE, "HF-1"))) | {"id": "c3"},
        builders.a_condition({"text": "old heart attack"}) | {"id": "c4"},
        builders.a_condition(builders.coded((SITE, "chest pain since Monday"))) | {"id": "c5"},
    )
    told = discrete.result(people.assessed(record))
    assert not re.search("attack|chest|Monday", msgspec.json.encode(told).decode())
    (missed,) = result.result_rows(told, builders.ZONE).missed
    assert (missed.title, missed.entries, missed.of) == ("Diagnoses", 4, 5)
    assert missed.reasons == "3 in a code system that is not read here, 1 in words, without a code"
    assert missed.codes == ((SITE, "HF-1", 2), (SITE, "not a code", 1))


def test_what_is_recorded_as_over_is_not_told_as_recorded_nowhere() -> None:
    """A disease in remission, or a cancer of long ago, is no yes, and "none recorded" would be untrue."""
    record = builders.a_record(
        builders.a_condition("J44.9", status="inactive"),
        builders.a_condition("C18.9", status="resolved", abatementDateTime="2009-05-01") | {"id": "c2"},
    )
    rows = result.result_rows(discrete.result(people.assessed(record)), builders.ZONE).used
    values = {row.name: row.value for row in rows}
    assert values["COPD"] == values["Cancer"] == "only in the past"
    assert values["Diabetes"] == "none recorded"

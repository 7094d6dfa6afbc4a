"""The catalogue is asked about the operation, its day, and what was looked for and not found."""

from __future__ import annotations

import pytest

from cds_service.advice import facts
from fhir_mappings.procedures import GROUPS
from tests.cds_service.advice import people
from tests.cds_service.advice.rows import PCS


def test_every_operation_of_the_mapping_has_its_attributes() -> None:
    assert set(facts._OPERATIONS) == set(GROUPS)


def test_an_operation_that_is_not_listed_has_none() -> None:
    assert facts.attributes("moon-landing") == frozenset()


@pytest.mark.parametrize(
    ("group", "present", "absent"),
    [
        ("spine-fusion", {"spine", "instrumented", "blood-loss", "elevated-risk", "major"}, set()),
        ("spine-decompression", {"spine", "major"}, {"instrumented", "blood-loss"}),
        ("inguinal-hernia-repair", set(), {"major", "elevated-risk"}),
    ],
)
def test_what_an_operation_is(group: str, present: set[str], absent: set[str]) -> None:
    found = facts.attributes(group)
    assert present <= found
    assert not absent & found


@pytest.mark.parametrize(
    ("occurrence", "days"),
    [
        ("2026-11-27", 7),
        ("2026-11-27T08:00:00Z", 7),
        ("2026-11-20", 0),
        ("2026-11-01", None),
        ("2026-12", 11),
        ("soon", None),
    ],
)
def test_days_to_surgery_count_from_the_first_day_that_the_order_allows(occurrence: str, days: int | None) -> None:
    assert people.facts(people.asa(2), order={"occurrenceDateTime": occurrence}).days_to_surgery == days


def test_an_order_without_a_date_has_no_days() -> None:
    assert people.facts(people.asa(2)).days_to_surgery is None


def test_the_drafts_of_the_session_are_known() -> None:
    assert people.facts(people.asa(2), drafts=((PCS, "0SG00AJ"),)).requested.has(PCS, "0SG00AJ")

"""The catalogue is asked about the operation, its day, and what was looked for and not found."""

from __future__ import annotations

import pytest

from cds_service.advice.operation_attributes import OPERATIONS, attributes
from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.terminology.procedure_groups import GROUPS
from tests.builders import an_order
from tests.cds_service.advice import people
from tests.cds_service.advice.rows import PCS


def test_every_operation_of_the_mapping_has_its_attributes() -> None:
    assert set(OPERATIONS.operations) == set(GROUPS)


def test_an_operation_that_is_not_listed_has_none() -> None:
    assert attributes("moon-landing") == frozenset()


@pytest.mark.parametrize(
    ("group", "present", "absent"),
    [
        ("spine-fusion", {"spine", "instrumented", "blood-loss", "elevated-risk", "major"}, set()),
        ("spine-decompression", {"spine", "major"}, {"instrumented", "blood-loss"}),
        ("inguinal-hernia-repair", set(), {"major", "elevated-risk"}),
    ],
)
def test_what_an_operation_is(group: str, present: set[str], absent: set[str]) -> None:
    found = attributes(group)
    assert present <= found
    assert not absent & found


def test_every_attribute_says_whether_a_source_or_this_product_decided() -> None:
    assert {name for name, meaning in OPERATIONS.attributes.items() if meaning.standing == "assumed"} == {
        "major",
        "blood-loss",
        "preference-sensitive",
    }
    assert set(OPERATIONS.elevated_risk_assumed) <= set(GROUPS)


def test_nothing_of_low_cardiac_risk_and_little_blood_loss_counts_as_major() -> None:
    """Never-suggest 1: no baseline tests before such an operation."""
    for group in GROUPS:
        found = attributes(group)
        assert "elevated-risk" in found or not {"major", "blood-loss"} & found


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


def test_the_open_orders_of_the_chart_are_known_or_known_to_be_unchecked() -> None:
    pending = an_order(("http://loinc.org", "2276-4"), status="active")
    found = people.facts(pending, drafts=((PCS, "0SG00AJ"),))
    assert found.requested.has("http://loinc.org", "2276-4")
    assert not found.orders_unchecked
    failed = people.facts(people.asa(2), orders=SearchResult(failure="not-authorised", supplied="fetched"))
    assert failed.orders_unchecked

"""Where an export holds several versions of one resource, the newest counts; where none says so, none is believed."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.fhir_mappings.outcomes import base_case


def pneumonia(verification: str, **meta: str) -> dict[str, Any]:
    short = {"resourceType": "Condition", "id": "c", "icd": "J18.9", "onsetDateTime": "2026-03-12"}
    return base_case.fhir({**short, "verification": verification, **({"meta": meta} if meta else {})})


OLD, NEW = {"lastUpdated": "2026-03-12T10:00:00Z"}, {"lastUpdated": "2026-03-20T10:00:00+01:00"}


def told(*versions: dict[str, Any]) -> set[tuple[bool | None, str]]:
    """What is told of them, in whatever order they come."""
    found = set()
    for order in itertools.permutations(versions):
        one = base_case.derived([*base_case.resources(), *order])["pneumonia"]
        found.add((one.occurred, one.why))
    return found


@pytest.mark.parametrize(
    ("first", "second"),
    [(OLD, NEW), ({"versionId": "2"}, {"versionId": "10"}), (OLD | {"versionId": "9"}, NEW | {"versionId": "1"})],
)
def test_the_newest_version_counts_in_whatever_order_they_come(first: dict[str, str], second: dict[str, str]) -> None:
    assert told(pneumonia("confirmed", **first), pneumonia("refuted", **second)) == {(False, "followed")}
    assert told(pneumonia("refuted", **first), pneumonia("confirmed", **second)) == {(True, "recorded")}


@pytest.mark.parametrize("meta", [{}, OLD, {"versionId": "W/x"}])
def test_where_no_version_says_which_was_first_it_is_not_understood(meta: dict[str, str]) -> None:
    assert told(pneumonia("confirmed", **meta), pneumonia("refuted", **meta)) == {(None, "not-understood")}


def test_the_same_again_is_one() -> None:
    assert told(pneumonia("confirmed"), pneumonia("confirmed")) == {(True, "recorded")}


def test_a_stay_that_was_open_when_it_was_first_exported_has_ended() -> None:
    stay = {**base_case.BASE["stay"], "period": {"start": "2026-03-10"}, "status": "in-progress"}
    before = base_case.fhir({**stay, "meta": OLD})
    after = base_case.fhir({**base_case.BASE["stay"], "meta": NEW})
    for order in ([before, after], [after, before]):
        assert base_case.derived([*base_case.resources(without=["stay"]), *order])["pneumonia"].occurred is False

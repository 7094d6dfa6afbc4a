"""Where the ASA class is not known each class has its figure, and the range that is told consists of them."""

from __future__ import annotations

import pytest

from tests.builders import Resource
from tests.cds_service.advice import people

WEIGHT = people.result("39156-5", 27.1, "kg/m2")
KNOWN = (WEIGHT, people.function("INDEPENDENT"), people.result("2160-0", 0.9, "mg/dL"))


def by_class(*resources: Resource) -> dict[str, list[tuple[float, float]]]:
    estimates = people.an_assessment(*resources).estimates
    return {one.outcome.name: [(each.low, each.high) for each in one.by_class] for one in estimates if one.by_class}


def test_each_class_has_the_figure_that_would_be_told_of_it() -> None:
    found = by_class(*KNOWN)
    assert set(found) == {"30-day-death", "any-complication", "cardiac-arrest-or-mi", "respiratory-failure"}
    for grade in range(1, 5):
        scores = {one.model: one.probability for one in people.an_assessment(people.asa(grade), *KNOWN).scores}
        for outcome, model in (
            ("30-day-death", "elective-death"),
            ("any-complication", "elective-complication"),
            ("cardiac-arrest-or-mi", "gupta-mica"),
        ):
            assert found[outcome][grade - 1] == (pytest.approx(scores[model]), pytest.approx(scores[model]))


def test_every_class_lies_within_the_range_that_is_told() -> None:
    for resources in (KNOWN, KNOWN[1:]):
        for told in people.an_assessment(*resources).estimates:
            for each in told.by_class:
                assert told.unknown is not None
                assert told.unknown.range.low - 1e-9 <= each.low <= each.high <= told.unknown.range.high + 1e-9


def test_what_else_is_missing_leaves_a_range_for_each_class() -> None:
    assert all(low < high for low, high in by_class()["30-day-death"])


def test_an_outcome_that_lacks_more_than_the_class_has_none() -> None:
    assert "respiratory-failure" not in by_class(WEIGHT)


def test_where_the_class_is_known_there_is_none() -> None:
    assert by_class(people.asa(3), *KNOWN) == {}

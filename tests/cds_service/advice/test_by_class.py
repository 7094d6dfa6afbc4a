"""Where the ASA class is not known each class has its figure, and the range that is told consists of them."""

from __future__ import annotations

import pytest

from fhir_mappings.terminology.code_systems import SNOMED_CT
from tests.acceptance.golden_people import AORTA, BRAIN, DEFORMITY, HIP, LUNG, PCS
from tests.acceptance.population_orders import ORDERED
from tests.builders import Resource, an_answer
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


@pytest.mark.parametrize("operation", [*ORDERED.values(), AORTA, BRAIN, DEFORMITY, LUNG])
@pytest.mark.parametrize("resources", [KNOWN, KNOWN[1:], KNOWN[:2]])
def test_a_range_ends_where_the_classes_end_after_every_operation(
    operation: str, resources: tuple[Resource, ...]
) -> None:
    """An equation may have a class V: it is in no range that is told, or the range and the list would disagree."""
    for told in people.an_assessment(*resources, codes=((PCS, operation),)).estimates:
        if told.by_class:
            assert told.unknown is not None
            ends = min(each.low for each in told.by_class), max(each.high for each in told.by_class)
            assert (told.unknown.range.low, told.unknown.range.high) == pytest.approx(ends)


def test_a_class_V_that_is_recorded_is_scored_as_it_is() -> None:
    fifth = people.an_assessment(an_answer("97816-3", (SNOMED_CT, "413499007")), *KNOWN, codes=((PCS, HIP),))
    fourth = people.an_assessment(people.asa(4), *KNOWN, codes=((PCS, HIP),))
    changed = {
        five.score.model
        for five, four in zip(fifth.computed, fourth.computed, strict=True)
        if five.score.probability != four.score.probability
    }
    assert changed == {"sort-2014", "gupta-mica", "gupta-respiratory-failure"}  # the data of the others merge the two


def test_what_else_is_missing_leaves_a_range_for_each_class() -> None:
    assert all(low < high for low, high in by_class()["30-day-death"])


def test_an_outcome_that_lacks_more_than_the_class_has_none() -> None:
    assert "respiratory-failure" not in by_class(WEIGHT)


def test_where_the_class_is_known_there_is_none() -> None:
    assert by_class(people.asa(3), *KNOWN) == {}

"""A missing category is told value by value, and each figure is the one that the model gives for that value."""

from __future__ import annotations

import pytest

from cds_service.pages import axis
from cds_service.smart import side_by_side
from cds_service.smart.side_by_side import Table
from tests import builders
from tests.cds_service.advice import people

WEIGHT = people.result("39156-5", 27.1, "kg/m2")
CREATININE = people.result("2160-0", 0.9, "mg/dL")
FUNCTIONS = {"independent": "INDEPENDENT", "partially dependent": "PARTIAL", "totally dependent": "TOTAL"}
OF = 1000


def tables(*resources: builders.Resource) -> dict[str, Table]:
    record = builders.a_record(*resources)
    told = people.assessed(record)
    return {table.input: table for table in side_by_side.tables(told, record, people.models(), OF)}


def figure(outcome: str, model: str, *resources: builders.Resource) -> str:
    scores = people.assessed(builders.a_record(*resources)).scores
    found = next(one for one in scores if (one.outcome, one.model) == (outcome, model))
    assert found.probability is not None
    return axis.count(found.probability, OF)


def cells(table: Table) -> dict[str, tuple[str, ...]]:
    return {row.heading: row.cells for row in table.rows}


def test_each_cell_of_the_asa_classes_is_what_the_model_says_for_that_class() -> None:
    known = (WEIGHT, CREATININE, people.function("INDEPENDENT"))
    (table,) = tables(*known).values()
    assert (table.input, table.values) == ("ASA class", ("ASA I", "ASA II", "ASA III", "ASA IV"))
    for heading, outcome, model in (
        ("Death within 30 days", "30-day-death", "elective-death"),
        ("Any complication in hospital", "any-complication", "elective-complication"),
        ("Heart attack or cardiac arrest within 30 days", "cardiac-arrest-or-mi", "gupta-mica"),
        ("Respiratory failure within 30 days", "respiratory-failure", "gupta-respiratory-failure"),
    ):
        told = tuple(figure(outcome, model, people.asa(grade), *known) for grade in range(1, 5))
        assert cells(table)[heading] == told


def test_a_missing_functional_status_is_told_value_by_value_too() -> None:
    known = (WEIGHT, CREATININE, people.asa(3))
    (table,) = tables(*known).values()
    assert table.values == tuple(FUNCTIONS)
    outcome = ("cardiac-arrest-or-mi", "gupta-mica")
    told = tuple(figure(*outcome, people.function(level), *known) for level in FUNCTIONS.values())
    assert cells(table)["Heart attack or cardiac arrest within 30 days"] == told


def test_an_outcome_that_lacks_another_required_category_too_has_no_row() -> None:
    (table,) = tables(WEIGHT, CREATININE).values()
    assert set(cells(table)) == {"Death within 30 days", "Any complication in hospital"}


def test_what_else_is_missing_leaves_each_value_a_range() -> None:
    (table,) = tables(CREATININE).values()
    assert all(" to " in cell for cell in cells(table)["Any complication in hospital"])


def test_where_everything_is_known_there_is_no_table() -> None:
    assert tables(WEIGHT, CREATININE, people.asa(3), people.function("PARTIAL")) == {}


@pytest.mark.parametrize("heading", ["Death within 30 days", "Any complication in hospital"])
def test_the_usual_figure_stands_beside_them(heading: str) -> None:
    table = tables(WEIGHT, CREATININE)["ASA class"]
    assert next(row.usual for row in table.rows if row.heading == heading) in {"8", "180"}

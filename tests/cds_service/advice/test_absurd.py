"""No row is offered to whom it would be absurd for; what is not known or not read never takes a row away."""

from __future__ import annotations

import msgspec
import pytest

from cds_service.advice import options
from cds_service.advice.catalogue import Trigger
from cds_service.advice.choice import CATALOGUE
from cds_service.advice.facts import Facts
from cds_service.advice.options import Policy
from cds_service.advice.triggers import evaluate
from fhir_mappings.fhir.search_result import SearchResult
from tests.builders import a_condition
from tests.cds_service.advice import people
from tests.cds_service.advice.absurd import ABSURD, NEVER_ABSURD, Absurd
from tests.cds_service.advice.rows import CASES

ROWS = {row.id: row for row in CATALOGUE.rows}
ALL = Policy(opt_in=frozenset(row.id for row in CATALOGUE.rows if row.opt_in), maximum=99)
EACH = [(row, one) for row, found in ABSURD.items() for one in found]


def ids(facts: Facts) -> set[str]:
    found = options.ranked(CATALOGUE, facts, policy=ALL, codes=people.CODES, contributions={})
    return {one.row.id for one in found}


def alternatives(unless: Trigger | None) -> tuple[Trigger, ...]:
    return () if unless is None else unless.any or (unless,)


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_patient_for_whom_it_is_absurd_or_a_reason_why_none(row: str) -> None:
    assert (row in ABSURD) != (row in NEVER_ABSURD)
    assert (row in NEVER_ABSURD) == (ROWS[row].unless is None)
    assert "\n" not in NEVER_ABSURD.get(row, "")


def test_no_row_that_is_gone_stands_in_the_tables() -> None:
    assert set(ABSURD) | set(NEVER_ABSURD) == set(ROWS)


@pytest.mark.parametrize(("row", "one"), EACH)
def test_the_row_is_not_offered_to_whom_it_would_be_absurd_for(row: str, one: Absurd) -> None:
    assert row not in ids(people.facts(*one.person, *one.fact, codes=one.codes))


@pytest.mark.parametrize(("row", "one"), [(row, one) for row, one in EACH if CASES[row].person == one.person])
def test_without_that_fact_it_is_offered(row: str, one: Absurd) -> None:
    assert row in ids(people.facts(*one.person))


@pytest.mark.parametrize("row", [row for row in ABSURD if ROWS[row].unless])
def test_every_part_of_an_unless_has_its_patient(row: str) -> None:
    everybody = [people.facts(*one.person, *one.fact, codes=one.codes) for one in ABSURD[row]]
    for part in alternatives(ROWS[row].unless):
        assert any(evaluate(part, facts, ALL.settings) for facts in everybody), msgspec.to_builtins(part)


@pytest.mark.parametrize("searches", ["conditions", "procedures", "medications", "observations", "labs"])
@pytest.mark.parametrize("row", [row for row in ABSURD if ROWS[row].unless])
def test_a_search_that_failed_takes_no_row_away(row: str, searches: str) -> None:
    """Where the trigger itself can still be read, the row stands."""
    failed = SearchResult(failure="fetch-failed", supplied="fetched")
    facts = people.facts(*CASES[row].person, **{searches: failed})
    if evaluate(ROWS[row].trigger, facts, ALL.settings) is not None:
        assert row in ids(facts)


@pytest.mark.parametrize("row", [row for row in ABSURD if ROWS[row].unless])
def test_an_entry_that_was_not_understood_takes_no_row_away(row: str) -> None:
    """A diagnosis in words alone could be anything, the one fact that makes the row absurd among them."""
    unclear = a_condition({"text": "see letter"})
    facts = people.facts(*CASES[row].person, unclear)
    if evaluate(ROWS[row].trigger, facts, ALL.settings) is not None:
        assert row in ids(facts)

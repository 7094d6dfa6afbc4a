"""Every row of the catalogue fires, is silenced by what is done or ordered, and by too short a time (A-04)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cds_service.advice import options
from cds_service.advice.choice import CATALOGUE
from cds_service.advice.facts import Facts
from cds_service.advice.options import Policy
from fhir_mappings.orderables import ORDERABLES
from tests.builders import AS_OF, Resource
from tests.cds_service.advice import people
from tests.cds_service.advice.rows import CASES, PCS, YOUNG

ALL = Policy(opt_in=frozenset({"cotinine"}), maximum=99)
ROWS = {row.id: row for row in CATALOGUE.rows}


def ids(facts: Facts, policy: Policy = ALL) -> list[str]:
    offered = options.offered(CATALOGUE, facts, policy=policy, codes=people.CODES, today=AS_OF, contributions={})
    return [option.id for option in offered]


def in_days(days: int) -> dict[str, str]:
    return {"occurrenceDateTime": (AS_OF + timedelta(days=days)).date().isoformat()}


def test_every_row_has_its_case() -> None:
    assert set(CASES) == set(ROWS)


@pytest.mark.parametrize("row", CASES)
def test_the_row_fires(row: str) -> None:
    assert row in ids(people.facts(*CASES[row].person))


@pytest.mark.parametrize("row", CASES)
def test_the_row_is_silent_where_it_is_done_or_ordered_or_does_not_apply(row: str) -> None:
    case = CASES[row]
    assert case.settled or case.drafts or case.instead is not None
    person = case.person if case.instead is None else case.instead
    assert row not in ids(people.facts(*person, *case.settled, drafts=case.drafts))


@pytest.mark.parametrize("row", CASES)
def test_the_row_is_hidden_when_the_operation_is_sooner_than_it_can_help(row: str) -> None:
    person, lead = CASES[row].person, ROWS[row].lead_days
    assert row in ids(people.facts(*person, order=in_days(lead)))
    assert row not in ids(people.facts(*person, order=in_days(lead - 1)))


@pytest.mark.parametrize("row", [row.id for row in CATALOGUE.rows if row.unless_requested])
def test_the_row_is_silent_where_the_same_session_orders_it(row: str) -> None:
    wanted = [ORDERABLES[name] for name in ROWS[row].unless_requested]
    drafts = tuple((one.system, one.code) for one in wanted)
    assert row not in ids(people.facts(*CASES[row].person, drafts=drafts))


@pytest.mark.parametrize("row", CASES)
def test_a_tenant_can_switch_the_row_off(row: str) -> None:
    off = Policy(off=frozenset({row}), opt_in=frozenset({row}), maximum=99)
    assert row not in ids(people.facts(*CASES[row].person), off)


def test_an_opt_in_row_needs_the_tenant_to_ask_for_it() -> None:
    facts = people.facts(*CASES["cotinine"].person)
    assert "cotinine" not in ids(facts, Policy(maximum=99))


# N1, N3: no baseline tests, no ECG before minor or low-risk surgery in a healthy person.
@pytest.mark.parametrize("person", [(YOUNG, people.asa(1)), (YOUNG, people.asa(2))])
def test_a_healthy_person_before_minor_surgery_gets_no_suggestion(person: tuple[Resource, ...]) -> None:
    hernia = ((PCS, "0YQ50ZZ"),)  # repair of the right inguinal region
    facts = people.facts(*person, codes=hernia)
    assert facts.operation == frozenset()
    assert ids(facts) == []

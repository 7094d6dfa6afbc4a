"""Every row of the catalogue fires, is silenced by what is done or ordered, and by too short a time (A-04)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from cds_service.advice import options
from cds_service.advice.catalogue import parts
from cds_service.advice.choice import CATALOGUE
from cds_service.advice.facts import Facts
from cds_service.advice.operation_attributes import OPERATIONS, attributes
from cds_service.advice.options import Option, Policy
from cds_service.advice.triggers import for_operation
from cds_service.cards.suggestions import sentence
from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.orders.order_catalogue import ORDERABLES
from tests.builders import AS_OF, Resource, a_condition, a_medication_request, a_procedure, an_order, date_ago, days_ago
from tests.cds_service.advice import people
from tests.cds_service.advice.people import result
from tests.cds_service.advice.rows import CASES, HERNIA, PCS, YOUNG

ROWS = {row.id: row for row in CATALOGUE.rows}
OPT_IN = frozenset(row.id for row in CATALOGUE.rows if row.opt_in)
ALL = Policy(opt_in=OPT_IN, maximum=99)


def offered(facts: Facts, policy: Policy = ALL) -> tuple[Option, ...]:
    found = options.ranked(CATALOGUE, facts, policy=policy, codes=people.CODES, contributions={})
    return tuple(options.worded_option(one, facts, policy=policy, today=AS_OF) for one in found)


def ids(facts: Facts, policy: Policy = ALL) -> list[str]:
    return [option.id for option in offered(facts, policy)]


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
    if lead > 0:  # a plan for a stent is never too late
        assert row not in ids(people.facts(*person, order=in_days(lead - 1)))


@pytest.mark.parametrize("row", [row.id for row in CATALOGUE.rows if row.unless_requested])
def test_the_row_is_silent_where_the_same_session_orders_it(row: str) -> None:
    wanted = [ORDERABLES[name] for name in ROWS[row].unless_requested]
    drafts = tuple((one.system, one.code) for one in wanted)
    assert row not in ids(people.facts(*CASES[row].person, drafts=drafts))


@pytest.mark.parametrize("row", CASES)
def test_who_only_looks_alike_must_not_get_the_row(row: str) -> None:
    case = CASES[row]
    if case.must_not is not None:
        assert row not in ids(people.facts(*case.must_not))
        return
    assert any(part.operation for part in parts(ROWS[row].trigger)), "name somebody who must not get it"
    assert row not in ids(people.facts(*case.person, codes=((PCS, HERNIA),)))


@pytest.mark.parametrize("row", [row.id for row in CATALOGUE.rows if row.unless_requested])
def test_the_row_is_silent_where_the_chart_has_it_open(row: str) -> None:
    """Never-suggest 8: an order that is pending, whoever placed it."""
    for name in ROWS[row].unless_requested:
        one = ORDERABLES[name]
        pending = an_order((one.system, one.code), id="pending", status="active", authoredOn=days_ago(20))
        assert row not in ids(people.facts(*CASES[row].person, pending))


@pytest.mark.parametrize("row", [row.id for row in CATALOGUE.rows if row.unless_requested])
def test_the_row_says_so_where_open_orders_could_not_be_searched(row: str) -> None:
    failed = SearchResult(failure="fetch-failed", supplied="fetched")
    facts = people.facts(*CASES[row].person, orders=failed)
    (option,) = [one for one in offered(facts) if one.id == row]
    assert "Open orders could not be checked." in sentence(option)
    (checked,) = [one for one in offered(people.facts(*CASES[row].person)) if one.id == row]
    assert "Open orders" not in sentence(checked)


@pytest.mark.parametrize("row", CASES)
def test_a_tenant_can_switch_the_row_off(row: str) -> None:
    off = Policy(off=frozenset({row}), opt_in=OPT_IN, maximum=99)
    assert row not in ids(people.facts(*CASES[row].person), off)


def test_rows_that_are_local_policy_need_the_tenant_to_ask_for_them() -> None:
    assert OPT_IN == {row.id for row in CATALOGUE.rows if row.grade == "local"} == {"cotinine", "type-and-screen"}
    for row in OPT_IN:
        assert row not in ids(people.facts(*CASES[row].person), Policy(maximum=99))


# Never-suggest 1 and 3: no baseline tests, no ECG before minor or low-risk surgery in a healthy person.
@pytest.mark.parametrize("person", [(YOUNG, people.asa(1)), (YOUNG, people.asa(2))])
def test_a_healthy_person_before_minor_surgery_gets_no_suggestion(person: tuple[Resource, ...]) -> None:
    assert ids(people.facts(*person, codes=((PCS, HERNIA),))) == []


# Row by row of the catalogue, where a row has more than one way in.
@pytest.mark.parametrize(
    ("row", "person"),
    [
        ("hba1c", (result("2345-7", 141, "mg/dL"),)),
        ("glp1-review", (a_medication_request("1991302"), a_condition("R11.0"))),
        ("anaemia-clinic", (result("718-7", 10.9, "g/dL"), result("2276-4", 29, "ng/mL"))),
        ("anaemia-clinic", (result("718-7", 10.9, "g/dL"), result("2276-4", 99, "ng/mL"), result("2502-3", 19, "%"))),
        ("albumin", (YOUNG, a_condition("R63.4"))),
        ("nt-probnp", (YOUNG, a_condition("I48.91"))),
        ("nt-probnp", (YOUNG | {"birthDate": "1979-03-02"}, a_condition("R07.9"))),
        ("ecg", (YOUNG, a_condition("I73.9"))),
        ("ecg", (YOUNG, a_condition("I35.0"))),
        ("ecg", (YOUNG, a_condition("R55"))),
        ("dxa", (YOUNG | {"birthDate": "1970-03-02"}, a_condition("Z87.310"))),
        ("bone-clinic", (result("38263-0", -2.6, "{T-score}"),)),
        ("prehabilitation", (YOUNG, a_condition("R54"))),
        ("geriatrics", (people.function("TOTAL"),)),
        ("shared-decision", (people.asa(4), people.function("TOTAL"))),
    ],
)
def test_every_way_into_a_row(row: str, person: tuple[Resource, ...]) -> None:
    assert row in ids(people.facts(*person))


@pytest.mark.parametrize(
    ("row", "person"),
    [
        ("hba1c", (result("2345-7", 140, "mg/dL"),)),
        ("anaemia-clinic", (result("718-7", 10.9, "g/dL"), result("2276-4", 30, "ng/mL"))),
        ("nt-probnp", (YOUNG, a_condition("R07.9"))),
        ("dxa", (YOUNG | {"birthDate": "1977-03-02"}, a_condition("Z87.310"))),
    ],
)
def test_and_just_beside_it(row: str, person: tuple[Resource, ...]) -> None:
    assert row not in ids(people.facts(*person))


@pytest.mark.parametrize(
    ("why", "says"),
    [
        (
            a_procedure(PCS, "30233N1", performedDateTime=date_ago(90)),
            "HbA1c can mislead here: transfusion of red cells",
        ),
        (a_condition("D57.1"), "HbA1c can mislead here: haemoglobin disorder."),
        (a_condition("Z99.2"), "HbA1c can mislead here: dialysis."),
        (a_procedure(PCS, "30233N1", performedDateTime=date_ago(91)), ""),
    ],
)
def test_an_unreliable_hba1c_is_told_beside_what_rests_on_it(why: Resource, says: str) -> None:
    (option,) = [one for one in offered(people.facts(result("4548-4", 8.4, "%"), why)) if one.id == "glucose-referral"]
    assert option.caution.startswith(says)
    assert bool(option.caution) == bool(says)


@pytest.mark.parametrize("why", [a_condition("D57.1"), a_condition("Z99.2")])
def test_where_it_may_mislead_that_is_told_beside_the_test(why: Resource) -> None:
    (option,) = [one for one in offered(people.facts(a_condition("E11.9"), why)) if one.id == "hba1c"]
    assert option.caution.startswith("HbA1c can mislead here: ")


OTHERS = [group for group in OPERATIONS.operations if "spine" not in attributes(group)]


@pytest.mark.parametrize("row", CASES)
def test_the_evidence_told_is_of_this_kind_of_operation(row: str) -> None:
    """Before another operation than one of the spine no row rests on a guideline for the spine."""
    for operation in map(attributes, OTHERS):
        if for_operation(ROWS[row].trigger, operation) is not None:
            assert not re.search("CNS|NASS|spin", ROWS[row].proof(operation).evidence)


@pytest.mark.parametrize("row", [row.id for row in CATALOGUE.rows if row.elsewhere])
def test_the_evidence_of_the_spine_is_told_at_the_spine(row: str) -> None:
    assert "CNS 2021" in next(one.evidence for one in offered(people.facts(*CASES[row].person)) if one.id == row)
    person = (*CASES[row].person, result("39156-5", 18.0, "kg/m2"))  # thin: a reason for albumin elsewhere, too
    there = people.facts(*person, codes=((PCS, "0DTF0ZZ"),))
    assert "CNS 2021" not in next(one.evidence for one in offered(there) if one.id == row)


def test_a_limit_of_its_own_before_spine_surgery() -> None:
    settings = {"hba1c_percent": 8.0, "hba1c_percent_spine": 7.5}
    strict = Policy(settings=settings, maximum=99)
    person = (result("4548-4", 7.6, "%"),)
    assert "glucose-referral" in ids(people.facts(*person), strict)
    assert "glucose-referral" not in ids(people.facts(*person, codes=((PCS, "0SR90JZ"),)), strict)

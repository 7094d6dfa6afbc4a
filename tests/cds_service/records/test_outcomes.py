"""Outcomes are joined to their own tenant's evaluations, kept once, corrected only on purpose, and all or none."""

import msgspec
import pytest
from sqlalchemy import func, select

from cds_service.records import outcome_file, outcomes, switches, tables
from cds_service.records.outcome_file import OutcomeFileError
from cds_service.records.outcomes import Imported
from tests.cds_service.records.rows_of import NOON, an_evaluation

KNOWN = ("30-day-death", "any-complication")
CHANGE = outcomes.OutcomeChange(done_by="A. Jones", reason="quarter", at=NOON)
TENANT = "general-hospital"


@pytest.fixture
def evaluations(records):
    rows = [an_evaluation(), an_evaluation(), an_evaluation(tenant_id="other")]
    for row in rows:
        records.write_evaluation(row)
    assert records.flush(5)
    return rows


def a_file(*lines):
    return ("evaluation_id,outcome,occurred\n" + "".join(f"{','.join(line)}\n" for line in lines)).encode()


def bring(records, content, change=CHANGE):
    lines = outcome_file.outcome_lines(content, tenant_id=TENANT, known=KNOWN, source="registry", today=NOON.date())
    return outcomes.keep(records.durable, content, lines, tenant_id=TENANT, change=change)


def kept(records):
    table = tables.outcome.c
    with records.durable.connect() as connection:
        found = connection.execute(select(table.evaluation_id, table.outcome, table.occurred)).all()
    return {(evaluation_id, outcome): occurred for evaluation_id, outcome, occurred in found}


def test_a_file_is_kept_once_however_often_it_comes(records, evaluations):
    content = a_file((evaluations[0].id, "30-day-death", "0"), (evaluations[1].id, "any-complication", "1"))
    assert bring(records, content) == Imported(new=2, unchanged=0, corrected=0)
    assert bring(records, content) == Imported(new=0, unchanged=2, corrected=0)
    assert kept(records) == {
        (evaluations[0].id, "30-day-death"): False,
        (evaluations[1].id, "any-complication"): True,
    }


def test_a_second_file_adds_to_the_first(records, evaluations):
    bring(records, a_file((evaluations[0].id, "30-day-death", "0")))
    more = a_file((evaluations[0].id, "30-day-death", "0"), (evaluations[0].id, "any-complication", "0"))
    assert bring(records, more) == Imported(new=1, unchanged=1, corrected=0)


@pytest.mark.parametrize("stranger", ["unknown", "another tenant's"])
def test_one_evaluation_that_is_not_the_tenants_keeps_the_whole_file_out(records, evaluations, stranger):
    evaluation_id = evaluations[2].id if stranger == "another tenant's" else "nowhere"
    content = a_file((evaluations[0].id, "30-day-death", "0"), (evaluation_id, "30-day-death", "0"))
    with pytest.raises(OutcomeFileError) as error:
        bring(records, content)
    assert [(fault.line, fault.column) for fault in error.value.faults] == [(3, "evaluation_id")]
    assert kept(records) == {}
    assert switches.history(records.durable) == ()


def test_a_contradiction_is_refused_unless_it_is_a_correction(records, evaluations):
    bring(records, a_file((evaluations[0].id, "30-day-death", "0")))
    changed = a_file((evaluations[0].id, "30-day-death", "1"), (evaluations[1].id, "30-day-death", "0"))
    with pytest.raises(OutcomeFileError) as error:
        bring(records, changed)
    assert [(fault.line, fault.column) for fault in error.value.faults] == [(2, "occurred")]
    assert kept(records) == {(evaluations[0].id, "30-day-death"): False}
    corrected = bring(records, changed, msgspec.structs.replace(CHANGE, correct=True))
    assert corrected == Imported(new=1, unchanged=0, corrected=1)
    assert kept(records)[evaluations[0].id, "30-day-death"] is True


def test_who_brought_what_and_what_was_replaced_stays_in_the_record(records, evaluations):
    bring(records, a_file((evaluations[0].id, "30-day-death", "0")))
    bring(records, a_file((evaluations[0].id, "30-day-death", "1")), msgspec.structs.replace(CHANGE, correct=True))
    first, second, correction = switches.history(records.durable)
    assert (first.action, first.value, first.done_by, first.reason) == ("outcomes", "imported", "A. Jones", "quarter")
    assert "new=1 unchanged=0 corrected=0 later=0 withdrawn=0 file=" in first.scope
    assert "corrected=1" in second.scope
    assert (correction.scope, correction.value) == (
        f"evaluation={evaluations[0].id} outcome=30-day-death",
        "false to true",
    )


def test_more_lines_than_one_statement_may_name_are_all_kept(records):
    rows = [an_evaluation(cards=()) for _ in range(1_201)]
    for row in rows:
        records.write_evaluation(row)
    assert records.flush(20)
    content = a_file(*((row.id, "30-day-death", str(number % 2)) for number, row in enumerate(rows)))
    assert bring(records, content).new == 1_201
    with records.durable.connect() as connection:
        assert connection.execute(select(func.count()).select_from(tables.outcome)).scalar() == 1_201
    assert bring(records, content).unchanged == 1_201

"""Two people change the same thing at once: one of them is told so, and nothing that was decided is undone."""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import outcomes, recalibrations, tables
from cds_service.records.database import DatabaseError
from models_onnx.recalibration import Recalibration, RecalibrationError
from tests.cds_service.records.rows_of import an_evaluation
from tests.cds_service.records.test_outcomes import CHANGE, TENANT, a_file, bring, kept
from tests.cds_service.records.test_switches import an_event

MODEL = "sort-2014"


def a_fit(name: str) -> Recalibration:
    return Recalibration(
        id=name, number=0, model=MODEL, version="1.0.0", sha256="a" * 64, outcome="30-day-death", intercept=0.1,
        slope=1.0, covariance=(0.1, 0.0, 0.1), peer_shift=0.0, n=400, events=200, first=date(2026, 1, 1),
        last=date(2026, 6, 1),
    )  # fmt: skip


def by(name: str):
    return an_event(action="recalibration", tenant_id=TENANT, done_by=name)


def states(records):
    table = tables.recalibration.c
    with records.durable.connect() as connection:
        return dict(connection.execute(select(table.number, table.state).order_by(table.number)).all())


def at_once(*calls):
    """Run them together; returns what each raised."""
    start, raised = threading.Barrier(len(calls)), []

    def one(call):
        start.wait()
        try:
            call()
        except (RecalibrationError, DatabaseError) as error:
            raised.append(error)

    threads = [threading.Thread(target=one, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def between(monkeypatch, name, act):
    """Act once right after the record was read, before anything is written."""
    real, acted = getattr(recalibrations, name), []

    def read(*arguments):
        found = real(*arguments)
        if not acted:
            acted.append(True)
            act()
        return found

    monkeypatch.setattr(recalibrations, name, read)


def test_of_two_approvals_at_once_one_is_in_force(records):
    for turn in range(12):
        first, second = (
            recalibrations.propose(records.durable, TENANT, a_fit(f"{turn}-{name}"), by("A. Jones")) for name in "ab"
        )
        at_once(
            lambda: recalibrations.approve(records.durable, TENANT, MODEL, first.number, by("B. Smith")),  # noqa: B023
            lambda: recalibrations.approve(records.durable, TENANT, MODEL, second.number, by("C. Brown")),  # noqa: B023
        )
        assert list(states(records).values()).count("in-force") == 1, states(records)


def test_what_was_retired_meanwhile_is_not_put_in_force(records, monkeypatch):
    """Nobody waits here: the other acts where nothing is locked yet, or is the one who waits."""
    recalibrations.propose(records.durable, TENANT, a_fit("a"), by("A. Jones"))
    retired = []

    def retire():
        with contextlib.suppress(SQLAlchemyError):  # who had to wait too long is told so
            recalibrations.retire(records.durable, TENANT, MODEL, 1, by("C. Brown"))
            retired.append(True)

    other = threading.Thread(target=retire, daemon=True)

    def act():
        other.start()
        other.join(1.0)

    between(monkeypatch, "_find", act)
    with contextlib.suppress(RecalibrationError):
        recalibrations.approve(records.durable, TENANT, MODEL, 1, by("B. Smith"))
    other.join(10)
    assert states(records) == {1: "retired" if retired else "in-force"}


@pytest.fixture
def a_case(records):
    row = an_evaluation()
    records.write_evaluation(row)
    assert records.flush(5)
    return row.id


def test_an_import_undoes_no_correction_that_came_while_it_was_read(records, a_case, monkeypatch):
    def dated(occurred, through):
        head = "evaluation_id,outcome,occurred,observed_through\n"
        return f"{head}{a_case},30-day-death,{occurred},{through}\n".encode()

    bring(records, dated("false", "2026-11-01"))

    def write(connection, found, recorded, of, *, _real=outcomes._write):
        table = tables.outcome.c
        corrected = update(tables.outcome).where(table.evaluation_id == a_case).values(occurred=True)
        with records.durable.connect() as apart:
            apart.execute(corrected)
            apart.commit()
        _real(connection, found, recorded, of)

    monkeypatch.setattr(outcomes, "_write", write)
    with pytest.raises(DatabaseError, match="another import"):
        bring(records, dated("false", "2026-11-20"))
    assert kept(records) == {(a_case, "30-day-death"): True}


def test_of_the_same_file_twice_at_once_everything_stands_once(records, a_case):
    content = a_file((a_case, "30-day-death", "1"))
    raised = at_once(*[lambda: bring(records, content)] * 3)
    assert kept(records) == {(a_case, "30-day-death"): True}
    assert all("run it again" in str(one) or "somebody else holds it" in str(one) for one in raised), raised
    assert bring(records, content, CHANGE).unchanged == 1


def test_the_clock_of_who_approves_may_be_behind(records):
    recalibrations.propose(records.durable, TENANT, a_fit("a"), by("A. Jones"))
    before = datetime(2026, 3, 29, 1, 30, tzinfo=UTC) - timedelta(days=365)
    event = an_event(action="recalibration", tenant_id=TENANT, done_by="B. Smith", happened_at=before)
    assert recalibrations.approve(records.durable, TENANT, MODEL, 1, event).state == "in-force"

"""Switches: set, taken back, seen by every worker within seconds, each with who, when and why."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cds_service.records import switches, time_limit
from cds_service.records.database import DatabaseError
from cds_service.records.rows import AdministrationEvent
from cds_service.records.switches import FRESH_S, Switch, SwitchReader, SwitchScope
from tests.cds_service.records.rows_of import NOON


def an_event(**members: object) -> AdministrationEvent:
    given = {"happened_at": NOON, "action": "mode", "tenant_id": "t", "scope": "*", "value": "silent"}
    return AdministrationEvent(**{**given, "done_by": "A. Jones", "reason": "review", **members})


def test_a_switch_is_set_replaced_and_taken_back(records):
    engine, scope = records.durable, SwitchScope("t", "order-sign")
    for value in ("silent", "on"):
        switches.set_switch(engine, Switch("mode", scope, value), an_event(value=value))
    assert switches.every_switch(engine) == (Switch("mode", scope, "on"),)
    assert switches.clear_switch(engine, "mode", scope, an_event(action="clear"))
    assert not switches.clear_switch(engine, "mode", scope, an_event(action="clear"))
    assert switches.every_switch(engine) == ()
    assert [event.action for event in switches.history(engine)] == ["mode", "mode", "clear"]
    assert switches.history(engine, since=NOON.replace(hour=13)) == ()


def test_another_worker_sees_a_switch_once_its_copy_is_no_longer_fresh(open_records):
    one, two = open_records(), open_records()
    now = [0.0]
    reader = SwitchReader(two.quick, clock=lambda: now[0])
    assert reader.current() == ()
    kill = Switch("kill", SwitchScope(), "killed")
    switches.set_switch(one.durable, kill, an_event(action="kill"))
    assert reader.current() == ()
    now[0] = FRESH_S
    assert reader.current() == (kill,)
    assert FRESH_S <= 30


def test_the_last_known_switches_hold_while_the_database_is_away(records):
    now = [0.0]
    reader = SwitchReader(records.quick, clock=lambda: now[0])
    kill = Switch("kill", SwitchScope(), "killed")
    switches.set_switch(records.durable, kill, an_event())
    assert reader.current() == (kill,)
    with records.durable.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE switch RENAME TO gone")
    now[0] = 100.0
    assert reader.current() == (kill,)
    with pytest.raises(DatabaseError):
        SwitchReader(records.quick).current()


def test_nobody_waits_for_another_thread_s_reading_longer_than_it_may(records, monkeypatch):
    """/health waited for 5 s on a worker's own thread that asked a database that hung."""
    asked, ended = threading.Event(), threading.Event()

    def hangs(_engine: object) -> switches.Switches:
        asked.set()
        ended.wait(10)
        return ()

    monkeypatch.setattr(switches, "every_switch", hangs)
    reader = SwitchReader(records.quick)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(reader.current)
        try:
            assert asked.wait(5)
            began = time.monotonic()
            with time_limit.within(0.1), pytest.raises(DatabaseError, match="in time"):
                reader.current()
            assert time.monotonic() - began < 2
        finally:
            ended.set()
        assert first.result() == ()
    assert reader.current() == ()

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
from tests.patience import tried_again


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


def test_a_kill_switch_holds_although_nobody_can_tell_what_was_accepted(records):
    now, on = [0.0], Switch("mode", SwitchScope("t"), "on")
    switches.set_switch(records.durable, on, an_event(value="on", scope=str(on.scope)), accepted_as=b"{}")
    reader = SwitchReader(records.quick, clock=lambda: now[0])
    assert reader.current() == (on,)
    kill = Switch("kill", SwitchScope(), "killed")
    switches.set_switch(records.durable, kill, an_event(action="kill"))
    with records.durable.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE administration RENAME TO gone")
    now[0] = 100.0
    assert set(reader.current()) == {on, kill}
    fresh = SwitchReader(records.quick)
    assert set(fresh.current()) == {on, kill}
    assert fresh.accepted == {}


@pytest.mark.parametrize("group", ["spine fusion", "*", "tenant=x hook=* group=*", "é"])
def test_whatever_a_scope_is_called_it_is_told_from_others_or_counts_as_not_accepted(records, group):
    odd, whole = SwitchScope("t", "", group), SwitchScope("t")
    for scope, value in ((whole, "on"), (odd, "canary")):
        event = an_event(value=value, scope=str(scope))
        switches.set_switch(records.durable, Switch("mode", scope, value), event, accepted_as=value.encode())
    reader = SwitchReader(records.quick)
    assert {one.scope for one in reader.current()} == {whole, odd}
    assert reader.accepted.get(str(whole)) in (None, b"on")
    assert reader.accepted.get(str(odd)) in (None, b"canary")


def test_what_was_accepted_for_one_mode_is_not_accepted_for_another(records):
    scope = SwitchScope("t")
    switches.set_switch(records.durable, Switch("mode", scope, "canary"), an_event(value="canary", scope=str(scope)),
                        accepted_as=b"{}")  # fmt: skip
    with records.durable.begin() as connection:
        connection.exec_driver_sql("UPDATE switch SET value = 'on'")
    assert SwitchReader(records.quick).current() == (Switch("mode", scope, "on"),)
    reader = SwitchReader(records.quick)
    reader.current()
    assert reader.accepted == {}


@tried_again
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

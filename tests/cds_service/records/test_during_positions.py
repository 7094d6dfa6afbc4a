"""Positions in the record: changed by one at a time, asked by one at a time, bounded, and the same when read again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec

from cds_service.records.records import Records
from fhir_mappings.during.event_numbers import EventNumbers
from fhir_mappings.during.position import MOST_GAPS, Position

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


def test_a_position_is_read_as_it_was_written(records: Records) -> None:
    numbers = EventNumbers(2**60, 7, ((9, 11), (13, 13)))
    whole = Position(numbers=numbers, stopped=True, tries=3, well_at=NOW, heard_at=NOW, ask_at=NOW).lost(NOW)
    records.during_positions.change("a", "vitals", lambda _: whole, NOW)
    assert records.during_positions.of_tenant("a") == {"vitals": whole}
    assert records.during_positions.of_tenant("b") == {}


def test_a_source_that_was_never_heard_counts_as_missing_since_a_day(records: Records) -> None:
    made = records.during_positions.change("a", "vitals", lambda one: one, NOW)
    assert (made.heard_at, made.well_at) == (None, NOW - timedelta(days=1))


def test_workers_that_take_events_at_once_forget_none(open_records: Callable[[], Records]) -> None:
    workers = [open_records() for _ in range(4)]

    def take(number: int) -> None:
        store = workers[number % 4].during_positions
        store.change("a", "vitals", lambda one: one.heard(NOW, taken=((number, number),), told=number), NOW)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(take, range(1, 41)))
    (position,) = workers[0].during_positions.of_tenant("a").values()
    assert position.numbers == EventNumbers(40, 40, ())


def test_one_worker_asks_at_a_time_and_another_once_it_let_go_or_died(open_records: Callable[[], Records]) -> None:
    one, other = (open_records().during_positions for _ in range(2))
    one.change("a", "vitals", lambda position: position, NOW)
    ran_out = one.lease("a", "vitals", NOW, 30)
    assert ran_out is not None
    assert other.lease("a", "vitals", NOW + timedelta(seconds=29), 30) is None
    held = other.lease("a", "vitals", NOW + timedelta(seconds=31), 30)
    assert held is not None
    one.release("a", "vitals", ran_out)  # it comes late: the lease is another's by now
    assert one.lease("a", "vitals", NOW + timedelta(seconds=32), 30) is None
    other.release("a", "vitals", held)
    assert one.lease("a", "vitals", NOW + timedelta(seconds=32), 30) is not None


def test_gaps_are_bounded_and_cover_what_they_were() -> None:
    position = Position(well_at=NOW)
    for number in range(3 * MOST_GAPS):
        at = NOW + timedelta(hours=number)
        position = msgspec.structs.replace(position.lost(at), well_at=at + timedelta(minutes=30))
    assert len(position.gaps) == MOST_GAPS
    assert position.gaps[-1].until == NOW + timedelta(hours=3 * MOST_GAPS - 1)

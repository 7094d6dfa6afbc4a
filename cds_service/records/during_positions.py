"""The store of positions: how far each source of a tenant was taken, in the record that all workers and nodes share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Row, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cds_service.records import database
from cds_service.records.during_tables import during_position
from fhir_mappings.during.event_numbers import EventNumbers, Range
from fhir_mappings.during.position import Gap, Position

# Nobody knows what a source that was never heard told before: until it is asked that much counts as missing.
BEFORE_FIRST = timedelta(hours=24)
_RANGES = msgspec.json.Decoder(tuple[Range, ...])
_WHAT = "the positions of Subscriptions"
_GAPS = msgspec.json.Decoder(tuple[Gap, ...])


class DuringPositions:
    """The positions of every tenant; raises DatabaseError where the record cannot be used."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def change(self, tenant_id: str, source: str, changed: Callable[[Position], Position], now: datetime) -> Position:
        """Commit what `changed` makes of a position, which nobody else changes meanwhile."""
        with database.begun(self._engine, _WHAT) as connection:
            _make(connection, tenant_id, source, now)
            it = (during_position.c.tenant_id == tenant_id, during_position.c.source == source)
            held = update(during_position).where(*it).values(source=source).returning(during_position)
            position = changed(_position(connection.execute(held).one()))
            connection.execute(update(during_position).where(*it).values(**_columns(position)))
        return position

    def of_tenant(self, tenant_id: str) -> dict[str, Position]:
        """By source."""
        asked = select(during_position).where(during_position.c.tenant_id == tenant_id)
        with database.begun(self._engine, _WHAT) as connection:
            return {row.source: _position(row) for row in connection.execute(asked)}

    def lease(self, tenant_id: str, source: str, now: datetime, for_s: float) -> datetime | None:
        """Until when this worker alone asks the source, if it does not let go before; None where another does."""
        table = during_position.c
        free = or_(table.asking_until.is_(None), table.asking_until < now)
        taken = update(during_position).where(table.tenant_id == tenant_id, table.source == source, free)
        with database.begun(self._engine, _WHAT) as connection:
            until = now + timedelta(seconds=for_s)
            return until if connection.execute(taken.values(asking_until=until)).rowcount == 1 else None

    def release(self, tenant_id: str, source: str, until: datetime) -> None:
        """Let go of a lease: whoever has something to ask may ask now. One that ran out may be another's."""
        table = during_position.c
        it = (table.tenant_id == tenant_id, table.source == source, table.asking_until == until)
        own = update(during_position).where(*it)
        with database.begun(self._engine, _WHAT) as connection:
            connection.execute(own.values(asking_until=None))


def _make(connection: Connection, tenant_id: str, source: str, now: datetime) -> None:
    into = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = {"tenant_id": tenant_id, "source": source} | _columns(Position(well_at=now - BEFORE_FIRST))
    connection.execute(into(during_position).on_conflict_do_nothing(), row)


def _columns(position: Position) -> dict[str, Any]:
    return {
        "told": position.numbers.told,
        "taken": position.numbers.taken,
        "ahead": msgspec.json.encode(position.numbers.ahead).decode(),
        "gaps": msgspec.json.encode(position.gaps).decode(),
        "stopped": position.stopped,
        "tries": position.tries,
        "well_at": position.well_at,
        "heard_at": position.heard_at,
        "ask_at": position.ask_at,
    }


def _position(row: Row[Any]) -> Position:
    return Position(
        numbers=EventNumbers(row.told, row.taken, _RANGES.decode(row.ahead)),
        gaps=_GAPS.decode(row.gaps),
        stopped=row.stopped,
        tries=row.tries,
        well_at=row.well_at,
        heard_at=row.heard_at,
        ask_at=row.ask_at,
    )

"""The months of the record on PostgreSQL: made ahead, and removed whole once every tenant's retention is over.

A month of evaluations, of their cards and of their suggestions is a partition each, by the instant of the call. What
is in none, because nobody made it in time, is kept in a partition for the rest and moved when its month is made. There
are no foreign keys between them: a month would be searched for references before it could go.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection, Engine, insert, text
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import tables
from cds_service.records.database import DatabaseError
from cds_service.records.rows import AdministrationEvent

# Those that refer to others stand first.
TABLES = ("suggestion", "card", "evaluation")
REST = "rest"
AHEAD = 3
# A month can go only while nobody reads its table, and whoever waits for that holds up those who come after.
_LOCK_TIMEOUT_MS = 2_000
# Any number that no other program takes: months are made and removed one after the other.
_LOCK = 7_281_940_264
_KEPT = text(
    "SELECT substr(child.relname, length('evaluation_') + 1) AS ending,"
    " substring(pg_get_expr(child.relpartbound, child.oid) from 'TO \\(''([^'']+)''\\)')::timestamptz AS until"
    " FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
    " WHERE inhparent = to_regclass('evaluation') AND pg_table_is_visible(child.oid) ORDER BY 2"
)


class Month(msgspec.Struct, frozen=True):
    """A partition of each table: how their names end, and the instant before which everything in it was received."""

    ending: str
    until: datetime


def first_day(at: datetime) -> datetime:
    """The beginning of the month, in UTC."""
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def following(month: datetime) -> datetime:
    """The beginning of the next month."""
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def kept(connection: Connection) -> tuple[Month, ...]:
    """Every month that there is, the oldest first; none on SQLite, nor in a record that is not divided yet."""
    if connection.dialect.name != "postgresql":
        return ()
    found = connection.execute(_KEPT)
    return tuple(Month(row.ending, row.until) for row in found if row.until is not None)


def prepare(engine: Engine, now: datetime) -> int:
    """Make this month and those ahead, where they are missing; returns how many. Raises DatabaseError."""
    made, month = 0, first_day(now)
    try:
        for _ in range(AHEAD + 1):
            with engine.begin() as connection:
                there = kept(connection)
                if there and month >= there[0].until and month not in _beginnings(there):
                    _alone(connection)
                    made += 1 if month in _beginnings(kept(connection)) else _make(connection, month)
            month = following(month)
    except SQLAlchemyError as error:
        raise DatabaseError("the months to come could not be made") from error
    return made


def remove(engine: Engine, oldest: datetime, now: datetime) -> tuple[str, ...]:
    """Remove every month that ended before `oldest`, with the outcomes of its evaluations; returns which.

    Each is an event of the record, written with it. Raises DatabaseError where one could not be removed.
    """
    try:
        with engine.connect() as connection:
            over = [one for one in kept(connection) if one.until <= oldest]
        for month in over:
            with engine.begin() as connection:
                _alone(connection)
                if month in kept(connection):
                    _remove(connection, month, now)
    except SQLAlchemyError as error:
        raise DatabaseError("a month could not be removed") from error
    return tuple(one.ending for one in over)


def _beginnings(there: tuple[Month, ...]) -> frozenset[datetime]:
    return frozenset(first_day(one.until - (following(one.until) - one.until) / 2) for one in there[1:])


def _alone(connection: Connection) -> None:
    connection.execute(text(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}"))
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))


def _make(connection: Connection, month: datetime) -> int:
    """What came before its month was made is moved to it."""
    start, end = month.isoformat(), following(month).isoformat()
    for table in TABLES:
        name, rest = f"{table}_{month:%Y_%m}", f"{table}_{REST}"
        within = f"received_at >= '{start}' AND received_at < '{end}'"
        connection.execute(text(f"LOCK TABLE {rest} IN ACCESS EXCLUSIVE MODE"))
        connection.execute(text(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS)"))
        moved = f"WITH moved AS (DELETE FROM {rest} WHERE {within} RETURNING *)"  # noqa: S608 — names and days of ours
        connection.execute(text(f"{moved} INSERT INTO {name} SELECT * FROM moved"))  # noqa: S608
        connection.execute(
            text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{end}')")
        )
    return 1


def _remove(connection: Connection, month: Month, now: datetime) -> None:
    of_month = f"evaluation_id IN (SELECT id FROM evaluation_{month.ending})"  # noqa: S608 — a name of ours
    connection.execute(text(f"DELETE FROM outcome WHERE {of_month}"))  # noqa: S608
    for table in TABLES:
        connection.execute(text(f"DROP TABLE {table}_{month.ending}"))
    event = AdministrationEvent(
        happened_at=now,
        action="purge",
        tenant_id="",
        scope=f"month={month.ending}",
        value="removed",
        done_by="cds-service record purge",
        reason=f"retention: everything received before {month.until:%Y-%m-%d} is older than any tenant keeps it",
    )
    connection.execute(insert(tables.administration).values(**msgspec.structs.asdict(event)))

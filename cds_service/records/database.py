"""The database: SQLite beside the service or PostgreSQL by its URL; one schema, one behaviour."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import time_limit
from cds_service.records.reasons import reason
from cds_service.records.time_limit import Patience

# The Alembic revision that this code reads and writes; held against the migrations by tests.
REVISION = "0011"
# The oldest schema with all that this code reads and writes: it may serve before the database was brought to REVISION.
# Where a tenant reads cases of operations, or hears them from a source, it needs their tables.
SERVES_FROM, SERVES_CASES_FROM, SERVES_SOURCES_FROM = "0008", "0009", "0010"
POOL_TIMEOUT_S = 0.5
_LOOK_S = 0.5

# The opened record, as other rooms name it: its library is known in this room alone.
OpenRecord = Engine
# What a statement raises that the database could not carry out.
StatementFailed = sqlalchemy.exc.DatabaseError


class DatabaseError(Exception):
    """The database cannot be used; the message names no password."""


def normal(url: str) -> str:
    """The URL with our PostgreSQL driver named; `postgres://` and `postgresql://` are what platforms hand out."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def safe(url: str) -> str:
    """The URL without its password, for people to read, however that was written; of what is no URL, nothing."""
    try:
        parsed = make_url(normal(url))
    except (SQLAlchemyError, ValueError):
        return "what is no URL"
    if parsed.drivername.startswith("sqlite"):
        return parsed.set(query={}).render_as_string()
    # A password may hold the very characters that end one: everything before the last @ is user and password.
    before, _, place = normal(url).partition("://")[2].rpartition("@")
    user, has_password, _ = before.partition(":")
    place = place.partition("?")[0]
    query = "&".join(f"{name}={parsed.query[name]}" for name in _TOLD if isinstance(parsed.query.get(name), str))
    who = f"{user}:***@" if has_password else f"{user}@" if user else ""
    return f"{parsed.drivername}://{who}{place}{'?' if query else ''}{query}"


def is_absent(url: str) -> bool:
    """Whether it is an SQLite file that is not there."""
    try:
        file = make_url(normal(url)).database if url.startswith("sqlite") else None
    except SQLAlchemyError:
        return False
    return bool(file) and file != ":memory:" and not Path(str(file)).exists()


# Of what stands after the question mark; a password may stand there too.
_TOLD = ("host", "port", "dbname")
_DRIVERS = ("sqlite", "postgresql+psycopg")


def connect(url: str, *, durable: bool, connections: int, patience: Patience = time_limit.OF_A_COMMAND) -> Engine:
    """An engine. Durable: a commit has reached the disk. Otherwise it survives this process, not a power cut.

    The second is for evaluations and used token ids, where a wait for the disk would hold an answer back. Raises
    DatabaseError for a URL of another database than the two.
    """
    url = normal(url)
    if url.partition(":")[0] not in _DRIVERS or "://" not in url:
        raise DatabaseError(f"the database is named by {' or '.join(f'{one}://…' for one in _DRIVERS)}")
    if url.startswith("sqlite"):
        return _sqlite(url, durable, connections, patience.busy_s)
    try:
        host = make_url(url).host or ""
    except (SQLAlchemyError, ValueError) as error:
        raise DatabaseError("what names it is no URL: postgresql://USER:PASSWORD@HOST:PORT/NAME") from error
    if "@" in host:
        raise DatabaseError(f"{safe(url)}: an @ in user or password has to be written %40, a / %2F")
    return _postgresql(url, durable, connections, patience.statement_s)


def _postgresql(url: str, durable: bool, connections: int, statement_s: float) -> Engine:
    from cds_service.records import bounded  # noqa: PLC0415 — psycopg is slow to import, and SQLite needs none of it

    engine = sqlalchemy.create_engine(
        url,
        pool_size=connections,
        max_overflow=2,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=durable,
        pool_recycle=1800,
        connect_args={**bounded.NETWORK, "application_name": "surgical-risk"},
    )

    @event.listens_for(engine, "do_connect")
    def connect_bounded(_dialect: object, _record: object, arguments: Any, parameters: Any) -> Any:
        return bounded.connect(*arguments, durable=durable, statement_s=statement_s, **parameters)

    return engine


def _sqlite(url: str, durable: bool, connections: int, busy_s: float) -> Engine:
    _for_nobody_else(make_url(url).database)
    engine = sqlalchemy.create_engine(
        url, pool_size=connections, pool_timeout=POOL_TIMEOUT_S, connect_args={"timeout": busy_s}
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine


def _for_nobody_else(path: str | None) -> None:
    """The file exists and only its owner reads it; SQLite gives its journals the same rights."""
    if not path or path == ":memory:" or path.startswith("file:"):
        return
    with contextlib.suppress(OSError):  # what cannot be made or changed is told by the first connection
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        Path(path).chmod(0o600)


@contextlib.contextmanager
def begun(engine: Engine, what: str) -> Iterator[Connection]:
    """A transaction; raises DatabaseError, naming `what`, where the database cannot carry it out."""
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise DatabaseError(f"{what} cannot be read or written") from error


def wait_for(engine: Engine, seconds: float) -> None:
    """Until the database answers anything. Raises DatabaseError with the reason where it does not in that time."""
    until = time.monotonic() + seconds
    while True:
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
            return
        except SQLAlchemyError as error:
            if time.monotonic() >= until:
                raise DatabaseError(reason(error)) from error
        time.sleep(_LOOK_S)


def unlike(engine: Engine, oldest: str = SERVES_FROM) -> str | None:
    """Why this version cannot use a database: it cannot be asked, holds no record, or one too old or too new.

    `oldest`: the revision from which on everything is there that this deployment needs.
    A newer one can be used where the migration that made it so says that this version still may (`schema_reader`).
    """
    try:
        with engine.connect() as connection:
            found = str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())
            if oldest <= found <= REVISION:
                return None
            if found < oldest:
                return f"it is at revision {found}, this version reads {REVISION}: run `cds-service record migrate`"
            reader = connection.exec_driver_sql("SELECT oldest FROM schema_reader").scalar()
    except SQLAlchemyError as error:
        return reason(error)
    if reader is not None and str(reader) <= REVISION:
        return None
    return (
        f"it is at revision {found} and serves no version older than {reader}; this one is made for {REVISION}:"
        f" start the newer version, or go back with it (`cds-service record migrate --to {REVISION}`)"
    )


def revision(engine: Engine) -> str | None:
    """The revision that the database stands at; None where it has none or cannot be reached."""
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    except SQLAlchemyError:
        return None
    return None if found is None else str(found)

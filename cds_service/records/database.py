"""The database: SQLite beside the service or PostgreSQL by its URL; one schema, one behaviour."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import time_limit
from cds_service.records.time_limit import Patience

# The Alembic revision that this code reads and writes; held against the migrations by tests.
REVISION = "0007"
POOL_TIMEOUT_S = 0.5


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


def reason(error: Exception) -> str:
    """Why a statement or a connection failed, in our words: a driver's may quote the URL, and so a password."""
    raw = getattr(error, "orig", None) or error
    state = str(getattr(raw, "sqlstate", None) or "")
    for beginning, words in _STATES.items():
        if state.startswith(beginning):
            return words
    told = str(raw)
    if state:
        return f"it refuses, with SQLSTATE {state}"
    return next((words for written, words in _SQLITE.items() if written in told), _NO_ANSWER)


# https://www.postgresql.org/docs/16/errcodes-appendix.html
_STATES = {
    "28": "it does not accept this user or password",
    "3D": "there is no database of this name",
    "42P01": "it holds no record of this version: run `cds-service record migrate`",
    "42501": "this user may not do that",
    "53": "it has no room left, or no connection",
    "57014": "it did not answer in time",
    "57P": "it is being started or stopped",
    "25006": "it is read-only",
}
# https://www.sqlite.org/rescode.html
_SQLITE = {
    "unable to open database file": "there is no such folder, or it may not be opened",
    "file is not a database": "the file is no SQLite database",
    "no such table": "it holds no record of this version: run `cds-service record migrate`",
    "no such column": "it holds no record of this version: run `cds-service record migrate`",
    "readonly database": "it may not be written",
    "database is locked": "somebody else holds it",
    "disk is full": "the disk is full",
    "disk I/O error": "its disk cannot be read or written",
    "QueuePool limit": "every connection to it is in use",
}
# Of what stands after the question mark; a password may stand there too.
_TOLD = ("host", "port", "dbname")
_NO_ANSWER = "it does not answer: look at host and port, and whether it runs"
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


def unlike(engine: Engine) -> str | None:
    """Why a database is not at REVISION: it cannot be asked, holds no record, or one of another version; else None."""
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    except SQLAlchemyError as error:
        return reason(error)
    if found == REVISION:
        return None
    return f"it is at revision {found}, this version reads {REVISION}: run `cds-service record migrate`"


def revision(engine: Engine) -> str | None:
    """The revision that the database stands at; None where it has none or cannot be reached."""
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    except SQLAlchemyError:
        return None
    return None if found is None else str(found)

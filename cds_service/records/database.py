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

# The Alembic revision that this code reads and writes; held against the migrations by tests.
REVISION = "0004"
BUSY_TIMEOUT_S = 5.0
POOL_TIMEOUT_S = 2.0


class DatabaseError(Exception):
    """The database cannot be used; the message names no password."""


def normal(url: str) -> str:
    """The URL with our PostgreSQL driver named; `postgres://` and `postgresql://` are what platforms hand out."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def safe(url: str) -> str:
    """The URL without its password, for people to read."""
    return make_url(normal(url)).render_as_string(hide_password=True)


def connect(url: str, *, durable: bool, connections: int) -> Engine:
    """An engine. Durable: a commit has reached the disk. Otherwise it survives this process, not a power cut.

    The second is for evaluations and used token ids, where a wait for the disk would hold an answer back.
    """
    url = normal(url)
    if url.startswith("sqlite"):
        return _sqlite(url, durable, connections)
    options = "" if durable else "-c synchronous_commit=off"
    return sqlalchemy.create_engine(
        url,
        pool_size=connections,
        max_overflow=2,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=durable,
        pool_recycle=1800,
        connect_args={"options": options, "connect_timeout": 3, "application_name": "surgical-risk"},
    )


def _sqlite(url: str, durable: bool, connections: int) -> Engine:
    _for_nobody_else(make_url(url).database)
    engine = sqlalchemy.create_engine(
        url, pool_size=connections, pool_timeout=POOL_TIMEOUT_S, connect_args={"timeout": BUSY_TIMEOUT_S}
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


def revision(engine: Engine) -> str | None:
    """The revision that the database stands at; None where it has none or cannot be reached."""
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    except SQLAlchemyError:
        return None
    return None if found is None else str(found)

"""Whether a database can keep the record, looked at from outside and changing nothing: for `cds-service check`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import database, reasons, tables, time_limit
from cds_service.records.database import DatabaseError

WAIT_S = 5.0
# A million evaluations take about as much.
LOW_BYTES = 2 * 1024**3
_MIB = 1024**2


def inspect(url: str, warn: Callable[[str], None]) -> str:
    """What was found, in words. Raises DatabaseError where the record cannot be kept there; `warn` of little room."""
    file = _file(url)
    if file is not None and not file.exists():
        if not os.access(file.parent, os.W_OK):
            raise DatabaseError(f"{database.safe(url)}: there is no such folder, or it may not be written")
        return f"{database.safe(url)}: not there yet, the first start makes it"
    engine = database.connect(url, durable=True, connections=1)
    try:
        with time_limit.within(WAIT_S):
            if (why := database.unlike(engine)) is not None:
                raise DatabaseError(f"{database.safe(url)}: {why}")
            _write_and_take_back(engine, url)
            size, revision = _bytes(engine, file), database.revision(engine)
    finally:
        engine.dispose()
    told = f"{database.safe(url)}: revision {revision}, writable, {size / _MIB:.1f} MiB"
    if file is None:
        return told
    free = shutil.disk_usage(file.parent).free
    if free < LOW_BYTES:
        warn(f"only {free // _MIB} MiB are left on its disk: when it is full, no more answers are given")
    return f"{told}, {free // _MIB} MiB left on its disk"


def _file(url: str) -> Path | None:
    """SQLite's file; None of a server, or of a database in memory."""
    if not url.startswith("sqlite"):
        return None
    named = make_url(url).database or ""
    return Path(named) if named and named != ":memory:" and not named.startswith("file:") else None


def _write_and_take_back(engine: Engine, url: str) -> None:
    try:
        with engine.connect() as connection:
            lost = {"noticed_at": datetime.now(UTC), "evaluations": 0, "cause": "check"}
            connection.execute(insert(tables.loss).values(**lost))
            connection.rollback()
    except SQLAlchemyError as error:
        raise DatabaseError(f"{database.safe(url)}: {reasons.reason(error)}") from error


def _bytes(engine: Engine, file: Path | None) -> int:
    if file is not None:
        return sum(path.stat().st_size for path in file.parent.glob(f"{file.name}*"))
    if engine.dialect.name == "sqlite":
        return 0
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar() or 0)

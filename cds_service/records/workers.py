"""Which workers use this record now, and which switches each of them holds: what a command waits for."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Engine, RowMapping, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import tables
from cds_service.records.database import DatabaseError
from cds_service.records.switches import Switches, SwitchReader

LOOK_S = 2.0
BEAT_S = 10.0
# Three beats late, and it is no longer there: ended by force, or cut off from the database.
ALIVE_S = 30.0
_FORGOTTEN = timedelta(days=1)
# What stands with the ids of the tenants and is none of them: the digest of their files.
_FILES = "files="


class Worker(msgspec.Struct, frozen=True):
    """One worker: where it runs, the digests of the switches and tenant files that it holds, and its tenants' ids."""

    id: str
    host: str
    switches: str
    tenants: tuple[str, ...]
    tenant_files: str | None = None


def digest(switches: Switches) -> str:
    """The same for the same switches, in whatever order they were read."""
    return hashlib.sha256("\n".join(sorted(map(repr, switches))).encode()).hexdigest()


def alive(engine: Engine, now: datetime) -> tuple[Worker, ...]:
    """The workers seen in the last ALIVE_S seconds. Raises DatabaseError where that cannot be read."""
    table = tables.worker
    seen = select(table).where(table.c.seen_at >= now - timedelta(seconds=ALIVE_S)).order_by(table.c.id)
    try:
        with engine.connect() as connection:
            rows = connection.execute(seen).mappings().all()
    except SQLAlchemyError as error:
        raise DatabaseError(
            "it holds no list of workers: migrate the record first, if this is the service's database"
        ) from error
    return tuple(_worker(row) for row in rows)


def _worker(row: RowMapping) -> Worker:
    told = json.loads(row["tenants"])
    ids = tuple(one for one in told if not one.startswith(_FILES))
    files = next((one.removeprefix(_FILES) for one in told if one.startswith(_FILES)), None)
    return Worker(row["id"], row["host"], row["switches"], ids, files)


def silent(engine: Engine, since: Sequence[Worker], now: datetime) -> tuple[Worker, ...]:
    """Those of `since` that tell nothing any more and did not take leave: stuck, ended by force, or cut off."""
    here = {one.id for one in alive(engine, now)}
    with engine.connect() as connection:
        kept = set(connection.execute(select(tables.worker.c.id)).scalars())
    return tuple(one for one in since if one.id in kept and one.id not in here)


class Presence:
    """Tells the record that this worker is there, and each time that what it holds changes; lives as long as it."""

    def __init__(self, engine: Engine, switches: SwitchReader) -> None:
        self._engine = engine
        self._switches = switches
        self._id, self._host = str(uuid.uuid4()), platform.node()[:128]
        self._tenants = "[]"
        self._told: tuple[str, str] | None = None
        self._told_at = datetime.min.replace(tzinfo=UTC)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def serves(self, tenants: Sequence[str], files: str | None) -> None:
        """Whom the worker answers from now on, and the digest of their files."""
        self._tenants = json.dumps([*tenants, *([f"{_FILES}{files}"] if files else [])])

    def start(self) -> None:
        """Begin to tell, in a thread of this worker."""
        self._thread.start()

    def close(self) -> None:
        """This worker is there no longer."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(timeout=LOOK_S)
        if self._told is None:
            return
        with contextlib.suppress(SQLAlchemyError), self._engine.begin() as connection:
            connection.execute(delete(tables.worker).where(tables.worker.c.id == self._id))

    def tell(self, now: datetime) -> None:
        """Write what this worker holds, if it changed or a beat is due; a beat writes the time alone."""
        holds = digest(self._switches.current()), self._tenants
        is_new = holds != self._told
        if not is_new and (now - self._told_at).total_seconds() < BEAT_S:
            return
        table = tables.worker
        with self._engine.begin() as connection:
            connection.execute(delete(table).where(table.c.seen_at < now - _FORGOTTEN))
            is_there = update(table).where(table.c.id == self._id).values(seen_at=now)
            if is_new or not connection.execute(is_there).rowcount:
                connection.execute(delete(table).where(table.c.id == self._id))
                row = {"id": self._id, "host": self._host, "switches": holds[0], "tenants": holds[1]}
                connection.execute(insert(table).values(**row, seen_at=now))
        self._told, self._told_at = holds, now

    def _run(self) -> None:
        while True:
            with contextlib.suppress(SQLAlchemyError, DatabaseError):
                self.tell(datetime.now(UTC))
            if self._closing.wait(LOOK_S):
                return

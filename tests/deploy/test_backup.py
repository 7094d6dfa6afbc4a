"""The drill: the record is backed up under load, its disk is lost, and what was acknowledged is there again.

deploy/backup.sh does each step, as docs/backup.md tells an operator to; the figures there are this test's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy

from cds_service.records import database, migrate
from tests.cds_service.records.test_kill import serving
from tests.deploy import tools

pytestmark = pytest.mark.end_to_end
ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "deploy/backup.sh"
LOAD_S = 5.0
local: Any = tools.module("deploy_local", ROOT / "deploy/local.py")


class Hospital:
    """A PostgreSQL of its own with its backups, and the feedback that was acknowledged, with the time of each."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stack = folder, local.Stack(folder)
        self.backups = folder / "backups"
        self.backups.mkdir()
        self.acknowledged: list[tuple[datetime, str]] = []
        if os.geteuid() == 0:
            shutil.chown(self.backups, local.SERVER_OWNER)

    @property
    def password(self) -> str:
        return (self.stack.state / "postgres-password").read_text().strip()

    def url(self, name: str = "surgical_risk", *, port: int | None = None) -> str:
        place = f"127.0.0.1:{port or self.stack.ports['postgres']}"
        return f"postgresql+psycopg://surgical_risk:{self.password}@{place}/{name}"

    def environment(self, **more: str) -> dict[str, str]:
        programs = Path(local.of_postgres("pg_dump")).parent
        place = {"PGHOST": "127.0.0.1", "PGPORT": str(self.stack.ports["postgres"]), "PGUSER": "surgical_risk"}
        path = f"{programs}:{os.environ['PATH']}"
        return {**os.environ, **place, "PGPASSWORD": self.password, "PATH": path, **more}

    def command(self, *words: object) -> list[str]:
        return [*local.as_server(), "sh", str(SCRIPT), *map(str, words)]

    def backup(self, *words: object, **environment: str) -> None:
        done = subprocess.run(
            self.command(*words),
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr

    def ask(self, statement: str, name: str = "surgical_risk") -> list[Any]:
        engine = sqlalchemy.create_engine(self.url(name), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            answer = connection.exec_driver_sql(statement)
            rows = list(answer) if answer.returns_rows else []
        engine.dispose()
        return rows

    def send(self, service: str, stop: threading.Event) -> None:
        while not stop.is_set():
            card = str(uuid.uuid4())
            item = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-22T10:00:00Z"}
            with contextlib.suppress(requests.RequestException):
                if requests.post(f"{service}/feedback", json={"feedback": [item]}, timeout=5).status_code == 200:
                    self.acknowledged.append((datetime.now(UTC), card))


@pytest.fixture(scope="module")
def drill() -> Iterator[tuple[Hospital, datetime, datetime]]:
    """The disaster: when the dump began, and the moment to go back to."""
    with tools.open_folder() as folder:
        yield from _drill(Hospital(folder))


def _drill(hospital: Hospital) -> Iterator[tuple[Hospital, datetime, datetime]]:
    folder = hospital.folder
    hospital.stack.start("postgres")
    migrate.upgrade(hospital.url())
    with (folder / "receive.log").open("wb") as log:
        receiver = subprocess.Popen(
            hospital.command("receive", hospital.backups), env=hospital.environment(), stdout=log, stderr=log
        )
    try:
        hospital.backup("base", hospital.backups)
        hospital.ask("ALTER SYSTEM SET synchronous_standby_names = 'surgical_risk_backup'")
        hospital.ask("SELECT pg_reload_conf()")
        (folder / "service").mkdir()
        stop = threading.Event()
        with serving(folder / "service", hospital.url()) as (_, service):
            senders = [threading.Thread(target=hospital.send, args=(service, stop)) for _ in range(4)]
            for sender in senders:
                sender.start()
            time.sleep(LOAD_S)
            dumped = datetime.now(UTC)
            hospital.backup("dump", hospital.backups / "record.dump")
            time.sleep(1)
            moment = datetime.now(UTC)
            time.sleep(LOAD_S)
            master = hospital.stack.processes["postgres"]
            _kill_all(master.pid)
            stop.set()
            for sender in senders:
                sender.join()
        shutil.rmtree(folder / "postgres", ignore_errors=True)
        yield hospital, dumped, moment
    finally:
        receiver.terminate()
        receiver.wait(10)
        hospital.stack.stop()


def _kill_all(pid: int) -> None:
    """The postmaster, which root started through another program, and all of its children, at once."""
    every = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout.split()
    parents = dict(zip(every[::2], every[1::2], strict=True))
    family = [str(pid)]
    for one in family:
        family += [child for child, parent in parents.items() if parent == one]
    for one in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(one), signal.SIGKILL)


@contextlib.contextmanager
def restored(hospital: Hospital, name: str, *until: str) -> Iterator[str]:
    """A new server with what was backed up; its URL once it takes writes."""
    data, port = hospital.folder / name, local.free_port()
    data.mkdir()
    if os.geteuid() == 0:
        shutil.chown(data, local.SERVER_OWNER)
    hospital.backup("restore", hospital.backups, data, *until)
    command = [*local.as_server(), local.of_postgres("postgres"), "-D", str(data), "-p", str(port), "-k", str(data)]
    with (hospital.folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen([*command, "-h", "127.0.0.1"], stdout=log, stderr=log)
    engine = sqlalchemy.create_engine(hospital.url(port=port))
    try:
        for _ in range(600):
            with contextlib.suppress(sqlalchemy.exc.OperationalError), engine.connect() as connection:
                if connection.exec_driver_sql("SELECT pg_is_in_recovery()").scalar() is False:
                    break
            time.sleep(0.1)
        else:
            raise AssertionError((hospital.folder / f"{name}.log").read_text()[-3000:])
        yield hospital.url(port=port)
    finally:
        engine.dispose()
        process.terminate()
        process.wait(30)


def kept(url: str) -> set[str]:
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        found = {row[0] for row in connection.exec_driver_sql("SELECT card_uuid FROM feedback")}
    engine.dispose()
    return found


def test_what_was_acknowledged_in_the_last_second_is_there_and_the_service_answers_again(drill: Any) -> None:
    hospital, _, _ = drill
    assert len(hospital.acknowledged) > 100
    began = time.monotonic()
    with restored(hospital, "after-the-disaster") as url:
        found = kept(url)
        lost = [at for at, card in hospital.acknowledged if card not in found]
        folder = hospital.folder / "again"
        folder.mkdir()
        with serving(folder, url) as (_, service):
            rto = time.monotonic() - began
            item = {"card": "after", "outcome": "overridden", "outcomeTimestamp": "2026-11-22T10:00:00Z"}
            assert requests.post(f"{service}/feedback", json={"feedback": [item]}, timeout=5).status_code == 200
    print(f"acknowledged {len(hospital.acknowledged)}, lost {len(lost)}; answering again after {rto:.1f} s")
    assert lost == []
    assert rto < 60


def test_the_record_is_as_it_was_at_a_moment(drill: Any) -> None:
    hospital, _, moment = drill
    with restored(hospital, "at-a-moment", moment.isoformat()) as url:
        found = kept(url)
    before = {card for at, card in hospital.acknowledged if at < moment}
    after = {card for at, card in hospital.acknowledged if (at - moment).total_seconds() > 1}
    assert before <= found
    assert len(after) > 20
    assert not after & found


def test_a_dump_made_under_load_is_whole_and_is_read_by_an_empty_database(drill: Any) -> None:
    hospital, dumped, _ = drill
    with restored(hospital, "for-the-dump") as url:
        port = url.rpartition(":")[2].split("/")[0]
        engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE DATABASE fresh")
        engine.dispose()
        hospital.backup("restore-dump", hospital.backups / "record.dump", PGDATABASE="fresh", PGPORT=port)
        fresh = hospital.url("fresh", port=int(port))
        assert {card for at, card in hospital.acknowledged if at < dumped} <= kept(fresh)
        migrate.upgrade(fresh)
        opened = database.connect(fresh, durable=True, connections=1)
        assert database.revision(opened) == database.REVISION
        opened.dispose()


def test_a_dump_of_an_earlier_version_is_brought_to_this_one_with_its_rows(drill: Any) -> None:
    hospital, _, _ = drill
    with restored(hospital, "for-the-old") as url:
        port = url.rpartition(":")[2].split("/")[0]
        engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for name in ("old", "new"):
                connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        old, new = hospital.url("old", port=int(port)), hospital.url("new", port=int(port))
        migrate.upgrade(old, "0003")
        rows = sqlalchemy.create_engine(old, isolation_level="AUTOCOMMIT")
        with rows.connect() as connection:
            connection.exec_driver_sql("INSERT INTO loss (noticed_at, evaluations, cause) VALUES (now(), 7, 'killed')")
        rows.dispose()
        hospital.backup("dump", hospital.backups / "old.dump", PGDATABASE="old", PGPORT=port)
        hospital.backup("restore-dump", hospital.backups / "old.dump", PGDATABASE="new", PGPORT=port)
        migrate.upgrade(new)
        engine = sqlalchemy.create_engine(new)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT evaluations FROM loss").scalar() == 7
        assert database.revision(engine) == database.REVISION
        engine.dispose()

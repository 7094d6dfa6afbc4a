"""A real PostgreSQL from Debian's package, on a socket of its own: started for the tests, stopped and removed after."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy


def programs() -> Path | None:
    """The folder of initdb and pg_ctl, newest version first; None where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    return found[0].parent if found else None


@contextlib.contextmanager
def server() -> Iterator[str]:
    """A running server; yields the folder of its socket. PostgreSQL refuses root, so root lends it an account."""
    binaries = programs()
    assert binaries is not None
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="surgical-risk-pg-"))
    if account:
        shutil.chown(folder, account, account)
    # Clients run as whoever runs the tests; nobody else reaches the socket, and there is no TCP port at all.
    _run(
        account, binaries / "initdb", "-D", folder / "data", "-A", "trust", "-U", "surgical", "--no-sync", "-E", "UTF8"
    )
    # Nothing waits for the disk: no test takes the machine's power away, and a killed server loses nothing by it.
    options = f"-k {folder} -c listen_addresses='' -c max_connections=50 -c shared_buffers=32MB -c fsync=off"
    control = (binaries / "pg_ctl", "-D", folder / "data", "-l", folder / "log", "-w")
    _run(account, *control, "-o", options, "start")
    try:
        yield str(folder)
    finally:
        _run(account, *control, "-m", "immediate", "stop")
        shutil.rmtree(folder)


@contextlib.contextmanager
def database(folder: str) -> Iterator[str]:
    """A fresh database; yields its URL."""
    name = f"risk_{uuid.uuid4().hex[:12]}"
    admin = sqlalchemy.create_engine(_url(folder, "postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield _url(folder, name)
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        admin.dispose()


@contextlib.contextmanager
def bouncer(folder: str) -> Iterator[str]:
    """PgBouncer before the server in transaction mode, as platforms run it; yields the folder of its socket.

    Few connections for many clients: whoever trusts that the next transaction meets the same session finds another.
    """
    account = _account()
    own = Path(tempfile.mkdtemp(prefix="surgical-risk-bouncer-"))
    settings = {
        "listen_port": 5432, "unix_socket_dir": own, "auth_type": "any", "pool_mode": "transaction",
        "default_pool_size": 4, "max_client_conn": 500, "logfile": own / "log", "server_reset_query": "",
    }  # fmt: skip
    written = "".join(f"{name} = {value}\n" for name, value in settings.items())
    file = own / "pgbouncer.ini"
    file.write_text(f"[databases]\n* = host={folder} user=surgical\n[pgbouncer]\n{written}", encoding="ascii")
    if account:
        shutil.chown(own, account, account)
    process = subprocess.Popen([*_as(account), "/usr/sbin/pgbouncer", "--quiet", str(file)], cwd="/")
    try:
        until = time.monotonic() + 10
        while not (own / ".s.PGSQL.5432").exists():
            assert process.poll() is None, "PgBouncer does not start"
            assert time.monotonic() < until, "PgBouncer does not start"
            time.sleep(0.02)
        yield str(own)
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(own)


def at(folder: str, url: str) -> str:
    """The same database, reached through another socket."""
    return _url(folder, sqlalchemy.make_url(url).database or "")


def _url(folder: str, name: str) -> str:
    return f"postgresql+psycopg://surgical@/{name}?host={folder}"


def _account() -> str | None:
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    return None


def _run(account: str | None, *command: object) -> None:
    subprocess.run([*_as(account), *map(str, command)], check=True, capture_output=True, cwd="/")


def _as(account: str | None) -> list[str]:
    if account is None:
        return []
    return ["setpriv", "--reuid", account, "--regid", str(pwd.getpwnam(account).pw_gid), "--clear-groups"]

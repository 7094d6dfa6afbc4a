"""A real PostgreSQL from Debian's package, on a socket of its own: started for the tests, stopped and removed after."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
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
    options = f"-k {folder} -c listen_addresses='' -c max_connections=50 -c shared_buffers=32MB"
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
    prefix = (
        ["setpriv", "--reuid", account, "--regid", str(pwd.getpwnam(account).pw_gid), "--clear-groups"]
        if account
        else []
    )
    subprocess.run([*prefix, *map(str, command)], check=True, capture_output=True, cwd="/")

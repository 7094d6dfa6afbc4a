"""A record with an invented hospital, and the command that validates it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from cds_service.commands.cli import main
from cds_service.records import database, migrate
from tests.cds_service.validation import invented
from tests.conformance.conftest import a_tenant_file

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a record of 1,200 operations and a tenant's file; nobody may change it."""
    folder = tmp_path_factory.mktemp("hospital")
    with opened(folder) as engine:
        invented.a_hospital(engine)
    a_tenant_file(folder / "tenants", mode="silent", card_floor=None, card_floors={}, local_validation=None)
    return folder


class opened:  # noqa: N801 — used as a context
    """The record of a folder, made where there is none."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/record.sqlite3"
        migrate.upgrade(self.url)
        self.engine = database.connect(self.url, durable=True, connections=2)

    def __enter__(self) -> Engine:
        return self.engine

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()


def runs(folder: Path, *words: str) -> Result:
    """A command on that record and those tenants."""
    environment = {"DATABASE_URL": f"sqlite:///{folder}/record.sqlite3", "CDS_TENANTS": str(folder / "tenants")}
    return CliRunner().invoke(main, words, env=environment)


def validates(folder: Path, out: Path, *more: str) -> Result:
    """`cds-service validate` of the whole window."""
    words = ("--since", invented.SINCE, "--until", invented.UNTIL, "--out", str(out), "--by", "A. Jones", *more)
    return runs(folder, "validate", "general-hospital", *words)


@pytest.fixture(scope="session")
def report(hospital: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its report."""
    out = tmp_path_factory.mktemp("report")
    done = validates(hospital, out)
    assert done.exit_code == 0, done.output
    return out

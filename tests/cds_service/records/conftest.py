"""Every test of the record runs on SQLite and, marked end_to_end, on PostgreSQL, reached straight or by PgBouncer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cds_service.records import migrate
from cds_service.records.records import Records
from tests.cds_service.records import postgres


@pytest.fixture(scope="session")
def postgres_folder() -> Iterator[str]:
    with postgres.server() as folder:
        yield folder


@pytest.fixture(scope="session")
def bouncer_folder(postgres_folder: str) -> Iterator[str]:
    with postgres.bouncer(postgres_folder) as folder:
        yield folder


SERVERS = [pytest.param(name, marks=pytest.mark.end_to_end) for name in ("postgresql", "pgbouncer")]


@pytest.fixture(params=["sqlite", *SERVERS])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'record.sqlite3'}"
    else:
        with postgres.database(request.getfixturevalue("postgres_folder")) as url:
            through = request.param == "pgbouncer"
            yield postgres.at(request.getfixturevalue("bouncer_folder"), url) if through else url


@pytest.fixture
def url(empty_url: str) -> str:
    """A database at the current schema."""
    migrate.upgrade(empty_url)
    return empty_url


@pytest.fixture
def open_records(url: str, tmp_path: Path) -> Iterator[Callable[[], Records]]:
    """Opens the record as one worker does; as often as a test asks."""
    opened: list[Records] = []

    def open_one() -> Records:
        opened.append(Records(url, folder=tmp_path / "ledgers", connections=4, counted=lambda *_: None))
        return opened[-1]

    yield open_one
    for records in opened:
        records.close()


@pytest.fixture
def records(open_records: Callable[[], Records]) -> Records:
    return open_records()

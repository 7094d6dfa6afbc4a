"""The record as a command opens it: of this version's schema, or a word on what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

option = click.option(
    "--database", "database_url", envvar="DATABASE_URL", default="sqlite:///surgical-risk.sqlite3", show_default=True,
    help="Where the record is kept.",
)  # fmt: skip


@contextmanager
def opened(database_url: str, *, connections: int = 1, of_any_version: bool = False) -> Iterator[Any]:
    """The record; click.ClickException where it cannot be had, or is not at this version's schema.

    `of_any_version`: a kill switch must not wait for a migration.
    """
    from cds_service.records import database  # noqa: PLC0415

    engine = database.connect(database_url, durable=True, connections=connections)
    try:
        if not of_any_version and database.revision(engine) != database.REVISION:
            raise click.ClickException(f"{database.safe(database_url)}: {database.unlike(engine)}")
        yield engine
    finally:
        engine.dispose()

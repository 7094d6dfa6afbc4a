"""The record as a command opens it: of this version's schema, or a word on what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click


def _or_from_file(context: click.Context, option: click.Parameter, given: str) -> str:
    """What was given; where nothing was, the URL in the file that DATABASE_URL_FILE names."""
    from cds_service.trust.secret_text import from_file  # noqa: PLC0415

    if context.get_parameter_source(option.name or "") is not click.core.ParameterSource.DEFAULT:
        return given
    try:
        return from_file("DATABASE_URL") or given
    except ValueError as error:
        raise click.ClickException(str(error)) from error


option = click.option(
    "--database", "database_url", envvar="DATABASE_URL", default="sqlite:///surgical-risk.sqlite3", show_default=True,
    help="Where the record is kept.", callback=_or_from_file,
)  # fmt: skip


def refuse_absent(database_url: str) -> None:
    """Raise click.ClickException where the record is a file that is not there."""
    from cds_service.records import database  # noqa: PLC0415

    if database.is_absent(database_url):
        raise click.ClickException(
            f"{database.safe(database_url)}: there is no such file; name the service's own with --database or "
            "DATABASE_URL, or make it with `cds-service record migrate`"
        )


@contextmanager
def opened(database_url: str, *, connections: int = 1, of_any_version: bool = False) -> Iterator[Any]:
    """The record; click.ClickException where it cannot be had, or is not at this version's schema.

    A file that is not there is not made: a misspelt name would be a record in which nothing stands.
    `of_any_version`: a kill switch must not wait for a migration.
    """
    from cds_service.records import database  # noqa: PLC0415

    refuse_absent(database_url)
    engine = database.connect(database_url, durable=True, connections=connections)
    try:
        if not of_any_version and (why := database.unlike(engine)) is not None:
            raise click.ClickException(f"{database.safe(database_url)}: {why}")
        yield engine
    finally:
        engine.dispose()

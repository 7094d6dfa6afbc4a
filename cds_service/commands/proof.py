"""What a command that changes a running service proves: it reached the service's database, and every worker follows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cds_service.commands import kept_record, output

if TYPE_CHECKING:
    from cds_service.records.workers import Worker

F = TypeVar("F", bound=Callable[..., None])
WAIT_S = 60.0
_LOOK_S = 0.5

force = click.option("--force", is_flag=True, help="Also where no worker uses this database now.")
wait = click.option("--wait", is_flag=True, help="Until every worker has it; exit 1 where one has not after 60 s.")


@contextmanager
def opened(database_url: str, *, forced: bool, of_any_version: bool = True) -> Iterator[tuple[Any, tuple[Worker, ...]]]:
    """The database, named, and the workers that use it; refused where there are none, unless forced.

    `of_any_version`: what stops advice must not wait for a migration; everything else does.
    """
    from cds_service.records import database, workers  # noqa: PLC0415

    output.say(f"database: {database.safe(database_url)}", database=database.safe(database_url))
    with kept_record.opened(database_url, of_any_version=of_any_version) as engine:
        using = workers.alive(engine, datetime.now(UTC))
        if not using and not forced:
            raise click.ClickException(
                "no worker has used this database lately: name the service's own with --database or DATABASE_URL; "
                "--force where none runs now"
            )
        yield engine, using


def refuse_unknown(tenant_id: str, using: tuple[Worker, ...], *, filed: tuple[str, ...], forced: bool) -> None:
    """A tenant that neither a worker nor a file knows is a misspelling; with --force it may be one to come."""
    known = {*filed, *(one for worker in using for one in worker.tenants)}
    if tenant_id and tenant_id not in known and not forced:
        raise click.ClickException(f"no tenant {tenant_id!r}: there are {', '.join(sorted(known)) or 'none'}")


def refuse_unrecorded(engine: Any, tenant_id: str) -> None:
    """A tenant of whom nothing is kept, and whom no worker serves: an empty export of it would be a claim."""
    from cds_service.records import retention, workers  # noqa: PLC0415

    refuse_unknown(
        tenant_id, workers.alive(engine, datetime.now(UTC)), filed=retention.tenants_kept(engine), forced=False
    )


def follow(engine: Any, *, seconds: float = WAIT_S) -> None:
    """Wait until every worker holds the switches as they are now, and say so; exit 1 where one does not.

    One that falls silent meanwhile is not one fewer to wait for: nobody knows what it holds.
    """
    from cds_service.records import switches, workers  # noqa: PLC0415

    until = time.monotonic() + seconds
    begun = workers.alive(engine, datetime.now(UTC))
    while True:
        expected = workers.digest(switches.every_switch(engine))
        using = workers.alive(engine, datetime.now(UTC))
        having = sum(one.switches == expected for one in using)
        if using and having == len(using):
            _refuse_silent(workers.silent(engine, begun, datetime.now(UTC)), having)
            output.say(f"{having} of {len(using)} workers have it", workers=len(using), having=having)
            return
        if time.monotonic() >= until:
            without = sorted({one.host for one in using if one.switches != expected})
            raise click.ClickException(
                f"{having} of {len(using)} workers have it; without: {', '.join(without) or '-'}"
            )
        time.sleep(_LOOK_S)


def _refuse_silent(gone: tuple[Worker, ...], having: int) -> None:
    if gone:
        hosts = ", ".join(sorted({one.host for one in gone}))
        raise click.ClickException(
            f"{having} of {having + len(gone)} workers have it; silent since, and unknown: {len(gone)} on {hosts}"
        )

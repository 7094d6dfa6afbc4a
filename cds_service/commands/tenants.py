"""`cds-service tenants`: whether the tenant files can be served, and whether every worker has them as they are."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cds_service.commands import kept_record, output, proof

if TYPE_CHECKING:
    from cds_service.tenants.tenant_folder import Listed

_LOOK_S = 1.0


@click.command("tenants", cls=output.Command)
@click.option("--tenants", "folder", envvar="CDS_TENANTS", type=click.Path(path_type=Path), required=True)
@kept_record.option
@proof.wait
def tenants(*, folder: Path, database_url: str, wait: bool) -> None:
    """Read the tenant files as a running service does, and tell which workers have them in force.

    A worker looks every ten seconds. What is wrong is told with file and line, exit 1; the service then goes on with
    the files as they were. Run it on a node, or where the same files lie.
    """
    from cds_service.tenants.tenant_files import TenantError, check_for  # noqa: PLC0415
    from cds_service.tenants.tenant_folder import TenantFolder  # noqa: PLC0415

    try:
        listed = TenantFolder(folder).read()
        check_for(listed.tenants)
    except TenantError as error:
        raise click.ClickException(str(error)) from error
    for tenant in listed.tenants:
        line = f"{tenant.id}: {tenant.environment}, mode {tenant.mode}"
        output.row("tenants", line, {"tenant": tenant.id, "environment": tenant.environment, "mode": tenant.mode})
    with kept_record.opened(database_url, of_any_version=True) as engine:
        _tell(engine, listed, seconds=proof.WAIT_S if wait else 0.0)


def _tell(engine: Any, listed: Listed, *, seconds: float) -> None:
    """How many workers hold these files; exit 1 where one does not, once the time is over."""
    from cds_service.records import workers  # noqa: PLC0415

    until = time.monotonic() + seconds
    while True:
        using = workers.alive(engine, datetime.now(UTC))
        without = sorted({one.host for one in using if one.tenant_files != listed.digest})
        having = sum(one.tenant_files == listed.digest for one in using)
        if having == len(using) or time.monotonic() >= until:
            break
        time.sleep(_LOOK_S)
    line = f"{len(listed.tenants)} tenants; in force in {having} of {len(using)} workers"
    output.say(line, count=len(listed.tenants), workers=len(using), having=having, digest=listed.digest)
    if without:
        raise click.ClickException(f"without these files: workers on {', '.join(without)}; their /readyz tells why")

"""In which zone a hospital counts its days, for commands that read the record and need no more of its file."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import click

option = click.option(
    "--tenants",
    "folder",
    envvar="CDS_TENANTS",
    type=click.Path(path_type=Path),
    default=None,
    help="Folder of the tenants' files: in their zones the day of an operation ends (without it: in every zone).",
)


def zones(folder: Path | None) -> dict[str, ZoneInfo]:
    """By tenant; nothing where no folder is named."""
    from cds_service.tenants.tenant_files import load  # noqa: PLC0415

    return {one.id: ZoneInfo(one.zone) for one in load(folder)} if folder is not None else {}


def zone_of(tenant_id: str, folder: Path) -> ZoneInfo | None:
    """Of one tenant; None where there is no file of it."""
    return zones(folder).get(tenant_id)

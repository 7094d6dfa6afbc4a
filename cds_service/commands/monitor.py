"""`cds-service monitor`: pages of what is watched of each tenant, from the record, and the alarms for Prometheus."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from cds_service.commands import faults, kept_record, output, proof, tenant_zone

ALL = "index.html"
METRICS = "surgical-risk-monitors.prom"


@click.command("monitor", cls=output.Command)
@click.argument("tenant_id", required=False)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of the pages.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), default=None, help="As of this day (default: today), UTC.")
@click.option(
    "--models", type=click.Path(path_type=Path, exists=True, file_okay=False), envvar="CDS_MODELS", default=None,
    help="Folder of the models (default: those of the package).",
)  # fmt: skip
@tenant_zone.option
@kept_record.option
def monitor(
    tenant_id: str | None,
    *,
    out: Path,
    until: datetime | None,
    models: Path | None,
    folder: Path | None,
    database_url: str,
) -> None:
    """Write a page of what is watched of TENANT_ID, or of every tenant of the record and one of all; to be run weekly.

    Aggregates only, no patient. Beside the pages stands a file for the textfile collector of Prometheus' node exporter:
    the alarms of four weeks by figure, and when this ran; deploy/surgical-risk-monitors.yaml has the rules. A tenant
    whose record cannot be judged is told and stops no other; then the exit code is 1 and no run is told to Prometheus,
    nor where --until is a day that is over: its alarms are not those of now.
    """
    from cds_service.monitoring import monitor_page, prometheus, watch  # noqa: PLC0415
    from cds_service.monitoring.monitors import monitors  # noqa: PLC0415
    from cds_service.records import retention  # noqa: PLC0415
    from cds_service.records.database import StatementFailed  # noqa: PLC0415
    from models_onnx import registry  # noqa: PLC0415
    from models_onnx.outcome_horizons import outcome_horizons  # noqa: PLC0415

    now = datetime.now(UTC)
    today, limits = (until.date() if until else now.date()), monitors()
    if today > now.date() + timedelta(days=1):
        raise click.BadParameter("a day that is over, or today: nobody knows its outcomes", param_hint="--until")
    if not registry.cards(models or registry.PACKAGE):
        raise click.ClickException(f"{models}: holds no models")
    is_of_now = now.date() - today <= timedelta(days=1)
    horizons = outcome_horizons(models or registry.PACKAGE)
    out.mkdir(exist_ok=True)
    found, failed, zones = [], {}, tenant_zone.zones(folder)
    with kept_record.opened(database_url, connections=2) as engine:
        if tenant_id is not None:
            proof.refuse_unrecorded(engine, tenant_id)
        for tenant in (tenant_id,) if tenant_id else retention.tenants_kept(engine):
            try:
                of = watch.of_tenant(
                    engine, tenant, today=today, horizons=horizons, limits=limits, zone=zones.get(tenant)
                )
                page = monitor_page.of_tenant(of, limits)
            except (StatementFailed, ValueError) as error:
                failed[tenant] = _not_watched(tenant, error)
                continue
            (out / monitor_page.file_name(tenant)).write_text(page, encoding="utf-8")
            alarms = {one.name: len(monitor_page.recent(of, one.name)) for one in limits.figures}
            told = ", ".join(f"{name} {number}" for name, number in alarms.items() if number) or "none"
            line = f"{tenant}: {of.operations} operations, alarms of four weeks: {told}"
            output.row("tenants", line, {"tenant": tenant, "operations": of.operations, "alarms": alarms})
            found.append(of)
    if tenant_id is None:
        (out / ALL).write_text(monitor_page.of_all(found, limits, failed=failed), encoding="utf-8")
        _put_whole(out / METRICS, prometheus.exposition(found, limits, at=now if is_of_now and not failed else None))
    output.say(f"written to {out}", written=str(out))
    if failed:
        raise click.ClickException(f"not watched: {'; '.join(f'{tenant} ({why})' for tenant, why in failed.items())}")


def _not_watched(tenant: str, error: Exception) -> str:
    """Why, in a line; told at once, for the other tenants may take an hour."""
    why = faults.plain(error) or "its record cannot be read: " + type(error).__name__
    told: dict[str, Any] = {"tenant": tenant, "failed": why}
    output.row("tenants", f"{tenant}: not watched, {why}", told)
    return why


def _put_whole(path: Path, text: str) -> None:
    """Write a file that another program reads: it finds the one before or this one, never a part."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)

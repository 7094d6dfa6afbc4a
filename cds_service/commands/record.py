"""`cds-service record`: migrate, export and purge what is kept."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import click

_FAULTS_TOLD = 50


@click.group("record")
def record() -> None:
    """The record: bring its schema up to date, export it, purge what is older than each tenant says."""


_DATABASE = click.option(
    "--database", "database_url", envvar="DATABASE_URL", default="sqlite:///surgical-risk.sqlite3", show_default=True
)


@record.command("migrate")
@_DATABASE
def migrate(database_url: str) -> None:
    """Bring the database to the schema of this version; what is kept stays."""
    from cds_service.records import database  # noqa: PLC0415
    from cds_service.records import migrate as migration  # noqa: PLC0415

    try:
        migration.upgrade(database_url)
    except database.DatabaseError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{database.safe(database_url)} is at revision {database.REVISION}")


@record.command("export")
@click.argument("tenant_id")
@click.option("--form", type=click.Choice(["csv", "audit-event", "scores"]), default="csv", show_default=True)
@click.option("--since", type=click.DateTime(), default="1970-01-01", help="From this day on, UTC.")
@_DATABASE
def export(tenant_id: str, *, form: str, since: datetime, database_url: str) -> None:
    """Write one tenant's evaluations and feedback to standard output. Holds patients' ids: treat it as such.

    `scores`: a row for each version of each model, champions beside challengers, with what happened; no ids.
    """
    from cds_service.records import database, scores  # noqa: PLC0415
    from cds_service.records import export as exporting  # noqa: PLC0415
    from fhir_mappings.writing.audit_event import Evaluated, audit_event  # noqa: PLC0415

    engine = database.connect(database_url, durable=True, connections=2)
    start = since.replace(tzinfo=UTC)
    if form == "scores":
        rows = scores.to_csv(engine, tenant_id, sys.stdout, since=start)
    elif form == "csv":
        rows = exporting.to_csv(engine, tenant_id, sys.stdout, since=start)
    else:
        events = (
            audit_event(
                Evaluated(
                    evaluation_id=row.id,
                    recorded=row.received_at,
                    tenant_id=row.tenant_id,
                    hook=row.hook,
                    decision=row.decision,
                    reason=row.reason,
                    issuer=row.issuer,
                    user=row.user_reference,
                    patient_id=row.patient_id,
                    versions=tuple(f"{model['model']} {model['version']}" for model in row.models),
                )
            )
            for row in exporting.evaluations(engine, tenant_id, since=start)
        )
        rows = exporting.ndjson(events, sys.stdout)
    click.echo(f"{rows} rows", err=True)
    engine.dispose()


@record.command("import-outcomes")
@click.argument("tenant_id")
@click.argument("file", type=click.File("rb"))
@click.option("--source", required=True, help="Where the file comes from; kept with each outcome.")
@click.option("--correct", is_flag=True, help="Let the file replace outcomes that are recorded otherwise.")
@click.option("--by", "done_by", required=True, help="Who imports it.")
@click.option("--reason", required=True, help="Why; kept with the event.")
@_DATABASE
def import_outcomes(
    tenant_id: str, file: BinaryIO, *, source: str, correct: bool, done_by: str, reason: str, database_url: str
) -> None:
    """Join what happened to the evaluations: a CSV of evaluation_id, outcome, occurred and, optionally, source.

    All of it is kept or nothing; the same file again changes nothing. evaluation_id is `id` of the export.
    """
    from cds_service.records import database, outcome_file, outcomes  # noqa: PLC0415
    from models_onnx import registry  # noqa: PLC0415

    change = outcomes.OutcomeChange(done_by=done_by, reason=reason, at=datetime.now(UTC), correct=correct)
    known = {card.outcome for card in registry.cards(registry.PACKAGE)}
    engine = database.connect(database_url, durable=True, connections=1)
    content = file.read(outcome_file.MOST_BYTES + 1)
    try:
        lines = outcome_file.outcome_lines(content, tenant_id=tenant_id, known=known, source=source)
        kept = outcomes.keep(engine, content, lines, tenant_id=tenant_id, change=change)
    except outcome_file.OutcomeFileError as error:
        raise click.ClickException(_told(error)) from error
    except database.DatabaseError as error:
        raise click.ClickException(f"{database.safe(database_url)}: {error}") from error
    finally:
        engine.dispose()
    click.echo(f"{len(lines)} lines: {kept.new} new, {kept.unchanged} unchanged, {kept.corrected} corrected")


def _told(error: Any) -> str:
    more = len(error.faults) - _FAULTS_TOLD
    told = [str(fault) for fault in error.faults[:_FAULTS_TOLD]] + ([f"and {more} more"] if more > 0 else [])
    return "nothing was kept\n" + "\n".join(told)


@record.command("floors")
@click.argument("tenant_id")
@click.option("--tenants", "folder", envvar="CDS_TENANTS", type=click.Path(path_type=Path), required=True)
@click.option("--since", type=click.DateTime(), default="1970-01-01", help="From this day on, UTC.")
@_DATABASE
def floors(tenant_id: str, *, folder: Path, since: datetime, database_url: str) -> None:
    """Find the card floors that keep a tenant's card_budget, in its own record: best after the silent phase.

    Changes nothing. Warnings, and findings that open a card by themselves, come on top.
    """
    from cds_service import tenant_advice  # noqa: PLC0415
    from cds_service.records import card_floors, database  # noqa: PLC0415
    from cds_service.tenants.tenant_files import TenantError, load  # noqa: PLC0415

    try:
        tenant = next((one for one in load(folder) if one.id == tenant_id), None)
    except TenantError as error:
        raise click.ClickException(str(error)) from error
    if tenant is None or tenant.card_budget is None:
        raise click.ClickException(f"{tenant_id}: no tenant of {folder} is called so and has a card_budget")
    engine = database.connect(database_url, durable=True, connections=1)
    operations = card_floors.assessed_operations(engine, tenant_id, since=since.replace(tzinfo=UTC))
    engine.dispose()
    if len(operations) < card_floors.FEWEST:
        raise click.ClickException(f"{len(operations)} operations on record; {card_floors.FEWEST} are needed")
    in_force = tenant_advice.floors(tenant)
    click.echo(f"{len(operations)} operations; now {100 * card_floors.share(operations, in_force):.1f} % have a card")
    found = card_floors.within(operations, tenant.card_budget)
    if found is None:
        raise click.ClickException(f"no floors keep {100 * tenant.card_budget:g} %")
    click.echo(f"{100 * card_floors.share(operations, found):.1f} % with: card_floors: {{{_pairs(found)}}}")


def _pairs(floors: dict[str, float]) -> str:
    return ", ".join(f"{outcome}: {floor:g}" for outcome, floor in floors.items())


@record.command("purge")
@click.option("--tenants", "folder", envvar="CDS_TENANTS", type=click.Path(path_type=Path), required=True)
@_DATABASE
def purge(*, folder: Path, database_url: str) -> None:
    """Delete and redact what is older than each tenant's retention; to be run daily.

    Of a tenant whose file is gone, what is older than the defaults.
    """
    from cds_service.records import database, retention  # noqa: PLC0415
    from cds_service.records.used_tokens import UsedTokens  # noqa: PLC0415
    from cds_service.tenants.tenant import Retention  # noqa: PLC0415
    from cds_service.tenants.tenant_files import TenantError, load  # noqa: PLC0415

    now = datetime.now(UTC)
    engine = database.connect(database_url, durable=True, connections=1)
    try:
        days = {tenant.id: tenant.retention for tenant in load(folder)}
        for tenant_id in sorted({*days, *retention.tenants_kept(engine)}):
            kept, has_file = days.get(tenant_id, Retention()), tenant_id in days
            purged = retention.purge(
                engine, tenant_id, evaluation_days=kept.evaluation_days, comment_days=kept.comment_days, now=now
            )
            click.echo(f"{tenant_id}{'' if has_file else ' (has no file: defaults)'}: {purged}")
        click.echo(f"{UsedTokens(engine).forget_expired(now.timestamp())} used token ids forgotten")
    except (TenantError, database.DatabaseError) as error:
        raise click.ClickException(str(error)) from error
    finally:
        engine.dispose()

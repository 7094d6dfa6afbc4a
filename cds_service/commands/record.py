"""`cds-service record`: migrate, export and purge what is kept."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import click
import msgspec

from cds_service.commands import case_removal, kept_record, learning, output, proof, tenant_zone

_FAULTS_TOLD = 50


@click.group("record", cls=output.Group)
def record() -> None:
    """The record: bring its schema up to date, export it, purge what is older than each tenant says."""


record.add_command(learning.operations)
record.add_command(learning.seismometer)
record.add_command(case_removal.remove_case)


@record.command("migrate")
@click.option("--to", "earlier", metavar="REVISION", default=None, help="Go back to this earlier revision.")
@kept_record.option
def migrate(earlier: str | None, *, database_url: str) -> None:
    """Bring the database to the schema of this version; what is kept stays.

    `--to` goes back, before an older version is started that cannot use the database as it is; what only the newer
    version keeps is deleted. Only the version that went further can go back.
    """
    from cds_service.records import database  # noqa: PLC0415
    from cds_service.records import migrate as migration  # noqa: PLC0415

    told = database.safe(database_url)
    try:
        if earlier is None:
            migration.upgrade(database_url)
        else:
            migration.downgrade(database_url, earlier)
    except database.DatabaseError as error:
        raise click.ClickException(str(error)) from error
    engine = database.connect(database_url, durable=True, connections=1)
    revision = database.revision(engine)
    engine.dispose()
    newer = ", made by a newer version, which this one may use as it is" if migration.is_newer(revision) else ""
    output.say(f"{told} is at revision {revision}{newer}", database=told, revision=revision)


@record.command("export", plain_only=True)
@click.argument("tenant_id")
@click.option("--form", type=click.Choice(["csv", "audit-event", "scores"]), default="csv", show_default=True)
@click.option("--since", type=click.DateTime(), default="1970-01-01", help="From this day on, UTC.")
@tenant_zone.option
@kept_record.option
def export(tenant_id: str, *, form: str, since: datetime, folder: Path | None, database_url: str) -> None:
    """Write one tenant's evaluations and feedback to standard output. Holds patients' ids: treat it as such.

    `scores`: a row for each version of each model, champions beside challengers, with what happened; no ids.
    """
    from cds_service.records import database, scores  # noqa: PLC0415
    from cds_service.records import export as exporting  # noqa: PLC0415

    start = since.replace(tzinfo=UTC)
    with kept_record.opened(database_url, connections=2) as engine:
        proof.refuse_unrecorded(engine, tenant_id)
        if form == "scores":
            zone = tenant_zone.zones(folder).get(tenant_id)
            rows = scores.to_csv(engine, tenant_id, sys.stdout, since=start, zone=zone)
        elif form == "csv":
            rows = exporting.to_csv(engine, tenant_id, sys.stdout, since=start)
        else:
            rows = exporting.ndjson(_audit_events(engine, tenant_id, start), sys.stdout)
    click.echo(f"{rows} rows of {database.safe(database_url)}", err=True)


def _audit_events(engine: Any, tenant_id: str, since: datetime) -> Iterator[Any]:
    from cds_service.records import export as exporting  # noqa: PLC0415
    from fhir_mappings.writing.audit_event import Evaluated, audit_event  # noqa: PLC0415

    for row in exporting.evaluations(engine, tenant_id, since=since):
        yield audit_event(
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


@record.command("import-outcomes")
@click.argument("tenant_id")
@click.argument("file", type=click.File("rb"))
@click.option("--source", required=True, help="Where the file comes from; kept with each outcome.")
@click.option("--correct", is_flag=True, help="Let the file replace outcomes that are recorded otherwise.")
@click.option("--by", "done_by", required=True, help="Who imports it.")
@click.option("--reason", required=True, help="Why; kept with the event.")
@kept_record.option
@proof.force
def import_outcomes(
    tenant_id: str,
    file: BinaryIO,
    *,
    source: str,
    correct: bool,
    done_by: str,
    reason: str,
    database_url: str,
    force: bool,
) -> None:
    """Join what happened to the evaluations: a CSV of evaluation_id, outcome and occurred.

    Optional columns: source, and the days occurred_on, observed_through and operated_on; without them what is said is
    undated. All of it is kept or nothing; the same file again changes nothing. evaluation_id is `id` of the export.
    """
    from cds_service.records import outcome_file, outcomes  # noqa: PLC0415
    from fhir_mappings.outcomes.outcome_definitions import SITE_OUTCOMES  # noqa: PLC0415
    from models_onnx import registry  # noqa: PLC0415
    from models_onnx.site_outcomes import site_outcomes  # noqa: PLC0415

    change = outcomes.OutcomeChange(done_by=done_by, reason=reason, at=datetime.now(UTC), correct=correct)
    known = {*site_outcomes(), *SITE_OUTCOMES, *(card.outcome for card in registry.cards(registry.PACKAGE))}
    content = file.read(outcome_file.MOST_BYTES + 1)
    try:
        with proof.opened(database_url, forced=force, of_any_version=False) as (engine, using):
            proof.refuse_unknown(tenant_id, using, filed=(), forced=force)
            lines = outcome_file.outcome_lines(
                content, tenant_id=tenant_id, known=known, source=source, today=change.at.date() + timedelta(days=1)
            )
            kept = outcomes.keep(engine, content, lines, tenant_id=tenant_id, change=change)
    except outcome_file.OutcomeFileError as error:
        raise click.ClickException(_told(file.name, error)) from error
    counts = msgspec.structs.asdict(kept)
    output.say(f"{len(lines)} lines: {', '.join(f'{count} {name}' for name, count in counts.items())}", **counts)
    undated = sum(line.row.observed_through is None and not line.withdrawn for line in lines)
    if undated:
        output.say(
            f"{undated} of them say nothing of observed_through: how long those patients were followed is unknown"
        )


def _told(file: str, error: Any) -> str:
    more = len(error.faults) - _FAULTS_TOLD
    told = [str(fault) for fault in error.faults[:_FAULTS_TOLD]] + ([f"and {more} more"] if more > 0 else [])
    return f"{file}: nothing was kept\n" + "\n".join(told)


@record.command("floors")
@click.argument("tenant_id")
@click.option("--tenants", "folder", envvar="CDS_TENANTS", type=click.Path(path_type=Path), required=True)
@click.option("--since", type=click.DateTime(), default="1970-01-01", help="From this day on, UTC.")
@kept_record.option
def floors(tenant_id: str, *, folder: Path, since: datetime, database_url: str) -> None:
    """Find the card floors that keep a tenant's card_budget, in its own record: best after the silent phase.

    Changes nothing. Warnings, and findings that open a card by themselves, come on top.
    """
    from cds_service import tenant_advice  # noqa: PLC0415
    from cds_service.records import card_floors, database  # noqa: PLC0415
    from cds_service.tenants.tenant_files import load  # noqa: PLC0415

    tenant = next((one for one in load(folder) if one.id == tenant_id), None)
    if tenant is None or tenant.card_budget is None:
        raise click.ClickException(f"{tenant_id}: no tenant of {folder} is called so and has a card_budget")
    output.say(f"database: {database.safe(database_url)}", database=database.safe(database_url))
    with kept_record.opened(database_url) as engine:
        operations = card_floors.assessed_operations(
            engine, tenant_id, since=since.replace(tzinfo=UTC), zone=ZoneInfo(tenant.zone)
        )
    if len(operations) < card_floors.FEWEST:
        raise click.ClickException(f"{len(operations)} operations on record; {card_floors.FEWEST} are needed")
    in_force = tenant_advice.floors(tenant)
    now = card_floors.share(operations, in_force)
    line = f"{len(operations)} operations; now {100 * now:.1f} % have a card"
    output.say(line, operations=len(operations), share_now=now)
    found = card_floors.within(operations, tenant.card_budget)
    if found is None:
        raise click.ClickException(f"no floors keep {100 * tenant.card_budget:g} %")
    then = card_floors.share(operations, found)
    output.say(f"{100 * then:.1f} % with: card_floors: {{{_pairs(found)}}}", share=then, card_floors=found)


def _pairs(floors: dict[str, float]) -> str:
    return ", ".join(f"{outcome}: {floor:g}" for outcome, floor in floors.items())


@record.command("purge")
@click.option("--tenants", "folder", envvar="CDS_TENANTS", type=click.Path(path_type=Path), required=True)
@kept_record.option
def purge(*, folder: Path, database_url: str) -> None:
    """Delete and redact what is older than each tenant's retention; to be run daily.

    Of a tenant whose file is gone, what is older than the defaults.
    """
    from cds_service.records import database, retention  # noqa: PLC0415
    from cds_service.records.used_tokens import UsedTokens  # noqa: PLC0415
    from cds_service.tenants.tenant import During, Retention  # noqa: PLC0415
    from cds_service.tenants.tenant_files import load  # noqa: PLC0415

    now = datetime.now(UTC)
    tenants = load(folder)
    days = {tenant.id: tenant.retention for tenant in tenants}
    case_days = {tenant.id: tenant.during.keep_days for tenant in tenants}
    longest = max(kept.evaluation_days for kept in (*days.values(), Retention()))
    output.say(f"database: {database.safe(database_url)}", database=database.safe(database_url))
    with kept_record.opened(database_url) as engine:
        _months(engine, now, timedelta(days=longest))
        for tenant_id in sorted({*days, *retention.tenants_kept(engine)}):
            kept, has_file = days.get(tenant_id, Retention()), tenant_id in days
            purged = retention.purge(
                engine,
                tenant_id,
                evaluation_days=kept.evaluation_days,
                comment_days=kept.comment_days,
                case_days=case_days.get(tenant_id, During().keep_days),
                now=now,
            )
            line = f"{tenant_id}{'' if has_file else ' (has no file: defaults)'}: {purged}"
            output.row("tenants", line, {"tenant": tenant_id, "has_file": has_file, "purged": str(purged)})
        forgotten = UsedTokens(engine).forget_expired(now.timestamp())
        output.say(f"{forgotten} used token ids forgotten", used_token_ids_forgotten=forgotten)


def _months(engine: Any, now: datetime, longest: timedelta) -> None:
    """Before the rows: what goes with its month need not be looked for."""
    from cds_service.records import months  # noqa: PLC0415

    removed, made = months.remove(engine, now - longest, now), months.prepare(engine, now)
    if removed or made:
        line = f"{len(removed)} months of evaluations removed, {made} made ahead"
        output.say(line, months_removed=removed, months_made=made)

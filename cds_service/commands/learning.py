"""`cds-service record operations|seismometer`: a tenant's joined operations, to learn from and to look at offline."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click
import msgspec

from cds_service.commands import kept_record, output, proof, tenant_zone
from cds_service.trust import private_files

if TYPE_CHECKING:
    from cds_service.tenants.tenant import Tenant


@click.command("operations", cls=output.Command)
@click.argument("tenant_id")
@click.option("--outcome", required=True, help="What came of the operations, by its name in the file of outcomes.")
@click.option("--tenants", "folder", envvar="CDS_TENANTS", type=click.Path(path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
@click.option("--since", type=click.DateTime(), default="1970-01-01", help="Calls from this day on, UTC.")
@click.option("--until", type=click.DateTime(), default="9999-12-31", help="Calls before this day, UTC.")
@click.option(
    "--lag-days", type=click.IntRange(0, 365), default=90, show_default=True, help="Days until an outcome is reported."
)
@click.option(
    "--refused",
    type=click.File("r", encoding="utf-8-sig"),
    help="Ids of patients of whom nothing may be learned, one a line.",
)
@click.option("--allow-unmatched", is_flag=True, help="Go on where an id of --refused is no patient's on record.")
@kept_record.option
def operations(  # noqa: PLR0913 — a command's options are its interface
    tenant_id: str,
    *,
    outcome: str,
    folder: Path,
    out: Path,
    since: datetime,
    until: datetime,
    lag_days: int,
    refused: TextIO | None,
    allow_unmatched: bool,
    database_url: str,
) -> None:
    """Write a row per operation of TENANT_ID: its inputs when it was ordered, and what came of it.

    Only where the tenant's file permits it (learning: permitted, agreement), and only operations whose outcome is known
    whole; the others are counted. Of a patient there is a number and no id. Where the tenant reads operations while and
    after they are done, what was recorded of each that has ended stands in columns of its own (`during.`).
    """
    from cds_service.during import joined_cases  # noqa: PLC0415
    from cds_service.records import learning_cases  # noqa: PLC0415
    from cds_service.records.database import DatabaseError  # noqa: PLC0415
    from fhir_mappings.features.features import FEATURES  # noqa: PLC0415
    from models_onnx import registry  # noqa: PLC0415
    from models_onnx.learning_columns import CASE_COLUMNS, INPUT  # noqa: PLC0415

    kept_record.refuse_absent(database_url)
    tenant, now = _permitting(tenant_id, folder), datetime.now(UTC)
    agreement = tenant.learning.agreement
    asked = learning_cases.CasesAsked(
        outcome=outcome,
        horizon_days=_horizon(outcome),
        as_of=now.date(),
        lag_days=lag_days,
        since=since.replace(tzinfo=UTC),
        until=until.replace(tzinfo=UTC),
        inputs=tuple(FEATURES),
        refused=_ids(refused or ()),
        zone=tenant_zone.zone_of(tenant_id, folder),
    )
    with kept_record.opened(database_url) as engine:
        proof.refuse_unrecorded(engine, tenant_id)
        try:
            courses = joined_cases.joined_cases(engine, tenant, registry.load, now)
        except DatabaseError as error:
            raise click.ClickException(f"{error}; migrate the record first") from error
        asked = msgspec.structs.replace(asked, courses=courses)
        found = learning_cases.learning_cases(engine, tenant_id, asked)
        unmatched = learning_cases.of_no_patient(engine, tenant_id, asked.refused)
    if refused is not None:
        _tell_refused(len(asked.refused), len(unmatched), allow_unmatched=allow_unmatched)
    with private_files.text(out) as file:
        of_cases = CASE_COLUMNS if asked.courses is not None else ()
        writer = csv.DictWriter(file, [*learning_cases.COLUMNS, *of_cases, *(INPUT + name for name in FEATURES)])
        writer.writeheader()
        writer.writerows(found.rows)
    events = sum(row["occurred"] for row in found.rows)
    line = f"{out}: {len(found.rows)} operations with {events} events, under {agreement}"
    output.say(line, operations=len(found.rows), events=events, agreement=agreement, left_out=found.left_out)
    for why, count in found.left_out.items():
        output.say(f"{count} operations are left out: {why}")


@click.command("seismometer", cls=output.Command)
@click.argument("tenant_id")
@click.option("--outcome", required=True, help="What came of the operations, by its name in the file of outcomes.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder to write; not there yet.")
@click.option("--since", type=click.DateTime(), default="1970-01-01", help="Calls from this day on, UTC.")
@click.option("--until", type=click.DateTime(), default="9999-12-31", help="Calls before this day, UTC.")
@click.option(
    "--lag-days", type=click.IntRange(0, 365), default=90, show_default=True, help="Days until an outcome is reported."
)
@kept_record.option
def seismometer(
    tenant_id: str, *, outcome: str, out: Path, since: datetime, until: datetime, lag_days: int, database_url: str
) -> None:
    """Write a folder that Epic's Seismometer 0.5 opens: predictions, events and cohorts of TENANT_ID's operations.

    Only operations whose outcome is known whole: it takes one without an event for one without the outcome.
    """
    from cds_service.records import learning_cases  # noqa: PLC0415
    from cds_service.records import seismometer as folder  # noqa: PLC0415

    if out.exists():
        raise click.ClickException(f"{out}: it is there already")
    horizon = _horizon(outcome)
    asked = learning_cases.CasesAsked(
        outcome=outcome,
        horizon_days=horizon,
        as_of=datetime.now(UTC).date(),
        lag_days=lag_days,
        since=since.replace(tzinfo=UTC),
        until=until.replace(tzinfo=UTC),
        inputs=(),
    )
    with kept_record.opened(database_url) as engine:
        proof.refuse_unrecorded(engine, tenant_id)
        found = learning_cases.learning_cases(engine, tenant_id, asked)
    written = folder.write(out, found.rows, outcome=outcome, horizon_days=horizon)
    output.say(f"{out}: {written.operations} operations", operations=written.operations, left_out=found.left_out)
    if written.without_figure:
        output.say(f"{written.without_figure} operations are left out: no model in force had a figure")
    for why, count in found.left_out.items():
        output.say(f"{count} operations are left out: {why}")


def _ids(lines: Iterable[str]) -> frozenset[str]:
    """One a line, also as a reference to the patient."""
    return frozenset(one for line in lines if (one := line.strip().removeprefix("Patient/")))


def _tell_refused(given: int, unmatched: int, *, allow_unmatched: bool) -> None:
    """A refusal that matches nobody may be an id of another system: then the patient would be learned from."""
    matched = given - unmatched
    output.say(f"refused: {given} ids given, {matched} matched", refused={"given": given, "matched": matched})
    if unmatched and not allow_unmatched:
        raise click.ClickException(
            f"{unmatched} ids of --refused match no patient on record, and nothing was written: correct them, or name"
            " --allow-unmatched"
        )


def _permitting(tenant_id: str, folder: Path) -> Tenant:
    """The tenant, where its file permits that anything is learned."""
    from cds_service.tenants.tenant_files import load  # noqa: PLC0415

    tenant = next((one for one in load(folder) if one.id == tenant_id), None)
    if tenant is None:
        raise click.ClickException(f"{tenant_id}: no tenant of {folder} is called so")
    if not tenant.learning.permitted:
        raise click.ClickException(
            f"{tenant_id}: its file permits no learning from its operations (learning: permitted, agreement)"
        )
    return tenant


def _horizon(outcome: str) -> int | None:
    """For how many days an operation is followed; None: until discharge."""
    from models_onnx.outcome_horizons import outcome_horizons  # noqa: PLC0415

    known = outcome_horizons()
    if outcome not in known:
        raise click.ClickException(f"{outcome}: no such outcome; there are {', '.join(sorted(known))}")
    return known[outcome]

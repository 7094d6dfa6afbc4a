"""`cds-service record remove-case`: one case of an operation out of the record, by name and with a reason."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from cds_service.commands import kept_record, output, proof


@click.command("remove-case", cls=output.Command)
@click.argument("tenant_id")
@click.argument("case_id")
@click.option("--by", "done_by", required=True, help="Who removes it.")
@click.option("--reason", required=True, help="Why; kept with the event.")
@kept_record.option
@proof.force
def remove_case(tenant_id: str, case_id: str, *, done_by: str, reason: str, database_url: str, force: bool) -> None:
    """Delete CASE_ID of TENANT_ID (the end of its page's address) with all that was recorded of it.

    The event of the record says who, why and how much stood there. What is sent again makes a new case: stop the
    sender first. Further cases of the same patient stay, and are told.
    """
    from cds_service.records import case_removal  # noqa: PLC0415
    from cds_service.records.database import DatabaseError  # noqa: PLC0415
    from cds_service.records.rows import AdministrationEvent  # noqa: PLC0415

    event = AdministrationEvent(
        happened_at=datetime.now(UTC),
        action=case_removal.ACTION,
        tenant_id=tenant_id,
        scope=f"tenant={tenant_id} case={case_id}",
        value="",
        done_by=done_by,
        reason=reason,
    )
    with proof.opened(database_url, forced=force, of_any_version=False) as (engine, using):
        proof.refuse_unknown(tenant_id, using, filed=(), forced=force)
        try:
            removed = case_removal.remove_case(engine, tenant_id, case_id, event)
        except DatabaseError as error:
            raise click.ClickException(str(error)) from error
    if removed is None:
        raise click.ClickException(f"{tenant_id} has no case {case_id!r}; nothing was removed")
    left = f"; cases of the same patient that are left: {removed.others}" if removed.others else ""
    output.say(f"removed: {removed.entries} entries of {removed.arrivals} senders{left}", entries=removed.entries,
               senders=removed.arrivals, others=removed.others)  # fmt: skip

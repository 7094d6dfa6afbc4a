"""`cds-service mode` and `cds-service kill`: what a person switches without a restart, in force within 60 s."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args

import click
import msgspec

from cds_service.commands import go_live_check, kept_record, output, proof
from cds_service.tenants.tenant import Hook, Mode, Tenant

_GROUP = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
F = TypeVar("F", bound=Callable[..., None])
_WHO = (
    click.option("--by", "done_by", required=True, help="Who switches."),
    click.option("--reason", required=True, help="Why; kept with the event."),
    proof.wait,
    proof.force,
)
_WHERE = (
    kept_record.option,
    click.option("--tenants", "folder", envvar="CDS_TENANTS", type=click.Path(path_type=Path)),
)


def _with(*options: Any) -> Callable[[F], F]:
    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@click.group("mode", cls=output.Group)
def mode() -> None:
    """Show, set and clear the mode of a tenant, hook or procedure group."""


@mode.command("show")
@_with(*_WHERE)
def show(database_url: str, folder: Path | None) -> None:
    """What is switched now, and who switched what before."""
    from cds_service.records import switches  # noqa: PLC0415

    tenants = _tenants(folder)
    output.members(switches=[], events=[], files=[])
    with kept_record.opened(database_url) as engine:
        for switch in switches.every_switch(engine):
            output.row("switches", f"{switch.kind}: {switch.value} for {switch.scope}", msgspec.to_builtins(switch))
        for event in switches.history(engine):
            output.row("events", _line(event), msgspec.to_builtins(event))
    for tenant in tenants:
        line = f"file: {tenant.id} is {tenant.mode} where nothing else is switched"
        output.row("files", line, {"tenant": tenant.id, "mode": tenant.mode})


def _line(event: Any) -> str:
    approved = f", approved by {event.approved_by}" if event.approved_by else ""
    # Of a report the record keeps its evidence there, of a go-live what was accepted: each a page of JSON.
    kept = {"validation": "a report was made", "go-live": "report, models and limits as they were then"}
    reason = kept.get(event.action, event.reason)
    return (
        f"{event.happened_at:%Y-%m-%d %H:%M:%SZ}  {event.action} {event.value} for {event.scope}"
        f" by {event.done_by}{approved}: {reason}"
    )


def _group(_context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    """A procedure group as it is written everywhere: the words of a scope are told apart by their spaces."""
    if given is not None and not _GROUP.fullmatch(given):
        raise click.BadParameter("a procedure group is written in small letters, digits and hyphens, as spine-fusion")
    return given


@mode.command("set")
@click.argument("tenant_id")
@click.argument("value", type=click.Choice(get_args(Mode)))
@click.option("--hook", type=click.Choice(get_args(Hook)), default=None)
@click.option("--group", default=None, callback=_group, help="Procedure group, such as spine-fusion.")
@click.option("--approved-by", default=None, help="A second person; required for `on` in production (R-E06).")
@click.option("--models", "directory", envvar="CDS_MODELS", type=click.Path(path_type=Path), default=None)
@click.option("--site-models", "added", envvar="CDS_SITE_MODELS", type=click.Path(path_type=Path), default=None)
@click.option("--class-b", is_flag=True, envvar="CDS_CLASS_B", help="The service tells Class B models too.")
@_with(*_WHO, *_WHERE)
def set_mode(  # noqa: PLR0913 — a command's options are its interface
    tenant_id: str,
    value: str,
    *,
    hook: str | None,
    group: str | None,
    approved_by: str | None,
    directory: Path | None,
    added: Path | None,
    class_b: bool,
    done_by: str,
    reason: str,
    wait: bool,
    force: bool,
    database_url: str,
    folder: Path | None,
) -> None:
    """Set a mode; it holds in every worker within 60 seconds.

    `canary` and `on` are refused in production unless the report that the tenant's file signs stands in the record,
    passes its gates, and is of the models in force now (`cds-service validate`). The record keeps with what they were
    accepted: once any of it changes, the tenant is answered as silent until the mode is set again.
    """
    from cds_service.records.switches import Switch, SwitchScope  # noqa: PLC0415

    tenant = _tenant(tenant_id, folder)
    _refuse_unapproved(tenant, value, done_by, approved_by)
    scope = SwitchScope(tenant_id, hook or "", group or "")
    made = _Made(done_by, reason, wait, force, approved_by, _ids(folder, "demo"))
    _switch(
        database_url,
        Switch("mode", scope, value),
        made,
        first=lambda engine: _accepted(engine, tenant, value, go_live_check.Of(directory, added, class_b)),
    )


@mode.command("clear")
@click.argument("tenant_id")
@click.option("--hook", type=click.Choice(get_args(Hook)), default=None)
@click.option("--group", default=None)
@_with(*_WHO, *_WHERE)
def clear_mode(  # noqa: PLR0913 — a command's options are its interface
    tenant_id: str,
    *,
    hook: str | None,
    group: str | None,
    done_by: str,
    reason: str,
    wait: bool,
    force: bool,
    database_url: str,
    folder: Path | None,
) -> None:
    """Take a switched mode back: the tenant file holds again."""
    from cds_service.records.switches import SwitchScope  # noqa: PLC0415

    made = _Made(done_by, reason, wait, force, None, _ids(folder))
    _clear(database_url, "mode", SwitchScope(tenant_id, hook or "", group or ""), made)


@click.command("kill", cls=output.Command)
@click.option("--tenant", "tenant_id", default="", help="One tenant; without it, all of them.")
@click.option("--off", is_flag=True, help="Take the kill switch back.")
@_with(*_WHO, *_WHERE)
def kill(
    *,
    tenant_id: str,
    off: bool,
    done_by: str,
    reason: str,
    wait: bool,
    force: bool,
    database_url: str,
    folder: Path | None,
) -> None:
    """Stop all advice, for one tenant or for all, within 60 seconds and without a restart."""
    from cds_service.records.switches import Switch, SwitchScope  # noqa: PLC0415

    made = _Made(done_by, reason, wait, force, None, _ids(folder))
    if off:
        _clear(database_url, "kill", SwitchScope(tenant_id), made)
    else:
        _switch(database_url, Switch("kill", SwitchScope(tenant_id), "killed"), made)


def _tenants(folder: Path | None) -> tuple[Tenant, ...]:
    from cds_service.tenants.tenant_files import load  # noqa: PLC0415

    return load(folder) if folder else ()


def _tenant(tenant_id: str, folder: Path | None) -> Tenant | None:
    tenants = _tenants(folder)
    found = next((tenant for tenant in tenants if tenant.id == tenant_id), None)
    if found is None and tenant_id != "demo":
        raise click.ClickException(f"no tenant {tenant_id!r} among {folder or 'no folder: give --tenants'}")
    return found


def _accepted(engine: Any, tenant: Tenant | None, value: str, of: go_live_check.Of) -> bytes | None:
    """With what it is accepted; or everything that speaks against it, so that it need not be found out one by one."""
    if tenant is None or not tenant.is_production or value not in ("canary", "on"):
        return None
    why, accepted = go_live_check.of_now(engine, tenant, of)
    if why:
        told = "\n".join(f"  {one}" for one in why)
        raise click.ClickException(f"{value} is refused for {tenant.id}: no validation report stands behind it\n{told}")
    return accepted


def _refuse_unapproved(tenant: Tenant | None, value: str, done_by: str, approved_by: str | None) -> None:
    if tenant is None or not tenant.is_production or value not in ("canary", "on"):
        return
    if tenant.local_validation is None:
        raise click.ClickException(f"{value} needs local_validation in the file of {tenant.id} (DEC-30)")
    if value == "on" and (not approved_by or approved_by.strip().casefold() == done_by.strip().casefold()):
        raise click.ClickException("`on` needs a second person: --approved-by (R-E06)")


class _Made(NamedTuple):
    """Who makes a change and why, how it is proved, and which tenants have a file."""

    done_by: str
    reason: str
    wait: bool
    force: bool
    approved_by: str | None
    filed: tuple[str, ...]

    def event(self, action: str, scope: Any, value: str) -> Any:
        from cds_service.records.rows import AdministrationEvent  # noqa: PLC0415

        return AdministrationEvent(
            happened_at=datetime.now(UTC),
            action=action,
            tenant_id=scope.tenant_id,
            scope=str(scope),
            value=value,
            done_by=self.done_by,
            approved_by=self.approved_by,
            reason=self.reason,
        )


def _ids(folder: Path | None, *more: str) -> tuple[str, ...]:
    return (*(tenant.id for tenant in _tenants(folder)), *more)


def _switch(
    database_url: str, switch: Any, made: _Made, *, first: Callable[[Any], bytes | None] = lambda _engine: None
) -> None:
    """`first` may refuse it, with the record at hand, or say with what it is accepted."""
    from cds_service.records import switches  # noqa: PLC0415

    with proof.opened(database_url, forced=made.force) as (engine, using):
        proof.refuse_unknown(switch.scope.tenant_id, using, filed=made.filed, forced=made.force)
        accepted = first(engine)
        event = made.event(switch.kind, switch.scope, switch.value)
        switches.set_switch(engine, switch, event, accepted_as=accepted)
        _say(engine, f"{switch.kind}: {switch.value} for {switch.scope}", made)


def _clear(database_url: str, kind: Any, scope: Any, made: _Made) -> None:
    from cds_service.records import switches  # noqa: PLC0415

    with proof.opened(database_url, forced=made.force) as (engine, _):
        if not switches.clear_switch(engine, kind, scope, made.event(kind, scope, "cleared")):
            raise click.ClickException(f"no {kind} switch is set for {scope}")
        _say(engine, f"{kind}: cleared for {scope}", made)


def _say(engine: Any, what: str, made: _Made) -> None:
    if made.wait:
        output.say(f"{what}; waiting for every worker", done=what)
        proof.follow(engine)
    else:
        line = f"{what}; in force in every worker within 60 seconds (--wait: until each has it)"
        output.say(line, done=what)

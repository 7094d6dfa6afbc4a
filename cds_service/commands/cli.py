"""The command line `cds-service`; each group of commands beside `serve`, `demo`, `call` and `check` has its file."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click
import msgspec

from cds_service.commands import added_models, faults, output
from cds_service.commands.client_token import token
from cds_service.commands.codes import codes
from cds_service.commands.demo_hospital import demo_hospital
from cds_service.commands.mapping import mapping_report_command
from cds_service.commands.models import models
from cds_service.commands.monitor import monitor
from cds_service.commands.outcomes import outcomes
from cds_service.commands.recalibrate import recalibrate
from cds_service.commands.record import record
from cds_service.commands.replay import replay
from cds_service.commands.switches import kill, mode
from cds_service.commands.tenants import tenants
from cds_service.commands.validate import validate
from cds_service.web.settings import Settings, address

if TYPE_CHECKING:
    from cds_service.answering.tenants_in_force import TenantsInForce

# As in cds_service.ehr.caller, which a start of the service should not wait for.
_HOOKS = ("order-select", "order-sign", "appointment-book", "patient-view")
_given: list[Callable[[], Any]] = []  # of the process that `_apart` makes
_MOST_LOGGED = 100  # tenants
P = ParamSpec("P")
T = TypeVar("T")


@click.group(cls=output.Group)
@click.version_option(package_name="surgical-risk")
def main() -> None:
    """surgical-risk: a CDS Hooks service that answers a surgical order with its risk for this patient."""


main.add_command(mode)
main.add_command(kill)
main.add_command(record)
main.add_command(models)
for command in added_models.COMMANDS:
    models.add_command(command)
main.add_command(recalibrate)
main.add_command(outcomes)
main.add_command(replay)
main.add_command(mapping_report_command)
main.add_command(codes)
main.add_command(token)
main.add_command(tenants)
main.add_command(monitor)
main.add_command(demo_hospital)
main.add_command(validate)


@main.command(plain_only=True)
@click.option("--tenants", type=click.Path(path_type=Path), help="Folder of tenant files, one YAML per EHR.")
@click.option("--bind", default=None, metavar="HOST:PORT", help="Where to listen (default 127.0.0.1:8000).")
@click.option("--workers", type=int, default=None, help="Processes (default 2).")
@click.option("--demo", "is_demo", is_flag=True, help="Demo mode: invented patients, no JWT, loopback only.")
def serve(tenants: Path | None, bind: str | None, workers: int | None, is_demo: bool) -> None:
    """Start the service and stay until stopped."""
    settings = _settings(tenants=tenants, bind=bind, workers=workers, demo=is_demo or None)
    _share(settings)
    from cds_service.web import preloading  # noqa: PLC0415 — no other command waits for it, nor for gunicorn

    preloaded = preloading.load(settings)
    _ready_or_exit(settings, preloaded)
    from cds_service.web.server import Server  # noqa: PLC0415

    Server(settings, tenants=preloaded).run()


def _address(_context: click.Context, _option: click.Parameter, given: str) -> str:
    try:
        return address(given)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@main.command(plain_only=True)
@click.option("--bind", default="127.0.0.1:8000", metavar="HOST:PORT", show_default=True, callback=_address)
def demo(bind: str) -> None:
    """Start with invented patients, fire a real order, print the card, stay until Ctrl-C."""
    from cds_service.demo import show  # noqa: PLC0415

    sys.exit(show.run(bind))


@main.command()
@click.argument("patient")
@click.argument("procedure_code")
@click.option("--service", default="http://127.0.0.1:8000", show_default=True, help="Base URL of the service.")
@click.option("--fhir", default=None, help="Base URL of the FHIR server (default: the service's demo store).")
@click.option("--system", default=None, help="Code system of the code (default: by its shape, or an open order's).")
@click.option("--hook", type=click.Choice(_HOOKS), default="order-select", show_default=True)
@click.option("--no-prefetch", is_flag=True, help="Send none: the service fetches everything itself.")
def call(
    patient: str,
    procedure_code: str,
    *,
    service: str,
    fhir: str | None,
    system: str | None,
    hook: str,
    no_prefetch: bool,
) -> None:
    """Fire an order of PROCEDURE_CODE for PATIENT as an EHR would, and print the card; with --json the whole response.

    Tokens come from the environment, so that no shell history keeps them: FHIR_TOKEN for the FHIR server,
    CDS_CLIENT_JWT for the service.
    """
    from cds_service.ehr import caller, terminal  # noqa: PLC0415

    ehr = caller.Ehr(
        service_url=service,
        fhir_url=fhir or f"{service.rstrip('/')}/demo/fhir",
        fhir_token=os.environ.get("FHIR_TOKEN"),
        client_jwt=os.environ.get("CDS_CLIENT_JWT"),
    )
    coding = (system or caller.code_system(ehr, patient, procedure_code), procedure_code)
    answer = caller.call(ehr, patient, coding, hook=hook, prefetch=not no_prefetch)
    output.whole(terminal.write(answer), answer)


@main.command()
@click.option("--tenants", type=click.Path(path_type=Path), help="Folder of tenant files, one YAML per EHR.")
@click.option("--walk", "is_walk", is_flag=True, help="Also ask every server that a tenant's file names.")
@click.option("--patient", default=None, metavar="ID", help="With --walk: whose data are searched (default: nobody's).")
def check(tenants: Path | None, *, is_walk: bool, patient: str | None) -> None:
    """Verify settings, tenant files, mappings, value sets and models, and say what is wrong.

    Where no tenants are named, what comes with the package is verified, as the demo serves it. With --walk each FHIR
    server is asked for its CapabilityStatement, its SMART discovery and one search per prefetch key (the bearer token
    is read from FHIR_TOKEN), and each client's JWKS URL for its keys. Nothing that it says of a patient is told.
    """
    from cds_service.commands import checks, walk  # noqa: PLC0415

    asked = partial(walk.of_tenant, patient=patient or walk.NOBODY) if is_walk else None
    results = checks.run(_settings(tenants=tenants), else_demo=True, walk=asked)
    right = all(result.ok for result in results)
    output.members(ok=right)
    for result in results:
        lines = [output.marked("ok" if result.ok else "FAIL", f"{result.what}: {result.told}")] if result.told else []
        lines += [output.marked("WARN", f"{result.what}: {warning}") for warning in result.warnings]
        output.row("checks", "\n".join(lines), msgspec.to_builtins(result))
    if not right:
        click.get_current_context().exit(1)


def _share(settings: Settings) -> None:
    """What all workers of this start have in common: counters, the record's schema, logs."""
    from cds_service.operations import logs, state  # noqa: PLC0415

    if (named := settings.state_directory) and not (named.is_dir() and os.access(named, os.W_OK)):
        raise click.ClickException(f"CDS_STATE_DIRECTORY: {named} is no folder that can be written")
    from cds_service.web import listening  # noqa: PLC0415

    for variable, bind in (("CDS_BIND", settings.bind), ("CDS_HEALTH_BIND", settings.health_bind)):
        if bind and (why := listening.why_not(bind)):
            raise click.ClickException(f"{variable}: {why}")
    folder = named or state.folder(settings.database_url, settings.bind)
    try:
        state.hold(folder)
    except state.InUseError as error:
        raise click.ClickException(f"CDS_STATE_DIRECTORY: {error}") from error
    state.sweep()
    state.share_metrics(folder)
    state.forget_answers(folder)
    logs.configure()
    logs.catch_the_rest()
    from cds_service.records import database  # noqa: PLC0415

    try:
        if settings.migrate_at_start:
            _apart(_migrate, settings.database_url)
    except database.DatabaseError as error:
        raise click.ClickException(f"DATABASE_URL: {error}") from error


def _migrate(url: str) -> None:
    from cds_service.records import migrate  # noqa: PLC0415 — Alembic is needed once, and by no worker

    migrate.upgrade(url)


def _apart(do: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """What `do` returns, from a process that ends with it: what it loads and opens, no worker is born with."""
    # What a fork is born with need not be sent to it: thousands of tenants cannot be.
    born_with, fork = partial(do, *given, **named), multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, mp_context=fork, initializer=_given.append, initargs=(born_with,)) as process:
        result: T = process.submit(_do_given).result()
        return result


def _do_given() -> Any:
    return _given[-1]()


def _settings(**given: object) -> Settings:
    """Settings from the environment, and over them what the command line says."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValueError as error:
        raise click.ClickException(f"settings: {faults.of_settings(error)}") from error


def _ready_or_exit(settings: Settings, tenants: TenantsInForce | None = None) -> None:
    """Say what is wrong before gunicorn starts workers that would each fail with a traceback.

    Apart: models that the arbiter had opened would abort every worker when it ends.
    """
    from cds_service.commands import checks  # noqa: PLC0415
    from cds_service.operations import logs  # noqa: PLC0415

    results = _apart(checks.run, settings, opened=tenants.sites if tenants else None)
    if failed := [result for result in results if not result.ok]:
        raise click.ClickException("\n".join(f"{result.what}: {result.told}" for result in failed))
    of_orders = [result for result in results if result.what == "order codes"]
    if len(of_orders) > _MOST_LOGGED:
        gaps = sum(bool(result.warnings) for result in of_orders)
        told = f"order codes of {len(of_orders)} tenants, {gaps} with gaps: `cds-service check` tells them"
        logs.note("order-codes", told=logs.OwnWords(told))
        results = tuple(result for result in results if result.what != "order codes")
    for result in results:
        if result.what == "order codes":
            logs.note("order-codes", told=logs.OwnWords(f"{result.what}: {result.told}"))
        for warning in result.warnings:
            logs.warn("order-codes", told=logs.OwnWords(warning))


if __name__ == "__main__":
    main()

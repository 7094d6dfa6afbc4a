"""`cds-service recalibrate`: intercept and slope for one hospital, fitted by one person, approved by another."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from cds_service.commands import go_live_check, kept_record, output, proof, tenant_zone

if TYPE_CHECKING:
    from cds_service.records.calibration_cases import Operation
    from cds_service.records.recalibrations import Kept
    from cds_service.records.rows import AdministrationEvent
    from models_onnx.recalibration import Recalibration
    from models_onnx.recalibration_fit import RecalibrationFit
    from models_onnx.registry import Registry

F = TypeVar("F", bound=Callable[..., None])
_WHO = (
    click.option("--by", "done_by", required=True, help="Who does it."),
    click.option("--reason", required=True, help="Why; kept with the event."),
    kept_record.option,
    proof.force,
)

_STANDINGS = {
    "undated": "are counted as their file said, without days: whether they were followed long enough is unknown",
    "not-mature": "are left out: too young for their outcome to be known",
    "lost": "are left out: not followed through the horizon",
    "contradicted": "are left out: what is recorded of their outcome contradicts itself",
}


def _with_who(command: F) -> F:
    for option in reversed(_WHO):
        command = option(command)
    return command


@click.group("recalibrate", cls=output.Group)
def recalibrate() -> None:
    """Recalibrate a model for one hospital from its own cases; in force only once a second person approved."""


@recalibrate.command("fit")
@click.argument("tenant_id")
@click.argument("model")
@click.option("--version", default=None, help="Version of the model (default: the one that is told).")
@click.option("--since", type=click.DateTime(), default="1970-01-01", help="Operations from this day on, UTC.")
@click.option("--until", type=click.DateTime(), default="9999-12-31", help="Operations before this day, UTC.")
@click.option(
    "--lag-days", type=click.IntRange(0, 365), default=90, show_default=True, help="Days until an outcome is reported."
)
@click.option("--models", "directory", envvar="CDS_MODELS", type=click.Path(path_type=Path), default=None)
@tenant_zone.option
@_with_who
def fit(  # noqa: PLR0913 — a command's options are its interface
    tenant_id: str,
    model: str,
    *,
    version: str | None,
    since: datetime,
    until: datetime,
    lag_days: int,
    directory: Path | None,
    folder: Path | None,
    done_by: str,
    reason: str,
    database_url: str,
    force: bool,
) -> None:
    """Fit intercept and slope of MODEL to the recorded evaluations of TENANT_ID whose outcome is known.

    At least 100 events and 100 operations without are needed. Operations too young to be known whole (horizon of the
    outcome and --lag-days), lost to follow-up or contradicted are left out and told. The result is a proposal.
    """
    from cds_service.records import calibration_cases, recalibrations  # noqa: PLC0415
    from models_onnx import recalibration_fit, registry  # noqa: PLC0415

    period = {"since": since.replace(tzinfo=UTC), "until": until.replace(tzinfo=UTC)}
    with _of_the_service(database_url, tenant_id, force) as engine:
        models = registry.load(directory or registry.PACKAGE, class_b=True)
        card = _card(models, model, version)
        found = calibration_cases.scored_operations(
            engine,
            tenant_id,
            sha256=card.sha256,
            outcome=card.outcome,
            zone=tenant_zone.zones(folder).get(tenant_id),
            **period,
        )
        operations = _that_count(found, card.horizon_days, lag_days)
        fitted = recalibration_fit.fit([_case(one, card.outcome, models) for one in operations])
        proposal = _proposal(fitted, card, operations)
        kept = recalibrations.propose(engine, tenant_id, proposal, _event(tenant_id, done_by, reason))
    output.say(_told(kept, fitted), recalibration=_member(kept))
    output.say(f"a second person puts it in force: cds-service recalibrate approve {tenant_id} {model} {kept.number}")


@recalibrate.command("approve")
@click.argument("tenant_id")
@click.argument("model")
@click.argument("number", type=int)
@_with_who
def approve(
    tenant_id: str, model: str, number: int, *, done_by: str, reason: str, database_url: str, force: bool
) -> None:
    """Put a proposal in force; the former one of the same version is retired with it."""
    from cds_service.records import recalibrations  # noqa: PLC0415

    with _of_the_service(database_url, tenant_id, force) as engine:
        kept = recalibrations.approve(engine, tenant_id, model, number, _event(tenant_id, done_by, reason))
        shown = go_live_check.is_switched_on(engine, tenant_id)
    output.say(f"{_line(kept)}; in every worker within 60 seconds", recalibration=_member(kept))
    _tell_outdated(tenant_id, shown=shown)


@recalibrate.command("retire")
@click.argument("tenant_id")
@click.argument("model")
@click.argument("number", type=int)
@_with_who
def retire(
    tenant_id: str, model: str, number: int, *, done_by: str, reason: str, database_url: str, force: bool
) -> None:
    """Take a recalibration out of force, or refuse a proposal: the model's own figure is told again."""
    from cds_service.records import recalibrations  # noqa: PLC0415

    with _of_the_service(database_url, tenant_id, force) as engine:
        recalibrations.retire(engine, tenant_id, model, number, _event(tenant_id, done_by, reason))
        shown = go_live_check.is_switched_on(engine, tenant_id)
    line = f"{tenant_id}: {model} number {number} is retired; in every worker within 60 seconds"
    output.say(line, tenant=tenant_id, model=model, number=number, state="retired")
    _tell_outdated(tenant_id, shown=shown)


def _tell_outdated(tenant_id: str, *, shown: bool) -> None:
    """What it does to cards that were accepted with other figures (docs/validation.md)."""
    if shown:
        output.say(
            f"cards are switched on for {tenant_id}: where this changes what was accepted with them, a production "
            "tenant is answered as silent until a new report is signed and `mode set` is said again"
        )


@recalibrate.command("list")
@click.argument("tenant_id", required=False)
@kept_record.option
def list_recalibrations(tenant_id: str | None, *, database_url: str) -> None:
    """Every recalibration with what it was fitted on and who stands for it."""
    from cds_service.records import recalibrations  # noqa: PLC0415

    with kept_record.opened(database_url) as engine:
        output.members(recalibrations=[])
        for kept in recalibrations.every_recalibration(engine, tenant_id=tenant_id):
            output.row("recalibrations", _line(kept), _member(kept))


@contextmanager
def _of_the_service(database_url: str, tenant_id: str, force: bool) -> Iterator[Any]:
    """The record of a running service that knows the tenant, named."""
    with proof.opened(database_url, forced=force, of_any_version=False) as (engine, using):
        proof.refuse_unknown(tenant_id, using, filed=(), forced=force)
        yield engine


def _card(models: Registry, model: str, version: str | None) -> Any:
    """The card of the version that is told, or of the one named; points are refused, for they are no probability."""
    from models_onnx.recalibration import RecalibrationError  # noqa: PLC0415

    for card in models.cards:
        state = models.states[card.name, card.version]
        if card.name == model and (card.version == version if version else state == "champion"):
            if card.kind == "points":
                raise RecalibrationError(f"{model} counts points and claims no probability: nothing to recalibrate")
            return card
    raise RecalibrationError(f"{model} {version or ''}: no such model is scored".replace(" :", ":"))


def _that_count(found: Sequence[Operation], horizon_days: int, lag_days: int) -> tuple[Operation, ...]:
    """The operations that may be counted today; what was left out, and what is undated, is told."""
    from cds_service.follow_up import maturity  # noqa: PLC0415

    today = datetime.now(UTC).date()
    stand: list[str] = [
        maturity.standing(one.followed, horizon_days=horizon_days, as_of=today, lag_days=lag_days) for one in found
    ]
    for standing, words in _STANDINGS.items():
        if count := stand.count(standing):
            output.say(f"{count} operations {words}", **{standing.replace("-", "_"): count})
    return tuple(
        msgspec.structs.replace(one, occurred=maturity.happened(one.followed, horizon_days=horizon_days))
        for one, standing in zip(found, stand, strict=True)
        if standing in ("counts", "undated")
    )


def _case(operation: Operation, outcome: str, models: Registry) -> Any:
    from models_onnx.recalibration_fit import CalibrationCase  # noqa: PLC0415

    peer = models.peer(outcome, operation.procedure_group)
    return CalibrationCase(operation.probability, peer.probability if peer else None, bool(operation.occurred))


def _proposal(fitted: RecalibrationFit, card: Any, operations: tuple[Operation, ...]) -> Recalibration:
    from models_onnx.recalibration import Recalibration  # noqa: PLC0415

    days = sorted(operation.day for operation in operations)
    return Recalibration(
        id=str(uuid.uuid4()),
        number=0,
        model=card.name,
        version=card.version,
        sha256=card.sha256,
        outcome=card.outcome,
        intercept=fitted.intercept,
        slope=fitted.slope,
        covariance=fitted.covariance,
        peer_shift=fitted.peer_shift,
        n=fitted.n,
        events=fitted.events,
        first=days[0],
        last=days[-1],
    )


def _told(kept: Recalibration, fitted: RecalibrationFit) -> str:
    """What a person has to see before approving: how far off the model was, and how sure the correction is."""
    shift = "too few peers: none will be told" if kept.peer_shift is None else f"{kept.peer_shift:+.3f} log-odds"
    return "\n".join(
        [
            f"{kept.model} {kept.version}, {kept.outcome}: proposal number {kept.number}",
            f"operations {kept.n}, events {kept.events}, {kept.first} to {kept.last}",
            f"observed : expected by the model {fitted.events / fitted.expected:.2f}",
            f"intercept {kept.intercept:+.3f} (95 % {_between(fitted.intercept_interval)}) log-odds",
            f"slope {kept.slope:.3f} (95 % {_between(fitted.slope_interval)})",
            f"peers' figures {shift}",
        ]
    )


def _between(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}"


def _member(kept: Any) -> Any:
    return msgspec.to_builtins(kept)


def _line(kept: Kept) -> str:
    by = kept.recalibration
    approved = f", approved by {kept.approved_by} on {by.approved_on}" if kept.approved_by else ""
    return (
        f"{kept.tenant_id}: {by.model} {by.version} number {by.number} {kept.state}:"
        f" logit = {by.intercept:+.3f} + {by.slope:.3f} x logit; {by.events} events in {by.n} operations,"
        f" {by.first} to {by.last}; fitted by {kept.fitted_by} on {kept.fitted_at:%Y-%m-%d}{approved}"
    )


def _event(tenant_id: str, done_by: str, reason: str) -> AdministrationEvent:
    from cds_service.records.rows import AdministrationEvent  # noqa: PLC0415

    now = datetime.now(UTC)
    return AdministrationEvent(
        happened_at=now,
        action="recalibration",
        tenant_id=tenant_id,
        scope="",
        value="",
        done_by=done_by,
        reason=reason,
    )

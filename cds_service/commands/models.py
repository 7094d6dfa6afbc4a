"""`cds-service models`: which versions are told, whether they are what was exported, and who changed that."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from cds_service.commands import kept_record, output, proof

if TYPE_CHECKING:
    from models_onnx.promotion import Changes, Gate
    from models_onnx.registry import Registry

F = TypeVar("F", bound=Callable[..., None])
_DIRECTORY = click.option(
    "--models",
    "directory",
    envvar="CDS_MODELS",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="Folder of the models (default: those of the package).",
)
_ADDED = click.option(
    "--site-models",
    "added",
    envvar="CDS_SITE_MODELS",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Models of this site's own.",
)
_CHANGE = (
    click.option("--by", "done_by", required=True, help="Who changes it."),
    click.option("--reason", required=True, help="Why; kept with the event."),
    click.option("--approved-by", default=None, help="A second person; required where a tenant is in production."),
    click.option("--tenants", "folder", envvar="CDS_TENANTS", type=click.Path(path_type=Path)),
    kept_record.option,
    _DIRECTORY,
    proof.force,
)


def _with_change(command: F) -> F:
    for option in reversed(_CHANGE):
        command = option(command)
    return command


@click.group("models", cls=output.Group)
def models() -> None:
    """The models: which are told, which are scored in silence, and whether each is what was exported."""


@models.command("list")
@_DIRECTORY
@_ADDED
def list_models(directory: Path | None, added: Path | None) -> None:
    """Every version with its state, in the order in which each outcome prefers them."""
    from models_onnx import registry  # noqa: PLC0415
    from models_onnx.added import shelf  # noqa: PLC0415

    folder = directory or registry.PACKAGE
    entries = registry.read_entries(folder / "registry.yaml")
    known = {(card.name, card.version): card for card in registry.cards(folder)}
    own = shelf.cards(added) if added is not None else {}
    output.say(f"{folder / 'registry.yaml'}", registry=str(folder / "registry.yaml"), versions=[])
    for entry in entries:
        card = known[entry.model, entry.version]
        flag = "  only with CDS_CLASS_B" if card.trust == "B" else ""
        told = f"{entry.model:26} {entry.version:8} {entry.state:11} {card.outcome:22} {card.sha256[:12]}{flag}"
        member = {"model": entry.model, "version": entry.version, "state": entry.state, "outcome": card.outcome}
        output.row("versions", told, {**member, "sha256": card.sha256, "trust": card.trust})
    for name, own_card in own.items():
        told = "validated" if own_card.validation else "not validated"
        line = f"{name:26} {own_card.version:8} {'added':11} {own_card.outcome.name:22} {told}"
        member = {"model": name, "version": own_card.version, "state": "added", "outcome": own_card.outcome.name}
        output.row("versions", line, {**member, "validated": own_card.validation is not None})


@models.command("verify")
@_DIRECTORY
@_ADDED
@click.option(
    "--key", "key_file", envvar="CDS_MODELS_KEY", type=click.Path(path_type=Path), help="Public JWK that signed them."
)
def verify(directory: Path | None, added: Path | None, key_file: Path | None) -> None:
    """Hash, inputs and golden scores of every version, and that the mapping gives what the served ones ask for.

    With a key also whose signature the manifest has.
    """
    from cds_service.answering.models_in_force import open_models  # noqa: PLC0415
    from models_onnx import golden_scores, registry  # noqa: PLC0415

    folder = directory or registry.PACKAGE
    loaded = open_models(folder, class_b=True, key=key_file)
    if key_file is not None:
        output.say(output.marked("ok", f"manifest signed by {key_file.name}"), signed_by=key_file.name)
    for card in registry.cards(folder):
        cases = len(golden_scores.read_golden_scores(folder / card.outcome / card.name / card.version).cases)
        state = loaded.states[card.name, card.version]
        line = f"{card.name} {card.version} ({state}): sha256 {card.sha256[:12]}, {cases} golden scores"
        member = {"model": card.name, "version": card.version, "state": state, "sha256": card.sha256, "golden": cases}
        output.row("verified", output.marked("ok", line), member)
    _verify_added(added, loaded)


@models.command("sign")
@click.option("--key", "key_file", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Private JWK.")
@click.option("--new-key", "is_new", is_flag=True, help="Make the key and print its public JWK for CDS_MODELS_KEY.")
@_DIRECTORY
def sign(key_file: Path, *, is_new: bool, directory: Path | None) -> None:
    """Sign the manifest of a folder of models, after its files were verified; CDS_MODELS_KEY names the public key."""
    from cds_service.answering import model_signature  # noqa: PLC0415
    from cds_service.ehr import client_token  # noqa: PLC0415
    from models_onnx import registry  # noqa: PLC0415

    if is_new:
        public = client_token.new_key(key_file, "ES384").public
        output.whole(json.dumps(public), public)
        return
    folder = directory or registry.PACKAGE
    signer = client_token.read_key(key_file)
    model_signature.sign(folder, signer.key, algorithm=signer.algorithm, kid=signer.kid)
    output.say(f"{folder / model_signature.NAME}: signed by {signer.kid}", folder=str(folder), kid=signer.kid)


def _verify_added(directory: Path | None, shipped: Registry) -> None:
    from cds_service.answering.models_in_force import open_added  # noqa: PLC0415

    for one in open_added(directory, shipped).by_name.values():
        told = "validated" if one.card.validation else "not validated here"
        line = f"{one.card.name} {one.card.version} (added by this site, {told}): sha256 {one.sha256[:12]}"
        member = {"model": one.card.name, "version": one.card.version, "state": "added", "sha256": one.sha256}
        output.row("verified", output.marked("ok", line), {**member, "validated": one.card.validation is not None})


@models.command("promote")
@click.argument("model")
@click.argument("version")
@click.option(
    "--to",
    type=click.Choice(["champion", "challenger"]),
    default="champion",
    show_default=True,
    help="Told on cards, or scored and recorded beside the champion without ever being told.",
)
@_with_change
def promote(model: str, version: str, *, to: Literal["champion", "challenger"], **change: Any) -> None:
    """Make VERSION of MODEL the one that is told; the former becomes a challenger. Verified before it is written."""
    from models_onnx import promotion  # noqa: PLC0415

    if to == "champion":
        refuse_unapproved(**change)
    _apply(lambda folder, gate: promotion.promote(folder, model, version, to=to, gate=gate), **change)


@models.command("retire")
@click.argument("model")
@click.argument("version")
@_with_change
def retire(model: str, version: str, **change: Any) -> None:
    """Stop scoring VERSION of MODEL; its folder stays, so that it can be promoted again."""
    from models_onnx import promotion  # noqa: PLC0415

    _apply(lambda folder, gate: promotion.retire(folder, model, version, gate=gate), **change)


def _apply(
    change: Callable[[Path, Gate], Changes],
    *,
    directory: Path | None,
    database_url: str,
    done_by: str,
    approved_by: str | None,
    reason: str,
    folder: Path | None,
    force: bool,
) -> None:
    from cds_service.answering import model_input_contract  # noqa: PLC0415
    from models_onnx.promotion import Gate  # noqa: PLC0415
    from models_onnx.registry import PACKAGE  # noqa: PLC0415

    _in_production(folder)

    def record(changes: Changes) -> None:
        _record(changes, database_url, done_by=done_by, approved_by=approved_by, reason=reason)

    with proof.opened(database_url, forced=force):
        gate = Gate(accept=model_input_contract.check, record=record)
        for made in change(directory or PACKAGE, gate):
            line = f"{made.model} {made.version}: {made.before} -> {made.after}"
            member = {"model": made.model, "version": made.version, "before": made.before, "after": made.after}
            output.row("changes", line, member)
    output.say("in force in every worker within seconds; each answer names the versions that it stands for")


def _record(changes: Changes, database_url: str, *, done_by: str, approved_by: str | None, reason: str) -> None:
    """One event for each version that changed, all or none: who, when, why, from which version to which."""
    scopes = [
        (f"model-{made.action}", f"{made.model} {made.version}: {made.before} -> {made.after}", _versions(changes))
        for made in changes
    ]
    note(scopes, database_url, done_by=done_by, approved_by=approved_by, reason=reason)


def note(
    scopes: Sequence[tuple[str, str, str]], database_url: str, *, done_by: str, approved_by: str | None, reason: str
) -> None:
    """Keep events of action, scope and value, all or none; raises DatabaseError."""
    from cds_service.records import administration, database  # noqa: PLC0415
    from cds_service.records.rows import AdministrationEvent  # noqa: PLC0415

    engine = database.connect(database_url, durable=True, connections=1)
    now = datetime.now(UTC)
    try:
        administration.note(
            engine,
            [
                AdministrationEvent(
                    happened_at=now,
                    action=action,
                    tenant_id="",
                    scope=scope,
                    value=value,
                    done_by=done_by,
                    approved_by=approved_by,
                    reason=reason,
                )
                for action, scope, value in scopes
            ],
        )
    finally:
        engine.dispose()


def _versions(changes: Changes) -> str:
    """From which version to which the model that is told goes: "1.0.0 -> 1.1.0"."""
    before = next((made.version for made in changes if made.before == "champion"), "none")
    after = next((made.version for made in changes if made.after == "champion"), "none")
    return f"{before} -> {after}"[:32]


def refuse_unapproved(*, done_by: str, approved_by: str | None, folder: Path | None, **_: object) -> None:
    """Where real patients are behind the service, what they are told changes by two people (R-E06, R-F09)."""
    if _in_production(folder) and (not approved_by or approved_by.strip().casefold() == done_by.strip().casefold()):
        raise click.ClickException("a champion in production needs a second person: --approved-by (R-E06)")


def _in_production(folder: Path | None) -> bool:
    """Whether a tenant of the folder is; TenantError where the folder cannot be read."""
    from cds_service.tenants.tenant_files import load  # noqa: PLC0415

    return folder is not None and any(tenant.is_production for tenant in load(folder))

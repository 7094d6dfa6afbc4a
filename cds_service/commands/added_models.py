"""`cds-service models new|inputs|add|remove|rollback`: models of a site's own, tried before they are opened, undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
import msgspec

from cds_service.commands import kept_record, output, proof
from cds_service.commands.models import note, refuse_unapproved

if TYPE_CHECKING:
    from models_onnx.added.shelf import AddedGate
    from models_onnx.added_card import AddedCard

F = TypeVar("F", bound=Callable[..., None])
SITE_MODELS = click.option(
    "--site-models",
    "directory",
    envvar="CDS_SITE_MODELS",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of the models that this site added; the service reads it where CDS_SITE_MODELS names it.",
)
_CHANGE = (
    click.option("--by", "done_by", required=True, help="Who changes it."),
    click.option("--reason", required=True, help="Why; kept with the event."),
    click.option("--approved-by", default=None, help="A second person; required where a tenant is in production."),
    click.option("--tenants", "folder", envvar="CDS_TENANTS", type=click.Path(path_type=Path)),
    kept_record.option,
    SITE_MODELS,
    proof.force,
)
_IN_FORCE = "in force in every worker within seconds, for the tenants whose `added_models` name it"


def _with_change(command: F) -> F:
    for option in reversed(_CHANGE):
        command = option(command)
    return command


@click.command("new", cls=output.Command)
@click.argument("name")
@click.option(
    "--into", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path(), show_default="this folder"
)
def new(name: str, into: Path) -> None:
    """A folder NAME that works: a small graph of invented numbers, its model.yaml, and the script that made both."""
    from models_onnx.added import example  # noqa: PLC0415

    folder = example.written(into / name, name)
    output.say(f"{folder}: model.yaml, model.onnx and train.py, an example with invented numbers", folder=str(folder))
    output.say(f"next: put your own in their place, then `cds-service models add {folder}`")


@click.command("inputs", cls=output.Command)
@click.option("--tenants", "folder", envvar="CDS_TENANTS", type=click.Path(path_type=Path))
def inputs(folder: Path | None) -> None:
    """What a model may read: every feature with its kind, its unit or categories, and what it is.

    With --tenants also what their site folders add, which an input of model.yaml reads by `site: true`.
    """
    from cds_service import site_folder  # noqa: PLC0415
    from cds_service.tenants.tenant_files import load  # noqa: PLC0415
    from fhir_mappings.features.features import FEATURES  # noqa: PLC0415

    for one in FEATURES.values():
        of = ", ".join(one.categories) if one.categories else one.unit if one.kind == "number" else ""
        member = {"name": one.name, "kind": one.kind, "unit": one.unit, "categories": one.categories}
        output.row("inputs", f"{one.name:36} {one.kind:9} {of:16} {one.label}", {**member, "label": one.label})
    for tenant in load(folder) if folder is not None else ():
        for added in site_folder.read_folder(tenant.site_folder).inputs:
            rule, told = added.rule, f"{added.rule.label} (site: true; tenant {tenant.id})"
            own = {"name": rule.name, "kind": "number", "unit": rule.unit, "label": rule.label, "tenant": tenant.id}
            output.row("inputs", f"{rule.name:36} {'number':9} {rule.unit:16} {told}", own)


@click.command("add", cls=output.Command)
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False))
@_with_change
def add(
    source: Path,
    *,
    directory: Path,
    database_url: str,
    done_by: str,
    approved_by: str | None,
    reason: str,
    folder: Path | None,
    force: bool,
) -> None:
    """Try the model in folder SOURCE in a process of its own, and put it in force; the version before it is kept."""
    from models_onnx.added import shelf  # noqa: PLC0415

    refuse_unapproved(done_by=done_by, approved_by=approved_by, folder=folder)
    with proof.opened(database_url, forced=force):
        gate = _gate("add", database_url, done_by=done_by, approved_by=approved_by, reason=reason)
        gate = msgspec.structs.replace(gate, accept=_accepting(source, folder))
        card, found = shelf.add(directory, source, gate)
    line = (
        f"{card.name} {card.version}: {found.nodes} nodes ({', '.join(found.operators)}), "
        f"{found.milliseconds:g} ms for its dearest answer, {found.mebibytes:g} MiB, "
        f"{len(found.golden.cases)} golden scores"
    )
    is_validated = card.validation is not None
    output.say(
        output.marked("ok", line), model=card.name, version=card.version, milliseconds=found.milliseconds,
        golden=len(found.golden.cases), validated=is_validated, contributions=card.contributions.method,
    )  # fmt: skip
    for one in found.notes:
        output.row("notes", f"note  {one}", one)
    output.say(f"contributions: {card.contributions.method}")
    output.say(_how_told(card))
    output.say(_IN_FORCE)


@click.command("remove", cls=output.Command)
@click.argument("name")
@_with_change
def remove(
    name: str,
    *,
    directory: Path,
    database_url: str,
    done_by: str,
    approved_by: str | None,
    reason: str,
    folder: Path | None,
    force: bool,
) -> None:
    """Take every version of a model that was added away; cards of tenants that name it say that it was removed."""
    from models_onnx.added import shelf  # noqa: PLC0415

    with proof.opened(database_url, forced=force):
        gate = _gate("remove", database_url, done_by=done_by, approved_by=approved_by, reason=reason)
        version = shelf.remove(directory, name, gate)
    output.say(f"{name} {version}: removed; no worker scores it within seconds", model=name, removed=version)
    for tenant in _naming(name, folder):
        line = f"tenant {tenant} names it: take it out of its added_models, or the next start is refused"
        output.row("namedBy", line, tenant)


@click.command("rollback", cls=output.Command)
@click.argument("name")
@_with_change
def rollback(
    name: str,
    *,
    directory: Path,
    database_url: str,
    done_by: str,
    approved_by: str | None,
    reason: str,
    folder: Path | None,
    force: bool,
) -> None:
    """Put the version that was in force before in its place again; the newer one is gone, and may be added anew."""
    from models_onnx.added import shelf  # noqa: PLC0415

    refuse_unapproved(done_by=done_by, approved_by=approved_by, folder=folder)
    with proof.opened(database_url, forced=force):
        gate = _gate("rollback", database_url, done_by=done_by, approved_by=approved_by, reason=reason)
        gone, back = shelf.rollback(directory, name, gate)
    output.say(f"{name}: {gone} -> {back}", model=name, before=gone, after=back)
    output.say(_IN_FORCE)


def _how_told(card: AddedCard) -> str:
    if card.challenger:
        return "a challenger: scored and recorded beside what is told, told to nobody"
    return (
        "validated" if card.validation is not None else "not validated here: told in a line of its own, heads no card"
    )


COMMANDS = (new, inputs, add, remove, rollback)


def _gate(action: str, database_url: str, *, done_by: str, approved_by: str | None, reason: str) -> AddedGate:
    from models_onnx.added.shelf import AddedGate  # noqa: PLC0415

    def record(name: str, change: str) -> None:
        scopes = [(f"model-{action}", f"{name}: {change}", change[:32])]
        note(scopes, database_url, done_by=done_by, approved_by=approved_by, reason=reason)

    return AddedGate(accept=lambda _: None, record=record)


def _accepting(source: Path, folder: Path | None) -> Callable[[AddedCard], None]:
    """Whether a card fits the mapping, and the site folders of the tenants that name it; each fault with its line."""
    from cds_service import site_folder  # noqa: PLC0415
    from cds_service.answering import model_input_contract, site_model_inputs  # noqa: PLC0415
    from cds_service.tenants.tenant_files import load  # noqa: PLC0415
    from models_onnx import data_files, registry  # noqa: PLC0415
    from models_onnx.added_card import FILE  # noqa: PLC0415

    def accept(card: AddedCard) -> None:
        path = source / FILE
        model_input_contract.check_added(card, registry.load(class_b=True), path)
        tenants = load(folder) if folder is not None else ()
        owners = [(one, site_folder.read_folder(one.site_folder)) for one in tenants]
        for one in site_model_inputs.unread(owners, {card.name: card}):
            line = data_files.line_of(path, f"inputs[{one.place}]")
            raise model_input_contract.ContractError(f"{path}:{line}: tenant {one.tenant}: {one.words}")

    return accept


def _naming(name: str, folder: Path | None) -> list[str]:
    from cds_service.tenants.tenant_files import load  # noqa: PLC0415

    return [tenant.id for tenant in load(folder) if name in tenant.added_models] if folder is not None else []

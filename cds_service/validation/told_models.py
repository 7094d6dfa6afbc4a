"""Which models tell a tenant's clinicians something now, and which of these no report of this hospital is about."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from cds_service.tenants.tenant import Tenant
from cds_service.validation import validation_report
from cds_service.validation.evidence import ModelInForce
from models_onnx.added_model import AddedModel, AddedModels
from models_onnx.recalibration import BySha256
from models_onnx.registry import Registry


class ToldModels(msgspec.Struct, frozen=True):
    """`judged`: those whose probabilities the validation report is about. `graphs`: every one that is told, points and

    the site's own among them, with its sha256 and recalibration. `uncovered`: in words, those that no report is about.
    """

    judged: tuple[ModelInForce, ...]
    graphs: tuple[str, ...]
    uncovered: tuple[str, ...]


def told_to(tenant: Tenant, models: Registry, added: AddedModels, recalibrations: BySha256) -> ToldModels:
    """What this tenant is told by. A model of the site's own has a report of its own, or is not covered."""
    own = [added.by_name[name] for name in added.named(tenant.added_models) if name in added.by_name]
    own = [one for one in own if not one.card.challenger]
    return ToldModels(
        validation_report.models_in_force(models, recalibrations),
        tuple(sorted((*_graphs(models, recalibrations), *map(_graph, own)))),
        tuple(_uncovered(one) for one in own if one.card.validation is None),
    )


def _graphs(models: Registry, recalibrations: BySha256) -> Iterator[str]:
    for card in models.cards:
        if models.states.get((card.name, card.version)) == "champion":
            by = recalibrations.get(card.sha256)
            moved = f", recalibration {by.number}" if by is not None else ""
            yield f"{card.name} {card.version} (sha256 {card.sha256}{moved})"


def _graph(one: AddedModel) -> str:
    report = f", report sha256 {one.card.validation.sha256}" if one.card.validation is not None else ""
    return f"{one.card.name} {one.card.version} (sha256 {one.sha256}, of this site{report})"


def _uncovered(one: AddedModel) -> str:
    return (
        f"{one.card.name} {one.card.version}, a model of this site, is told and no report covers it: name its own in "
        "`validation` of its model.yaml, make it a challenger, or take it out of added_models"
    )

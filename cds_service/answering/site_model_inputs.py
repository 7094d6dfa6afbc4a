"""A model of the site's own may read laboratory values of a site folder: every tenant that is told it has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from cds_service.answering.model_input_contract import ContractError
from cds_service.site_folder import SiteFolder
from cds_service.tenants import tenant_files
from cds_service.tenants.tenant import EVERY_MODEL, Tenant
from models_onnx.added_card import AddedCard, AddedInput

Owners = Iterable[tuple[Tenant, SiteFolder]]


class Unread(msgspec.Struct, frozen=True):
    """An input, by its place in the card, that a tenant does not have as the model reads it."""

    tenant: str
    place: int
    words: str


def unread(owners: Owners, cards: Mapping[str, AddedCard]) -> Iterator[Unread]:
    """Every input of a site folder that a tenant lacks whose file names the model, or has in another unit.

    Where a tenant is told every model that there is ("*"), one that it does not read has no figure and says so.
    """
    for tenant, own in owners:
        for name, card in cards.items():
            if name not in tenant.added_models and EVERY_MODEL not in tenant.added_models:
                continue
            for place, entry in enumerate(card.inputs):
                if entry.site and (why := _why(entry, own, is_named=name in tenant.added_models)):
                    yield Unread(tenant.id, place, f"{name} {card.version} reads {entry.name}{why}")


def _why(entry: AddedInput, own: SiteFolder, *, is_named: bool) -> str:
    there = next((one for one in own.inputs if one.rule.name == entry.name), None)
    if there is None:
        return ", which its site folder does not add (laboratory.yaml)" if is_named else ""
    if there.rule.unit == entry.unit:
        return ""
    return f" in {entry.unit!r}, and {there.codes.place} adds it in {there.rule.unit!r}"


def refuse_unread(owners: Owners, cards: Mapping[str, AddedCard], tenants: Path | None) -> None:
    """Raise ContractError where a tenant lacks what one of its models reads; `tenants`: the folder of their files."""
    for one in unread(owners, cards):
        place = tenant_files.place(tenants, one.tenant, "added_models") if tenants is not None else one.tenant
        raise ContractError(f"{place}: added_models: {one.words}")

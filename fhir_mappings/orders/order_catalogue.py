"""What the catalogue of suggestions can draft, each by its standard code or the site's own (orderables.json)."""

from __future__ import annotations

from pathlib import Path

import msgspec

from fhir_mappings.orders.draft_orders import OrderCode
from fhir_mappings.orders.order_codes import OrderCodes
from fhir_mappings.orders.pending_orders import Requested
from fhir_mappings.terminology.code_systems import canonical
from models_onnx import data_files

FILE = Path(__file__).with_name("orderables.json")
LOCAL = "https://surgical-risk.io/fhir/CodeSystem/order"  # what no standard code was verified for


class Orderable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A test, a referral or a screen, and what asks for the same.

    `trust`: V, meaning seen in an independent public source; k, check digit valid only; local, there is no standard
    code, and a site orders it only by a code of its own. `ideas`: value sets of which any code asks for it.
    `blood`: from a sample of blood, so that one draw serves several.
    """

    name: str
    text: str
    system: str
    code: str
    trust: str
    display: str | None = None
    equivalents: tuple[str, ...] = ()
    ideas: tuple[str, ...] = ()
    blood: bool = False


class _Document(msgspec.Struct, frozen=True):
    orderables: tuple[Orderable, ...]


def load(path: Path = FILE) -> dict[str, Orderable]:
    """The orderables by name, in the order of the file."""
    return {one.name: one for one in data_files.read_json(path, _Document).orderables}


ORDERABLES = load()
_PAIRS = {
    one.name: frozenset((canonical(one.system), code) for code in (one.code, *one.equivalents))
    for one in ORDERABLES.values()
}


def site_code(name: str, codes: OrderCodes) -> OrderCode | None:
    """By which code a site orders `name`; None where its map has none: then there is text and no button."""
    one = ORDERABLES[name]
    return codes.find(one.system, one.code)


def is_requested(name: str, requested: Requested, codes: OrderCodes) -> bool:
    """Whether it is being ordered already, by a standard code or by the site's own (never-suggest 8)."""
    one = ORDERABLES[name]
    if not requested.ideas.isdisjoint(one.ideas) or not requested.codes.isdisjoint(_PAIRS[name]):
        return True
    own = codes.find(one.system, one.code)
    return own is not None and requested.has(own.system, own.code)

"""A ConceptMap to fill in, made of the orders of a site whose codes are in no procedure group yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.fhir.decode_resources import UNREADABLE_JSON
from fhir_mappings.fhir.resources import Procedure
from fhir_mappings.orders.order_resources import Order
from fhir_mappings.orders.orders import UnsupportedVersionError, read_order
from fhir_mappings.orders.procedures import may_be_surgical
from fhir_mappings.report import bulk_files
from fhir_mappings.terminology.code_systems import CONCEPT
from fhir_mappings.terminology.concept_maps import ConceptMaps, Vocabulary, vocabulary
from fhir_mappings.terminology.procedure_groups import GROUPS
from fhir_mappings.terminology.value_sets import ValueSets

_ORDERS = frozenset({"ServiceRequest", "ProcedureRequest", "ReferralRequest", "Appointment"})
_DESCRIPTION = (
    "Fill in a target for each code: one of the procedure groups {groups}. "
    "Say equivalence unmatched, without a code, where it is none; a code that is left as it is stops the start. "
    "Name who approved the map in contact, and count its version up with each change."
)


class OrderedCodes(Struct):
    """What orders said: each (system, code) with how many, the site's own words for it, and what was left out."""

    codes: Counter[tuple[str, str]]
    displays: dict[tuple[str, str], str]
    to_map: int = 0
    known: int = 0
    no_operation: int = 0
    without_code: int = 0
    unreadable: int = 0

    @property
    def orders(self) -> int:
        """How many orders and procedures there were that could be read."""
        return self.known + self.no_operation + self.without_code + self.to_map


def count(resources: Iterable[Raw], sets: ValueSets, maps: ConceptMaps) -> OrderedCodes:
    """The codes of every order and procedure among the resources that is in no procedure group and may be one."""
    counts, words = OrderedCodes(Counter(), {}), vocabulary(sets, maps)
    for raw in resources:
        kind = bulk_files.head_of(raw)
        if kind is None:
            counts.unreadable += 1
        elif kind.resource_type in _ORDERS or kind.resource_type == "Procedure":
            try:
                order = _order(raw, kind.resource_type)
            except (UnsupportedVersionError, *UNREADABLE_JSON):
                counts.unreadable += 1
            else:
                _count_order(counts, raw, order, words)
    return counts


def _order(raw: Raw, kind: str) -> Order | None:
    """An order as the service reads it; a procedure whatever its state: it was ordered by the same code."""
    if kind != "Procedure":
        return read_order(raw)
    procedure = msgspec.json.decode(raw, type=Procedure)
    return Order(reference="", status=procedure.status or "", codes=(procedure.code,))


def _count_order(counts: OrderedCodes, raw: Raw, order: Order | None, words: Vocabulary) -> None:
    codings = [coding for concept in order.codes for coding in concept.coding] if order else []
    if order is None or not may_be_surgical(order, words):
        counts.no_operation += 1
    elif any(idea in GROUPS for one in codings for idea in words.ideas(one.system, one.code)):
        counts.known += 1
    elif any(words.maps.rules_out(one.system, one.code) for one in codings):
        counts.no_operation += 1
    elif pairs := {(one.system.strip(), one.code.strip()) for one in codings if one.system and one.code}:
        counts.to_map += 1
        counts.codes.update(pairs)
        counts.displays |= {pair: display for pair, display in _displays(raw) if pair in pairs}
    else:
        counts.without_code += 1


class _Shown(Struct, frozen=True):
    system: str = ""
    code: str = ""
    display: str = ""


class _ShownConcept(Struct, frozen=True):
    coding: tuple[_Shown, ...] = ()


class _ShownOrder(Struct, frozen=True, rename="camel"):
    code: _ShownConcept = _ShownConcept()
    service_requested: tuple[_ShownConcept, ...] = ()
    service_type: tuple[_ShownConcept, ...] = ()
    reason_code: tuple[_ShownConcept, ...] = ()


def _displays(raw: Raw) -> Iterator[tuple[tuple[str, str], str]]:
    """What the site calls each code of an order; nothing where that cannot be read."""
    try:
        order = msgspec.json.decode(raw, type=_ShownOrder)
    except UNREADABLE_JSON:
        return
    for concept in (order.code, *order.service_requested, *order.service_type, *order.reason_code):
        for one in concept.coding:
            if one.display.strip():
                yield (one.system.strip(), one.code.strip()), one.display.strip()


def template(counts: OrderedCodes, *, displays: bool) -> dict[str, Any]:
    """The ConceptMap, per code system the most frequent code first; `displays`: with the site's own words."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for (system, code), number in sorted(counts.codes.items(), key=lambda one: (-one[1], one[0])):
        words = counts.displays.get((system, code)) if displays else None
        target = {"code": "", "equivalence": "equivalent", "comment": f"{number} orders"}
        element = {"code": code, **({"display": words} if words else {}), "target": [target]}
        groups.setdefault(system, []).append(element)
    return {
        "resourceType": "ConceptMap",
        "name": "SiteOrderCodes",
        "version": "1",
        "status": "draft",
        "contact": [{"name": ""}],
        "description": _DESCRIPTION.format(groups=", ".join(GROUPS)),
        "group": [{"source": system, "target": CONCEPT, "element": those} for system, those in groups.items()],
    }

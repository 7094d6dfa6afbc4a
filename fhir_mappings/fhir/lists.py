"""What a List among the resources says of what did not come: that it is withheld, or which entries it has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.fhir.resources import UNREADABLE_JSON
from fhir_mappings.fhir.search_result import SearchResult

# https://terminology.hl7.org/CodeSystem-list-empty-reason.html: that there is nothing to put into the list; the others
# are no answer, and where one of them stands beside it nobody knows which holds.
_NIL_KNOWN = "nilknown"
_NO_ANSWER = frozenset({"notasked", "withheld", "unavailable", "notstarted", "closed"})
# A List of these holds nothing now. https://hl7.org/fhir/R4/valueset-list-status.html
_OVER = frozenset({"retired", "entered-in-error"})
# The types of which each kind of data is a list; a List may name others, which are not asked for here.
_LISTED: Mapping[str, frozenset[str]] = {
    "conditions": frozenset({"Condition"}),
    "procedures": frozenset({"Procedure"}),
    "medications": frozenset({"MedicationRequest", "MedicationStatement"}),
    "labs": frozenset({"Observation"}),
    "observations": frozenset({"Observation"}),
    "reports": frozenset({"DiagnosticReport"}),
}


def is_withheld(of: Mapping[str, Any]) -> bool:
    """Whether a list says that it is empty for another reason than that there is nothing to put into it."""
    why_empty = of.get("emptyReason")
    if why_empty is None or of.get("status") in _OVER:
        return False
    codings = why_empty.get("coding") if isinstance(why_empty, dict) else None
    codes = [one.get("code") for one in codings if isinstance(one, dict)] if isinstance(codings, list) else []
    return _NIL_KNOWN not in codes or not _NO_ANSWER.isdisjoint(map(str, codes))


class _ListedHead(Struct, frozen=True, gc=False, rename="camel"):
    resource_type: object = None
    id: object = None


_listed_heads = msgspec.json.Decoder(_ListedHead)


def not_sent(key: str, sent: Sequence[Raw], beside: Iterable[SearchResult] = ()) -> int:
    """How many entries the Lists among what was sent name that did not come, or that stand within the List.

    `beside`: what came under other keys; the same results may be asked for under two.
    """
    lists = [content for raw in sent if b'"List"' in bytes(raw) and (content := _list(raw)) is not None]
    if not lists or key not in _LISTED:
        return 0
    came = {*map(_name, sent), *(name for one in beside for name in _names(one))}
    named = {reference for content in lists for reference in _references(content)}
    return sum(_is_elsewhere(one, _LISTED[key], came) for one in named)


def _names(result: SearchResult) -> Iterator[str]:
    yield from map(_name, result.resources)
    yield from (f"{one.__struct_config__.tag}/{one.id}" for one in result.decoded)


def _name(raw: Raw) -> str:
    try:
        head = _listed_heads.decode(raw)
    except UNREADABLE_JSON:
        return ""
    return f"{head.resource_type}/{head.id}"


def _list(raw: Raw) -> dict[str, Any] | None:
    try:
        content = msgspec.json.decode(raw)
    except UNREADABLE_JSON:
        return None
    is_one = isinstance(content, dict) and content.get("resourceType") == "List" and content.get("status") not in _OVER
    return content if is_one else None


def _references(of: Mapping[str, Any]) -> Iterator[str]:
    """What its entries name; one that was taken off the list is none."""
    entries = of.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        item = entry.get("item") if isinstance(entry, dict) and entry.get("deleted") is not True else None
        if isinstance(item, dict) and isinstance(item.get("reference"), str):
            yield item["reference"]


def _is_elsewhere(reference: str, types: frozenset[str], came: set[str]) -> bool:
    if reference.startswith("#"):
        return True
    parts = reference.partition("/_history/")[0].split("/")
    return parts[-2:-1] != [] and parts[-2] in types and "/".join(parts[-2:]) not in came

"""What a List among the resources says of what did not come: that it is withheld, or which entries it has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.fhir.resource_types import R4_TYPES
from fhir_mappings.fhir.resources import UNREADABLE_JSON
from fhir_mappings.fhir.search_result import SearchResult

# https://terminology.hl7.org/CodeSystem-list-empty-reason.html: that there is nothing to put into the list; the others
# are no answer, and where one of them stands beside it nobody knows which holds.
# The British code says that the record was looked through and holds none.
# https://simplifier.net/hl7fhirukcorer4/codesystem-ukcore-listemptyreasoncode
_NIL_KNOWN = frozenset({"nilknown", "no-content-recorded"})
_NO_ANSWER = frozenset({"notasked", "withheld", "unavailable", "notstarted", "closed"})
# A List of these holds nothing now. https://hl7.org/fhir/R4/valueset-list-status.html
_OVER = frozenset({"retired", "entered-in-error"})
# https://simplifier.net/hl7fhirukcorer4/extension-ukcore-listwarningcode, and GP Connect's of STU3 before it.
_WARNING = "listwarningcode"
# The types of which each kind of data is a list; a List may name others, which are not asked for here. A Medication
# beside the entries tells what one of them is, not that it is taken: one that a List names never came as an entry.
_MEDICATION, _LIST = "Medication", "List"
_LISTED: Mapping[str, frozenset[str]] = {
    "conditions": frozenset({"Condition"}),
    "procedures": frozenset({"Procedure"}),
    "medications": frozenset(
        {"MedicationRequest", "MedicationStatement", "MedicationDispense", "MedicationAdministration", _MEDICATION}
    ),
    "labs": frozenset({"Observation"}),
    "observations": frozenset({"Observation"}),
    "reports": frozenset({"DiagnosticReport"}),
}


def is_withheld(of: Mapping[str, Any]) -> bool:
    """Whether a list is empty though there may be something to put into it, or warns of what it lacks."""
    if of.get("status") in _OVER:
        return False
    why_empty = of.get("emptyReason")
    if why_empty is None:
        return _warns(of)
    codings = why_empty.get("coding") if isinstance(why_empty, dict) else None
    codes = [one.get("code") for one in codings if isinstance(one, dict)] if isinstance(codings, list) else []
    return _NIL_KNOWN.isdisjoint(map(str, codes)) or not _NO_ANSWER.isdisjoint(map(str, codes))


def _warns(of: Mapping[str, Any]) -> bool:
    """Whether it says, as British lists do, that confidential items, or some under way, were left out."""
    extensions = of.get("extension")
    listed = extensions if isinstance(extensions, list) else ()
    return any(isinstance(one, dict) and _WARNING in str(one.get("url")).lower() for one in listed)


class _ListedHead(Struct, frozen=True, gc=False, rename="camel"):
    resource_type: object = None
    id: object = None


_listed_heads = msgspec.json.Decoder(_ListedHead)


def not_sent(
    key: str, sent: Sequence[Raw], named: Iterable[tuple[str, Raw]] = (), beside: Iterable[SearchResult] = ()
) -> int:
    """How many entries the Lists among what was sent have that did not come with them, or stand within the List.

    One that is named in no way that can be followed did not come. `named`: by the names that their Bundle gives them.
    `beside`: what came under other keys; the same results may be asked for under two.
    """
    lists = [content for raw in sent if b'"List"' in bytes(raw) and (content := _list(raw)) is not None]
    if not lists or key not in _LISTED:
        return 0
    came = set(filter(_is_entry, map(_name, sent)))
    came |= {name for one in beside for name in _names(one) if _is_entry(name) and not name.startswith(f"{_LIST}/")}
    came |= {f"urn:uuid:{name.rpartition('/')[2]}" for name in came}
    came |= {name for name, raw in named if _is_entry(_name(raw))}
    types = _LISTED[key] | {_LIST}
    items = [item for content in lists for item in _items(content)]
    references = {text for item in items if isinstance(text := item.get("reference"), str)}
    others = [item for item in items if not isinstance(item.get("reference"), str)]
    return sum(_is_elsewhere(one, types, came) for one in references) + sum(_may_be_of(one, types) for one in others)


def leaves_out(sent: Sequence[Raw]) -> bool:
    """Whether a List among what was sent may lack any number of entries: withheld, or those of a List that it names."""
    lists = (content for raw in sent if b'"List"' in bytes(raw) and (content := _list(raw)) is not None)
    return any(is_withheld(one) or any(map(_is_list, _items(one))) for one in lists)


def _is_list(item: Mapping[str, Any]) -> bool:
    kinds = *str(item.get("reference", "")).split("/"), str(item.get("type", "")).rpartition("/")[2]
    return _LIST in kinds


def _is_entry(name: str) -> bool:
    return not name.startswith(f"{_MEDICATION}/")


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


def _items(of: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What its entries are, {} for one of no form; one that was taken off the list is none."""
    entries = of.get("entry")
    for entry in entries if isinstance(entries, list) else () if entries is None else (entries,):
        if isinstance(entry, dict) and entry.get("deleted") is True:
            continue
        item = entry.get("item") if isinstance(entry, dict) else None
        yield item if isinstance(item, dict) else {}


def _is_elsewhere(reference: str, types: frozenset[str], came: set[str]) -> bool:
    """Whether what a reference names may be one of these types and did not come."""
    if reference in came:
        return False
    path, _, search = reference.partition("/_history/")[0].partition("?")
    parts = path.split("/")
    kind = parts[-1] if search else parts[-2] if len(parts) > 1 else ""
    if kind not in types:
        return kind not in R4_TYPES
    return bool(search) or "/".join(parts[-2:]) not in came


def _may_be_of(item: Mapping[str, Any], types: frozenset[str]) -> bool:
    """Whether an item that is named by no reference may be one of these types."""
    kind = str(item.get("type", "")).rpartition("/")[2]
    return kind in types or kind not in R4_TYPES

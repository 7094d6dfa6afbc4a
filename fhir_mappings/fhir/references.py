"""Which resource a reference means: by the name that its Bundle gives it, or by type and id (messy cases 34 and 40)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.fhir.decode_resources import UNREADABLE_JSON
from fhir_mappings.fhir.elements import Reference
from fhir_mappings.fhir.resources import Medication
from fhir_mappings.fhir.search_result import SearchResult

_MEDICATION = "Medication/"


class _ReferenceHead(Struct, frozen=True, gc=False, rename="camel"):
    resource_type: str = ""
    id: str | None = None
    status: str | None = None
    medication_reference: Reference | None = None


_heads = msgspec.json.Decoder(_ReferenceHead)


def named_medications(results: Iterable[SearchResult]) -> dict[str, Medication]:
    """The Medications that a Bundle names by `urn:…`, by that name."""
    return {name: one for result in results for name, raw in result.named if (one := _medication(raw)) is not None}


def _medication(raw: Raw) -> Medication | None:
    try:
        return msgspec.json.decode(raw, type=Medication)
    except UNREADABLE_JSON:
        return None  # another type, or nothing that can be read


def unresolved_medications(result: SearchResult, base: str) -> tuple[str, ...]:
    """`Medication/<id>` of every active prescription's medicine that did not come with it, once, in their order.

    `base` is the server's base URL: an absolute reference elsewhere is not one of this server. A logical `identifier`
    alone, a contained or a named resource is nothing that could be read there.
    """
    if not any(b'"medicationReference"' in bytes(raw) for raw in result.resources):
        return ()
    heads = list(_read(result.resources))
    here = {f"{_MEDICATION}{head.id}" for head in heads if head.resource_type == "Medication"}
    wanted = (_relative(head, base) for head in heads if head.status == "active" and head.medication_reference)
    return tuple(dict.fromkeys(one for one in wanted if one and one not in here))


def _read(resources: Iterable[Raw]) -> Iterator[_ReferenceHead]:
    for raw in resources:
        try:
            yield _heads.decode(raw)
        except UNREADABLE_JSON:
            continue


def _relative(head: _ReferenceHead, base: str) -> str | None:
    text = head.medication_reference.reference if head.medication_reference else None
    path = (text or "").removeprefix(f"{base.rstrip('/')}/").split("/_history/")[0]
    identifier = path.removeprefix(_MEDICATION)
    plain = bool(identifier) and all(one.isalnum() or one in "-." for one in identifier)
    return path if path.startswith(_MEDICATION) and plain else None

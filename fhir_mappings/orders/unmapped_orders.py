"""Orders that may be operations and whose code says nothing here: by system and code, never by their words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from fhir_mappings.fhir.elements import CodeableConcept
from fhir_mappings.terminology.code_systems import KNOWN, canonical

# A code is told as it is only in the alphabet of codes, without blanks: what is not one might be words of a person.
# https://hl7.org/fhir/R4/datatypes.html#code
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/*+-]{0,63}", re.ASCII)
# A URI without user, query and fragment, in which an address may name somebody. RFC 3986.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,15}:[A-Za-z0-9._:/~-]{1,103}", re.ASCII)
NOT_TOLD = "?"
_MOST_CODES = 5


class OrderedCode(Struct, frozen=True, gc=False):
    """One code of an order: `system` as we spell it, both "" where there is none, "?" for what is not told."""

    system: str
    code: str


class UnmappedOrder(Struct, frozen=True, gc=False):
    """The codes of one order, the first few; none where it has only words or cannot be read (`unread`)."""

    codes: tuple[OrderedCode, ...] = ()
    unread: bool = False


def unmapped(concepts: Iterable[CodeableConcept]) -> UnmappedOrder:
    """What is told of an order of these codes."""
    found = (ordered_code(coding.system, coding.code) for one in concepts for coding in one.coding)
    return UnmappedOrder(tuple(dict.fromkeys(found))[:_MOST_CODES])


def ordered_code(system: str | None, code: str | None) -> OrderedCode:
    """A coding as it may be written down: at most 120 characters of a URI, 64 of a code, and nothing else."""
    uri, code = canonical(system), (code or "").strip()
    told = uri if not uri or uri in KNOWN or _URI.fullmatch(uri) else NOT_TOLD
    return OrderedCode(told, code if not code or _CODE.fullmatch(code) else NOT_TOLD)

"""What the client sent ahead: found, nothing found, failed, or left out. The four are different things (P-01..P-06)."""

from __future__ import annotations

from typing import Literal

import msgspec

from fhir_mappings.reading import may_be_turned
from fhir_mappings.resources import Resource
from fhir_mappings.search_result import SearchResult

_NOTHING = msgspec.Raw(b"null")


class Page(msgspec.Struct, frozen=True):
    """One Bundle, or one resource read: what it holds, and where the next page is."""

    result: SearchResult
    next_url: str | None = None


class _Type(msgspec.Struct, gc=False):
    resourceType: str | None = None


class _Search(msgspec.Struct, gc=False):
    mode: str | None = None


class _Entry(msgspec.Struct, gc=False):
    resource: msgspec.Raw = _NOTHING
    search: _Search | None = None


class _Name(msgspec.Struct, gc=False):
    fullUrl: str | None = None
    resource: msgspec.Raw = _NOTHING


class _Names(msgspec.Struct, gc=False):
    entry: list[_Name] | None = None


class _Link(msgspec.Struct, gc=False):
    relation: str | None = None
    url: str | None = None


class _Bundle(msgspec.Struct, gc=False):
    resourceType: str | None = None
    entry: list[_Entry] | None = None
    link: list[_Link] | None = None


class _Found(msgspec.Struct, gc=False):
    mode: Literal["match", "include"] | None = None


class _ReadEntry(msgspec.Struct, gc=False, rename="camel"):
    resource: Resource
    full_url: str = ""
    search: _Found | None = None


class _ReadBundle(msgspec.Struct, gc=False):
    """A Bundle of nothing but what was found, of types that are read; any other is looked at entry by entry."""

    resourceType: Literal["Bundle"]
    entry: list[_ReadEntry] = []
    link: list[_Link] = []


class _Issue(msgspec.Struct, gc=False):
    severity: str | None = None


class _Outcome(msgspec.Struct, gc=False):
    issue: list[_Issue] | None = None


_read_bundles = msgspec.json.Decoder(_ReadBundle)
_types = msgspec.json.Decoder(_Type)
_bundles = msgspec.json.Decoder(_Bundle)
_names = msgspec.json.Decoder(_Names)
_outcomes = msgspec.json.Decoder(_Outcome)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_MATCHES = (None, "match", "include")
# What is larger is decoded in parts, which fit a processor's cache (fhir_mappings/reading.py).
_AT_ONCE_BYTES = 256 * 1024
Supplied = Literal["prefetch", "fetched"]


def read_at_once(value: msgspec.Raw) -> Page:
    """As `read`; the resources of a Bundle that holds nothing else come decoded, in one pass over its text."""
    if not 0 < len(value) <= _AT_ONCE_BYTES or may_be_turned(value):
        return read(value)
    try:
        bundle = _read_bundles.decode(value)
    except _UNREADABLE:
        return read(value)
    if any(one.relation == "next" for one in bundle.link):
        return read(value)
    if not bundle.entry:
        return Page(SearchResult(supplied="empty"))
    if [one for one in bundle.entry if one.full_url[:4] == "urn:"]:  # a name, which references may use
        return read(value)
    return Page(SearchResult(decoded=tuple([one.resource for one in bundle.entry])))


def read(value: msgspec.Raw, *, supplied: Supplied = "prefetch") -> Page:
    """The content of one prefetch key, or of one answer of a FHIR server.

    `null` and an empty Bundle say that there is nothing; an OperationOutcome that the search failed (DEC-21).
    What is no FHIR JSON at all is a failed search too: nothing is concluded from it.
    """
    raw = bytes(value)
    if raw[:8].strip() == b"null":
        return Page(SearchResult(supplied="null"))
    try:
        read_once = _bundles.decode(raw)
        if read_once.resourceType == "Bundle":
            page = _bundle(read_once, supplied, may_tell=b'"OperationOutcome"' in raw)
            return _with_names(page, raw) if b'"urn:' in raw else page
    except _UNREADABLE:
        pass  # no Bundle, but perhaps a resource with members of the same names
    return Page(_resource(value, raw, supplied))


def _resource(value: msgspec.Raw, raw: bytes, supplied: Supplied) -> SearchResult:
    """One resource that was read; an OperationOutcome in its place; or nothing that can be read."""
    try:
        resource_type = _types.decode(raw).resourceType
        if resource_type == "OperationOutcome":
            return _outcome_alone(raw)
    except _UNREADABLE:
        return SearchResult(failure="fetch-failed")
    if resource_type is None or resource_type == "Bundle":
        return SearchResult(failure="fetch-failed")
    return SearchResult(resources=(value,), supplied=supplied)


def _bundle(bundle: _Bundle, supplied: Supplied, *, may_tell: bool) -> Page:
    """`may_tell`: whether an OperationOutcome is in it at all; else no entry has to be asked whether it is one."""
    resources: list[msgspec.Raw] = []
    warned = failed = False
    for entry in bundle.entry or ():
        resource, search = entry.resource, entry.search
        if may_tell and _is_outcome(entry):
            warned = True
            failed = failed or _failed(bytes(resource))
        elif (search is None or search.mode in _MATCHES) and resource is not _NOTHING and bytes(resource) != b"null":
            resources.append(resource)
    if failed:
        return Page(SearchResult(failure="fetch-failed"))
    next_url = next((link.url for link in bundle.link or () if link.relation == "next" and link.url), None)
    if not resources and next_url is None:
        return Page(SearchResult(supplied="empty"))
    return Page(SearchResult(resources=tuple(resources), partial=warned, supplied=supplied), next_url)


def _with_names(page: Page, raw: bytes) -> Page:
    """The page with the names that its Bundle gives to resources which have no address yet (messy case 40)."""
    entries = _names.decode(raw).entry or ()
    named = tuple((one.fullUrl, one.resource) for one in entries if one.fullUrl and one.fullUrl.startswith("urn:"))
    return msgspec.structs.replace(page, result=msgspec.structs.replace(page.result, named=named))


def _is_outcome(entry: _Entry) -> bool:
    if entry.search is not None and entry.search.mode == "outcome":
        return True
    raw = bytes(entry.resource)
    return b'"OperationOutcome"' in raw and _types.decode(raw).resourceType == "OperationOutcome"


def _failed(raw: bytes) -> bool:
    """Whether an OperationOutcome tells of an error; a warning only says that there is nothing, or not all."""
    return any(issue.severity in ("error", "fatal") for issue in _outcomes.decode(raw).issue or ())


def _outcome_alone(raw: bytes) -> SearchResult:
    return SearchResult(failure="fetch-failed") if _failed(raw) else SearchResult(supplied="empty")

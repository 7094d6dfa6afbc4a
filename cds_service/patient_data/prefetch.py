"""What the client sent ahead: found, nothing found, failed, or left out. The four are different things (P-01..P-06)."""

from __future__ import annotations

from typing import Literal

import msgspec

from fhir_mappings.search_result import SearchResult

_NOTHING = msgspec.Raw(b"null")


class Page(msgspec.Struct, frozen=True):
    """One Bundle, or one resource read: what it holds, and where the next page is."""

    result: SearchResult
    next_url: str | None = None


class _Text(msgspec.Struct):
    resourceType: str | None = None


class _Search(msgspec.Struct):
    mode: str | None = None


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = _NOTHING
    search: _Search | None = None


class _Link(msgspec.Struct):
    relation: str | None = None
    url: str | None = None


class _Bundle(msgspec.Struct):
    entry: list[_Entry] | None = None
    link: list[_Link] | None = None


class _Issue(msgspec.Struct):
    severity: str | None = None


class _Outcome(msgspec.Struct):
    issue: list[_Issue] | None = None


_texts = msgspec.json.Decoder(_Text)
_bundles = msgspec.json.Decoder(_Bundle)
_outcomes = msgspec.json.Decoder(_Outcome)

Supplied = Literal["prefetch", "fetched"]


def read(value: msgspec.Raw, *, supplied: Supplied = "prefetch") -> Page:
    """The content of one prefetch key, or of one answer of a FHIR server.

    `null` and an empty Bundle say that there is nothing; an OperationOutcome that the search failed (DEC-21).
    What is no FHIR JSON at all is a failed search too: nothing is concluded from it.
    """
    raw = memoryview(value).tobytes().strip()
    if raw == b"null":
        return Page(SearchResult(supplied="null"))
    try:
        resource_type = _texts.decode(raw).resourceType
        if resource_type == "Bundle":
            return _bundle(_bundles.decode(raw), supplied)
        if resource_type == "OperationOutcome":
            return Page(_outcome_alone(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Page(SearchResult(failure="fetch-failed"))
    if resource_type is None:
        return Page(SearchResult(failure="fetch-failed"))
    return Page(SearchResult(resources=(value,), supplied=supplied))


def _bundle(bundle: _Bundle, supplied: Supplied) -> Page:
    resources: list[msgspec.Raw] = []
    warned = failed = False
    for entry in bundle.entry or ():
        if bytes(entry.resource) == b"null":
            continue
        if _is_outcome(entry):
            warned = True
            failed = failed or _failed(bytes(entry.resource))
        elif entry.search is None or entry.search.mode in (None, "match", "include"):
            resources.append(entry.resource)
    if failed:
        return Page(SearchResult(failure="fetch-failed"))
    next_url = next((link.url for link in bundle.link or () if link.relation == "next" and link.url), None)
    if not resources and next_url is None:
        return Page(SearchResult(supplied="empty"))
    return Page(SearchResult(resources=tuple(resources), partial=warned, supplied=supplied), next_url)


def _is_outcome(entry: _Entry) -> bool:
    if entry.search is not None and entry.search.mode == "outcome":
        return True
    raw = bytes(entry.resource)
    return b'"OperationOutcome"' in raw and _texts.decode(raw).resourceType == "OperationOutcome"


def _failed(raw: bytes) -> bool:
    """Whether an OperationOutcome tells of an error; a warning only says that there is nothing, or not all."""
    return any(issue.severity in ("error", "fatal") for issue in _outcomes.decode(raw).issue or ())


def _outcome_alone(raw: bytes) -> SearchResult:
    return SearchResult(failure="fetch-failed") if _failed(raw) else SearchResult(supplied="empty")

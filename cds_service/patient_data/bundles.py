"""One Bundle as text: what was found in it, what is said not to be in it, and what in it cannot be read.

A bad entry is set aside and counted, a bad link cuts the list, a bad total makes it incomplete: none of them fails the
search, and none is passed over in silence (DEC-37).
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from fhir_mappings.fhir.search_result import SearchResult

NOTHING = msgspec.Raw(b"null")
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# FHIR's unsignedInt; https://hl7.org/fhir/R4/datatypes.html#unsignedInt
_MOST = 2_147_483_647
_MATCHES = (None, "match", "include")
_HARMLESS = ("warning", "information", "success")
# https://hl7.org/fhir/R4/valueset-issue-type.html: of whatever severity these say that something was left out, for want
# of a right or of time. Epic warns so of each part of a search for which the client has no scope (its code 59204).
_LEFT_OUT = frozenset(
    {"security", "login", "expired", "forbidden", "suppressed", "too-costly", "transient", "lock-error", "no-store"}
    | {"exception", "timeout", "incomplete", "throttled"}
)
# https://terminology.hl7.org/CodeSystem-v3-ObservationValue.html: a label of the whole Bundle, that parts were removed.
REDACTED = b'"REDACTED"'


class Page(msgspec.Struct, frozen=True):
    """One Bundle, or one resource read: what it holds, and where the next page is.

    `claimed`, `matches`: how many matches there are by the Bundle's own count (-1: a count that cannot be read), and
    how many stood in it. `other`: it is not what was asked for, and so no answer.
    """

    result: SearchResult
    next_url: str | None = None
    claimed: int | None = None
    matches: int = 0
    other: bool = False


class _Search(msgspec.Struct, gc=False):
    mode: str | None = None


class _Entry(msgspec.Struct, gc=False, rename="camel"):
    full_url: str | None = None
    resource: msgspec.Raw = NOTHING
    search: _Search | None = None


class _Link(msgspec.Struct, gc=False):
    relation: str | None = None
    url: str | None = None


class _Bundle(msgspec.Struct, gc=False):
    """A Bundle whose members are looked at one by one."""

    resourceType: str | None = None
    meta: msgspec.Raw = NOTHING
    type: msgspec.Raw = NOTHING
    total: msgspec.Raw = NOTHING
    link: msgspec.Raw = NOTHING
    entry: list[_Entry] | None = None


class _Loose(msgspec.Struct, gc=False):
    resourceType: str | None = None
    meta: msgspec.Raw = NOTHING
    type: msgspec.Raw = NOTHING
    total: msgspec.Raw = NOTHING
    link: msgspec.Raw = NOTHING
    entry: list[msgspec.Raw] | None = None


class _Type(msgspec.Struct, gc=False):
    resourceType: str | None = None


class _Issue(msgspec.Struct, gc=False):
    """One issue, whose members are looked at one by one: `code` decides nothing about the others."""

    severity: object = None
    code: object = None


class _Outcome(msgspec.Struct, gc=False):
    issue: list[msgspec.Raw] | None = None


_bundles = msgspec.json.Decoder(_Bundle)
_loose = msgspec.json.Decoder(_Loose)
_entries = msgspec.json.Decoder(_Entry)
_links = msgspec.json.Decoder(list[msgspec.Raw])
_link = msgspec.json.Decoder(_Link)
_types = msgspec.json.Decoder(_Type)
_outcomes = msgspec.json.Decoder(_Outcome)
_issue = msgspec.json.Decoder(_Issue)


def type_of(raw: bytes | msgspec.Raw) -> str | None:
    """The resource's type; None where it cannot be read."""
    try:
        return _types.decode(raw).resourceType
    except UNREADABLE:
        return None


def read_bundle(raw: bytes, types: Sequence[str]) -> Page | None:
    """What a Bundle of one of these types holds; None for any other and for what is none. No type is taken as any."""
    try:
        bundle, entries = _taken_apart(raw)
        kind = msgspec.json.decode(bundle.type)
    except UNREADABLE:
        return None
    if bundle.resourceType != "Bundle" or (kind is not None and kind not in types):
        return None
    found = _Found()
    may_tell = b'"OperationOutcome"' in raw
    for entry in entries:
        found.take(entry, may_tell=may_tell)
    next_url, cut = _next(bundle.link)
    return found.page(next_url, claimed(bundle.total), cut=cut or found.left_out or REDACTED in bytes(bundle.meta))


def _taken_apart(raw: bytes) -> tuple[_Bundle | _Loose, Sequence[_Entry | None]]:
    """The Bundle and its entries; None for each that is no entry."""
    try:
        bundle = _bundles.decode(raw)
        return bundle, bundle.entry or ()
    except UNREADABLE:
        loose = _loose.decode(raw)
        return loose, [_entry(one) for one in loose.entry or ()]


def _entry(raw: msgspec.Raw) -> _Entry | None:
    try:
        return _entries.decode(raw)
    except UNREADABLE:
        return None


class _Found:
    """What one Bundle came to, entry by entry."""

    def __init__(self) -> None:
        self.resources: list[msgspec.Raw] = []
        self.named: list[tuple[str, msgspec.Raw]] = []
        self.matches = self.unread = 0
        self.warned = self.failed = self.left_out = False

    def take(self, entry: _Entry | None, *, may_tell: bool) -> None:
        """`may_tell`: whether an OperationOutcome is in the Bundle at all; else no entry is asked whether it is one."""
        mode = entry.search.mode if entry is not None and entry.search is not None else None
        if entry is not None and may_tell and type_of(entry.resource) == "OperationOutcome":
            self.warned = True
            self.failed = self.failed or failed(bytes(entry.resource))
            unread = unread_issues(bytes(entry.resource))  # each may say that any number was left out
            self.left_out = self.left_out or bool(unread) or leaves_out(bytes(entry.resource))
            self.unread += unread
            return
        self.matches += mode != "include"
        if entry is None or mode not in _MATCHES or bytes(entry.resource) == b"null":
            self.unread += 1
            return
        self.resources.append(entry.resource)
        if entry.full_url is not None and entry.full_url.startswith("urn:"):
            self.named.append((entry.full_url, entry.resource))

    def page(self, next_url: str | None, total: int | None, *, cut: bool) -> Page:
        """`cut`: there may be more behind a link that cannot be read."""
        if self.failed:
            return Page(SearchResult(failure="fetch-failed"))
        result = SearchResult(
            resources=tuple(self.resources),
            partial=self.warned and bool(self.matches or next_url),
            truncated=cut,
            named=tuple(self.named),
            not_sent=0 if next_url is not None else not_sent(total, self.matches),
            unread_entries=self.unread,
        )
        if not self.resources and next_url is None and result.whole:
            result = SearchResult(supplied="empty")
        return Page(result, next_url, total, self.matches)


def claimed(total: msgspec.Raw) -> int | None:
    """How many matches there are, by the Bundle's own count; -1 for a count that cannot be one."""
    try:
        value = msgspec.json.decode(total)
    except UNREADABLE:
        return -1
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST:
        return -1
    return int(value) if value == int(value) else -1


def not_sent(total: int | None, matches: int) -> int:
    """How many matches exist and did not come; an estimated count is a claim too."""
    if total is None:
        return 0
    return 1 if total < 0 else max(0, total - matches)


def _next(link: msgspec.Raw) -> tuple[str | None, bool]:
    """Where the next page is, and whether there may be one behind a link that cannot be read."""
    if bytes(link) == b"null":
        return None, False
    try:
        links = [_link.decode(one) for one in _links.decode(link)]
    except UNREADABLE:
        return None, True
    for one in links:
        if one.relation == "next":
            return (one.url, False) if is_address(one.url) else (None, True)
    return None, False


def is_address(url: str | None) -> bool:
    """Whether it can be taken apart as a URL is, relative ones too."""
    try:
        return bool(url) and bool(urlsplit(url))
    except ValueError:
        return False


def failed(outcome: bytes) -> bool:
    """Whether an OperationOutcome tells of more than a warning, or of nothing that is known."""
    issues = _issues(outcome)
    return issues is None or any(issue is not None and issue.severity not in _HARMLESS for issue in issues)


def leaves_out(outcome: bytes) -> bool:
    """Whether it says that not all was looked for or given: then what did not come is not known to be absent."""
    return any(issue is not None and str(issue.code) in _LEFT_OUT for issue in _issues(outcome) or ())


def unread_issues(outcome: bytes) -> int:
    """How many of its issues cannot be read: each might say that something is there that was not given."""
    return sum(issue is None or not isinstance(issue.code, str | None) for issue in _issues(outcome) or ())


def _issues(outcome: bytes) -> list[_Issue | None] | None:
    """The issues, None for each that is none; None in all where there is no list of them, or nothing readable in it."""
    try:
        issues = [_read_issue(one) for one in _outcomes.decode(outcome).issue or ()]
    except UNREADABLE:
        return None
    return issues if not issues or any(issues) else None


def _read_issue(raw: msgspec.Raw) -> _Issue | None:
    try:
        return _issue.decode(raw)
    except UNREADABLE:
        return None

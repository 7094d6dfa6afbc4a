"""What the client sent ahead and what its server answered: found, nothing found, failed, left out (P-01..P-06).

The two have readers of their own. `null` says "none" only where a client sends it, and only a client may send one
resource where a search was asked for; an answer of a server is a Bundle of type searchset, or the one resource that was
read. Anything else is no answer: nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import msgspec

from cds_service.patient_data import bundles
from cds_service.patient_data.bundles import UNREADABLE, Page
from fhir_mappings.fhir.resources import Resource
from fhir_mappings.fhir.search_result import SearchResult

__all__ = ["Page", "answered", "joined", "read_page", "sent"]

# A client may have put together what it sends; a server answers a search with a searchset (RESTful API, 3.1.0.8).
_TYPES = {"prefetch": ("searchset", "collection"), "fetched": ("searchset",)}
# What stands for the type that is asked for: names of other FHIR versions are told as such (patient_from_request.py),
# and a search for prescriptions brings what they name.
_ALSO = {
    "MedicationRequest": (
        "MedicationStatement", "Medication", "MedicationOrder", "MedicationPrescription", "MedicationUsage",
    ),
    "ServiceRequest": ("ProcedureRequest", "ReferralRequest", "Order", "ProcedureOrder", "ServiceOrder"),
}  # fmt: skip
# What may be told in place of it: of the same things, and nobody says that nothing else is there.
_KIN: Mapping[str, tuple[str, ...]] = {
    "Condition": ("List",),
    "Procedure": ("List",),
    "Observation": ("List",),
    "DiagnosticReport": ("List",),
    "MedicationRequest": ("MedicationDispense", "MedicationAdministration", "List"),
}
# What is larger is decoded in parts, which fit a processor's cache (fhir_mappings/fhir/decode_resources.py).
_AT_ONCE_BYTES = 256 * 1024
Supplied = Literal["prefetch", "fetched"]


class _HowFound(msgspec.Struct, gc=False):
    mode: Literal["match", "include"] | None = None


class _ReadEntry(msgspec.Struct, gc=False, rename="camel"):
    resource: Resource
    full_url: str = ""
    search: _HowFound | None = None


class _ReadLink(msgspec.Struct, gc=False):
    relation: str
    url: str


class _ReadBundle(msgspec.Struct, gc=False):
    """A Bundle of nothing but what was found, of types that are read; any other is looked at entry by entry."""

    resourceType: Literal["Bundle"]
    meta: msgspec.Raw = bundles.NOTHING
    type: Literal["searchset", "collection"] | None = None
    total: int | None = None
    entry: list[_ReadEntry] = []
    link: list[_ReadLink] = []


_read_bundles = msgspec.json.Decoder(_ReadBundle)


def sent(value: msgspec.Raw, template: str, *, at_once: bool = False) -> Page:
    """The content of one prefetch key, of which `template` tells what was asked for.

    `at_once`: the resources come decoded, where that can be. What is of another type is `other`: the key as if not
    sent, and the resources what they are.
    One resource in place of a Bundle is taken, and as a list of which nobody says that it is whole; so is a Bundle of
    nothing but what tells of the same things in another form (_KIN), where what was asked for cannot be fetched.
    """
    page = read_at_once(value) if at_once else read_page(value)
    result = page.result
    if result.supplied in ("null", "empty") or not result.succeeded:
        return page
    asked = type_asked(template)
    if not _holds(result, (asked, *_ALSO.get(asked, ()))):
        of_its_kin = not result.single and _holds(result, _KIN.get(asked, ()))
        if of_its_kin:
            return _cut(page, other=True)
        return Page(msgspec.structs.replace(read_page(value).result, failure="not-provided", single=False), other=True)
    if result.single and _is_list(template):
        return _cut(page)
    return page


def answered(result: SearchResult, query: str) -> SearchResult:
    """A server's answer to `query`, failed where it is not one: a Bundle to a search, the resource itself to a read."""
    asked = type_asked(query)
    if not result.succeeded or (result.single != ("?" in query) and _holds(result, (asked, *_ALSO.get(asked, ())))):
        return result
    return SearchResult(failure="fetch-failed", supplied="fetched")


def joined(pages: Sequence[Page]) -> SearchResult:
    """What the pages of one search came to; cut where the last that came names another. A failed page is none."""
    first, came = pages[0], [page for page in pages if page.result.succeeded]
    if not first.result.succeeded:
        return first.result
    results = [page.result for page in came]
    last = came[-1]
    claims = [page.claimed for page in came if page.claimed is not None]
    total = None if not claims else min(claims) if min(claims) < 0 else max(claims)
    return msgspec.structs.replace(
        first.result,
        resources=tuple(resource for one in results for resource in one.resources),
        named=tuple(named for one in results for named in one.named),
        partial=any(one.partial for one in results),
        truncated=last.next_url is not None or any(one.truncated for one in results),
        not_sent=0 if last.next_url is not None else bundles.not_sent(total, sum(page.matches for page in came)),
        unread_entries=sum(one.unread_entries for one in results),
    )


def read_at_once(value: msgspec.Raw) -> Page:
    """As `read`; the resources of a Bundle that holds nothing else come decoded, in one pass over its text."""
    if not 0 < len(value) <= _AT_ONCE_BYTES:
        return read_page(value)
    try:
        bundle = _read_bundles.decode(value)
    except UNREADABLE:
        return read_page(value)
    entries, total = bundle.entry, bundle.total
    is_cut = "next" in [one.relation for one in bundle.link] or bundles.REDACTED in bytes(bundle.meta)
    if is_cut or (total is not None and total != len(entries)):
        return read_page(value)
    if not entries:
        return Page(SearchResult(supplied="empty"))
    if any(url.startswith("urn:") for url in {one.full_url for one in entries}):  # a name, which references may use
        return read_page(value)
    return Page(SearchResult(decoded=tuple([one.resource for one in entries])))


def read_page(value: msgspec.Raw, *, supplied: Supplied = "prefetch") -> Page:
    """The content of one prefetch key, or of one answer of a FHIR server.

    A client's `null` and an empty Bundle say that there is nothing; an OperationOutcome that the search failed, or
    with nothing but warnings that there is nothing (DEC-21). What is no FHIR JSON is a failed search.
    """
    raw = bytes(value)
    if raw[:8].strip() == b"null":
        return Page(SearchResult(supplied="null")) if supplied == "prefetch" else _another(supplied)
    if supplied == "fetched" and not _is_utf8(raw):
        return _another(supplied)
    if (page := bundles.read_bundle(raw, _TYPES[supplied])) is not None:
        as_supplied = "empty" if page.result.supplied == "empty" else supplied
        return msgspec.structs.replace(page, result=msgspec.structs.replace(page.result, supplied=as_supplied))
    kind = bundles.type_of(raw)
    if kind == "OperationOutcome":
        return Page(_outcome_alone(raw, supplied))
    if kind is None or kind == "Bundle":
        return _another(supplied)
    return Page(SearchResult(resources=(value,), single=True, supplied=supplied), matches=1)


def _is_utf8(raw: bytes) -> bool:
    try:
        return raw.isascii() or bool(raw.decode())
    except UnicodeDecodeError:
        return False


def _outcome_alone(raw: bytes, supplied: Supplied) -> SearchResult:
    """No answer of a server; from a client, warnings alone say that there is nothing."""
    told = bundles.failed(raw) or bundles.leaves_out(raw) or bundles.unread_issues(raw)
    nothing = supplied == "prefetch" and b'"issue"' in raw and not told
    return SearchResult(supplied="empty") if nothing else SearchResult(failure="fetch-failed", supplied=supplied)


def _another(supplied: Supplied) -> Page:
    return Page(SearchResult(failure="fetch-failed", supplied=supplied), other=True)


def _cut(page: Page, *, other: bool = False) -> Page:
    """The page as one of which nobody says that it is whole; `other`: what was asked for is better fetched."""
    return msgspec.structs.replace(page, result=msgspec.structs.replace(page.result, truncated=True), other=other)


def type_asked(query: str) -> str:
    """The type of resource that a query asks for."""
    return query.partition("?")[0].partition("/")[0]


def _is_list(template: str) -> bool:
    """Whether any number may be found: neither a read, nor a search by id."""
    return "?" in template and "_id=" not in template


def _holds(result: SearchResult, names: Collection[str]) -> bool:
    """Whether something of these types is there, or nothing that is known to be of another."""
    if result.decoded:
        return any(type(one).__name__ in names for one in result.decoded)
    kinds = (bundles.type_of(raw) for raw in result.resources)
    return not result.resources or any(kind is None or kind in names for kind in kinds)

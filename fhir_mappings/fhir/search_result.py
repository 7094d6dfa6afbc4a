"""What was found for one kind of data: resources, nothing, or a failed search, which is not nothing."""

from __future__ import annotations

from typing import Literal

import msgspec

from fhir_mappings.fhir.resources import Resource

Missing = Literal["not-provided", "fetch-failed", "not-authorised", "doubtful"]


class SearchResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The resources of one prefetch key, as JSON each, or why the search failed.

    `failure` None and no resources: the search succeeded and found nothing (DEC-29).
    `truncated`: a next page was not read. `partial`: a warning came beside the matches (DEC-21).
    `decoded`: the same, read already where all could be read at once; `resources` is empty then.
    `named`: those of a Bundle that has given them names of its own (`urn:uuid:…` as fullUrl), by which others may refer
    to them. `not_sent`: entries that exist by the server's own count (`Bundle.total`) and did not come, 1 where that
    count cannot be read. `unread_entries`: entries of the Bundle in which no resource could be found. `single`: one
    resource that stood alone, in no Bundle. `supplied` tells null and empty from found and fetched, for the record: the
    four are different.
    """

    resources: tuple[msgspec.Raw, ...] = ()
    decoded: tuple[Resource, ...] = ()
    failure: Missing | None = None
    truncated: bool = False
    partial: bool = False
    named: tuple[tuple[str, msgspec.Raw], ...] = ()
    not_sent: int = 0
    unread_entries: int = 0
    single: bool = False
    supplied: Literal["prefetch", "null", "empty", "fetched", "not-provided"] = "prefetch"

    @property
    def whole(self) -> bool:
        """Whether everything that exists came and was read: only then is what is not in it known to be absent."""
        return self.succeeded and not (self.truncated or self.partial or self.not_sent or self.unread_entries)

    @property
    def succeeded(self) -> bool:
        """Whether the search was made and answered, with or without a match."""
        return self.failure is None


SearchResults = dict[str, SearchResult]

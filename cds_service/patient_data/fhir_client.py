"""Searches on the EHR's FHIR server with the lent token: parallel, paged on the same origin, inside one deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus

import msgspec

from cds_service.patient_data import prefetch
from cds_service.trust import egress
from cds_service.trust.outbound import Door, OutboundError, Reply
from cds_service.trust.secret import Secret
from fhir_mappings.fhir.search_result import Missing, SearchResult

MAX_PAGES = 10
MAX_ANSWER_BYTES = 20 * 1024 * 1024


class Access(msgspec.Struct, frozen=True):
    """Where to ask, and with what: trust.egress has allowed `base`, and made the door that reaches nothing else."""

    base: str
    token: Secret | None
    door: Door


class FhirClient:
    """The threads in which searches wait side by side, each tenant's own; lives as long as its worker."""

    def __init__(self, *, threads: int) -> None:
        """`threads`: searches under way at once for each tenant, so that one's slow server holds no other's."""
        self._most = threads
        self._lanes: dict[str, ThreadPoolExecutor] = {}
        self._lock = threading.Lock()

    def start(self, access: Access, query: str, *, call_timeout_s: float, deadline: float) -> Future[SearchResult]:
        """Begin one search or read; `deadline` on the monotonic clock bounds all its pages."""
        url = f"{access.base.rstrip('/')}/{query}"
        return self._lane(access).submit(self._all_pages, access, url, call_timeout_s, deadline)

    def resume(
        self, access: Access, page: prefetch.Page, *, call_timeout_s: float, deadline: float
    ) -> Future[SearchResult]:
        """Begin to read on from a Bundle that names a next page; truncated where that page cannot be had."""
        return self._lane(access).submit(self._follow, access, page, call_timeout_s, deadline)

    def pages(self, access: Access, query: str, *, call_timeout_s: float) -> Iterator[SearchResult]:
        """One search page by page, however many there are: for reports, never for an answer. A failed page ends it."""
        url = f"{access.base.rstrip('/')}/{query}"
        while True:
            page = self._get(access, url, call_timeout_s, time.monotonic() + call_timeout_s)
            yield page.result
            following = egress.joined(access.base, page.next_url) if page.next_url is not None else None
            if following is None:
                return
            url = following

    def close(self) -> None:
        """Let go of the threads."""
        with self._lock:
            for lane in self._lanes.values():
                lane.shutdown(wait=False, cancel_futures=True)

    def _lane(self, access: Access) -> ThreadPoolExecutor:
        if (lane := self._lanes.get(access.door.owner)) is not None:
            return lane
        with self._lock:
            made = ThreadPoolExecutor(max_workers=self._most, thread_name_prefix="fhir")
            return self._lanes.setdefault(access.door.owner, made)

    def _all_pages(self, access: Access, url: str, call_timeout_s: float, deadline: float) -> SearchResult:
        return self._follow(access, self._get(access, url, call_timeout_s, deadline), call_timeout_s, deadline)

    def _follow(self, access: Access, page: prefetch.Page, call_timeout_s: float, deadline: float) -> SearchResult:
        pages = [page]
        for _ in range(MAX_PAGES - 1):
            url = egress.joined(access.base, page.next_url) if page.next_url is not None else None
            if url is None:
                break
            page = self._get(access, url, call_timeout_s, deadline)
            if not page.result.succeeded:
                break
            pages.append(page)
        return prefetch.joined(pages)

    def _get(self, access: Access, url: str, call_timeout_s: float, deadline: float) -> prefetch.Page:
        until = min(deadline, time.monotonic() + call_timeout_s)
        try:
            reply = access.door.get(url, until=until, at_most_bytes=MAX_ANSWER_BYTES, headers=_headers(access))
        except OutboundError:
            return _failed("fetch-failed")
        return _page(reply)


def _headers(access: Access) -> dict[str, str]:
    token = {"Authorization": f"Bearer {access.token.reveal()}"} if access.token is not None else {}
    return {"Accept": "application/fhir+json", **token}


def _page(reply: Reply) -> prefetch.Page:
    if reply.status in (401, 403):
        return _failed("not-authorised")
    if reply.status != HTTPStatus.OK:
        return _failed("fetch-failed")
    return prefetch.read_page(msgspec.Raw(reply.body), supplied="fetched")


def _failed(why: Missing) -> prefetch.Page:
    return prefetch.Page(SearchResult(failure=why, supplied="fetched"))

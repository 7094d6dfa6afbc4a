"""Searches on the EHR's FHIR server with the lent token: parallel, paged on the same origin, inside one deadline."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urljoin

import msgspec
import requests

from cds_service.patient_data import prefetch
from cds_service.trust import egress
from cds_service.trust.secret import Secret
from fhir_mappings.search_result import Missing, SearchResult

MAX_PAGES = 10
MAX_ANSWER_BYTES = 20 * 1024 * 1024
CHUNK_BYTES = 64 * 1024


class Access(msgspec.Struct, frozen=True):
    """Where to ask, and with what: trust.egress has allowed `base`, and made the session that reaches nothing else."""

    base: str
    token: Secret | None
    session: requests.Session


class FhirClient:
    """The threads in which searches wait side by side; lives as long as its worker."""

    def __init__(self, *, threads: int) -> None:
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="fhir")

    def start(self, access: Access, query: str, *, call_timeout_s: float, deadline: float) -> Future[SearchResult]:
        """Begin one search or read; `deadline` on the monotonic clock bounds all its pages."""
        url = f"{access.base.rstrip('/')}/{query}"
        return self._threads.submit(self._all_pages, access, url, call_timeout_s, deadline)

    def resume(
        self, access: Access, page: prefetch.Page, *, call_timeout_s: float, deadline: float
    ) -> Future[SearchResult]:
        """Begin to read on from a Bundle that names a next page; truncated where that page cannot be had."""
        return self._threads.submit(self._follow, access, page, call_timeout_s, deadline)

    def pages(self, access: Access, query: str, *, call_timeout_s: float) -> Iterator[SearchResult]:
        """One search page by page, however many there are: for reports, never for an answer. A failed page ends it."""
        url = f"{access.base.rstrip('/')}/{query}"
        while True:
            page = self._get(access, url, call_timeout_s, time.monotonic() + call_timeout_s)
            yield page.result
            if page.next_url is None:
                return
            url = urljoin(f"{access.base.rstrip('/')}/", page.next_url)
            if not egress.within(url, access.base):
                return

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _all_pages(self, access: Access, url: str, call_timeout_s: float, deadline: float) -> SearchResult:
        return self._follow(access, self._get(access, url, call_timeout_s, deadline), call_timeout_s, deadline)

    def _follow(self, access: Access, page: prefetch.Page, call_timeout_s: float, deadline: float) -> SearchResult:
        first = page.result
        resources, partial = list(first.resources), first.partial
        for _ in range(MAX_PAGES - 1):
            if page.next_url is None:
                break
            url = urljoin(f"{access.base.rstrip('/')}/", page.next_url)
            if not egress.within(url, access.base):
                break
            following = self._get(access, url, call_timeout_s, deadline)
            if not following.result.succeeded:
                break
            page = following
            resources.extend(page.result.resources)
            partial = partial or page.result.partial
        if not first.succeeded:
            return first
        return msgspec.structs.replace(
            first, resources=tuple(resources), partial=partial, truncated=page.next_url is not None
        )

    def _get(self, access: Access, url: str, call_timeout_s: float, deadline: float) -> prefetch.Page:
        until = min(deadline, time.monotonic() + call_timeout_s)
        try:
            request = _request(access, url)
            left_s = until - time.monotonic()
            if left_s <= 0:
                return _failed("fetch-failed")
            with access.session.send(request, timeout=left_s, allow_redirects=False, stream=True) as response:
                return _page(response, until)
        except (requests.RequestException, OSError):
            return _failed("fetch-failed")


def _request(access: Access, url: str) -> requests.PreparedRequest:
    """A search as it is sent: prepared apart, because the session's own merging takes as long as the sending."""
    headers = {**access.session.headers, "Accept": "application/fhir+json"}
    if access.token is not None:
        headers["Authorization"] = f"Bearer {access.token.reveal()}"
    request = requests.PreparedRequest()
    request.prepare(method="GET", url=url, headers=headers)
    return request


def _page(response: requests.Response, until: float) -> prefetch.Page:
    if response.status_code in (401, 403):
        return _failed("not-authorised")
    if response.status_code != 200:
        return _failed("fetch-failed")
    body = bytearray()
    for chunk in response.iter_content(CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES or time.monotonic() > until:
            return _failed("fetch-failed")
    return prefetch.read(msgspec.Raw(bytes(body)), supplied="fetched")


def _failed(why: Missing) -> prefetch.Page:
    return prefetch.Page(SearchResult(failure=why, supplied="fetched"))

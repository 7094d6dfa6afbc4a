"""One SearchResult for every prefetch key: what was sent, else what the FHIR server has, else why there is nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

import msgspec

from cds_service.hooks.errors import DataUnobtainable
from cds_service.patient_data import prefetch
from cds_service.patient_data.fhir_client import Access, FhirClient
from fhir_mappings.search_result import SearchResult, SearchResults

REQUIRED_KEY = "patient"
_TOKEN = re.compile(r"\{\{([^}]*)\}\}")


class Budget(msgspec.Struct, frozen=True):
    """How long fetching may take: one call, and all of it (seconds; `until` on the monotonic clock)."""

    call_s: float
    until: float


def gather(
    sent: Mapping[str, msgspec.Raw],
    *,
    templates: Mapping[str, str],
    tokens: Mapping[str, str | None],
    client: FhirClient,
    access: Access | None,
    budget: Budget,
) -> SearchResults:
    """Prefetch first; each key that was left out is fetched, all at once.

    Raises DataUnobtainable (412), naming the key, where the patient was neither sent nor can be had. A key that
    was sent, be it `null`, empty or an error, is never asked for again (P-03, P-04).
    """
    results: SearchResults = {}
    running: dict[str, Future[SearchResult]] = {}
    for key, template in templates.items():
        if key in sent:
            page = prefetch.read(sent[key])
            if page.next_url is None or access is None:
                results[key] = msgspec.structs.replace(page.result, truncated=page.next_url is not None)
            else:
                running[key] = client.resume(access, page, call_timeout_s=budget.call_s, deadline=budget.until)
        elif access is None or (query := resolve(template, tokens)) is None:
            results[key] = SearchResult(failure="not-provided", supplied="not-provided")
        else:
            running[key] = client.start(access, query, call_timeout_s=budget.call_s, deadline=budget.until)
    for key, search in running.items():
        results[key] = _wait(search, budget)
    patient = results[REQUIRED_KEY]
    if not patient.succeeded:
        raise DataUnobtainable(
            "Patient data needed for the estimate could not be obtained.",
            diagnostics=f"prefetch key '{REQUIRED_KEY}': {patient.failure}",
        )
    return results


def resolve(template: str, tokens: Mapping[str, str | None]) -> str | None:
    """The query of a prefetch template; None where the request has no value for one of its tokens."""
    names = _TOKEN.findall(template)
    if any(not tokens.get(name) for name in names):
        return None
    return _TOKEN.sub(lambda match: str(tokens[match.group(1)]), template)


def _wait(search: Future[SearchResult], budget: Budget) -> SearchResult:
    try:
        return search.result(timeout=max(0.0, budget.until - time.monotonic()))
    except FutureTimeout:
        search.cancel()
        return SearchResult(failure="fetch-failed", supplied="fetched")

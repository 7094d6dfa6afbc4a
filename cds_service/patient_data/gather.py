"""One SearchResult for every prefetch key: what was sent, else what the FHIR server has, else why there is nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from urllib.parse import quote

import msgspec

from cds_service.hooks.errors import DataUnobtainable
from cds_service.patient_data import prefetch
from cds_service.patient_data.fhir_client import Access, FhirClient
from fhir_mappings import references
from fhir_mappings.search_result import SearchResult, SearchResults

REQUIRED_KEY = "patient"
MEDICATIONS_KEY = "medications"
# A single resource is no Bundle; what prescriptions name may have to be fetched, for which they are needed raw.
_AS_THEY_CAME = frozenset({"patient", MEDICATIONS_KEY})
MAX_MEDICATIONS = 40  # more different medicines than a list of active prescriptions holds
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
    fetch_medications: bool = True,
) -> SearchResults:
    """Prefetch first; each key that was left out is fetched, all at once.

    Raises DataUnobtainable (412), naming the key, where the patient was neither sent nor can be had. A key that
    was sent, be it `null`, empty or an error, is never asked for again (P-03, P-04). `fetch_medications`: a Medication
    that a prescription names and that did not come with it is read too.
    """
    results: SearchResults = {}
    running: dict[str, Future[SearchResult]] = {}
    for key, template in templates.items():
        if key in sent:
            page = (prefetch.read if key in _AS_THEY_CAME else prefetch.read_at_once)(sent[key])
            if page.next_url is None or access is None:
                cut = page.next_url is not None
                results[key] = msgspec.structs.replace(page.result, truncated=True) if cut else page.result
            else:
                running[key] = client.resume(access, page, call_timeout_s=budget.call_s, deadline=budget.until)
        elif access is None or (query := resolve(template, tokens)) is None:
            results[key] = SearchResult(failure="not-provided", supplied="not-provided")
        else:
            running[key] = client.start(access, query, call_timeout_s=budget.call_s, deadline=budget.until)
    if (search := running.pop(MEDICATIONS_KEY, None)) is not None:
        results[MEDICATIONS_KEY] = _wait(search, budget)
    reads = _medication_reads(results, client, access, budget) if fetch_medications else []
    for key, search in running.items():
        results[key] = _wait(search, budget)
    if reads:
        results[MEDICATIONS_KEY] = _with_reads(results[MEDICATIONS_KEY], [_wait(read, budget) for read in reads])
    patient = results[REQUIRED_KEY]
    if not patient.succeeded:
        raise DataUnobtainable(
            "Patient data needed for the estimate could not be obtained.",
            diagnostics=f"prefetch key '{REQUIRED_KEY}': {patient.failure}{_not_asked(access)}",
        )
    return results


def _not_asked(access: Access | None) -> str:
    """Why it was known at once: the server failed again and again, and is asked by a probe only."""
    is_away = access is not None and access.door.is_open_for(access.base)
    return " (the FHIR server has not answered lately and is not asked every time)" if is_away else ""


def _medication_reads(
    results: SearchResults, client: FhirClient, access: Access | None, budget: Budget
) -> list[Future[SearchResult]]:
    """Begun as soon as the prescriptions are there: each medicine that they only name, side by side (messy case 34)."""
    prescribed = results.get(MEDICATIONS_KEY)
    if access is None or prescribed is None:
        return []
    wanted = references.unresolved_medications(prescribed, access.base)[:MAX_MEDICATIONS]
    return [client.start(access, one, call_timeout_s=budget.call_s, deadline=budget.until) for one in wanted]


def _with_reads(prescribed: SearchResult, reads: list[SearchResult]) -> SearchResult:
    """The prescriptions with their medicines. One that cannot be read stays unknown ("medication list incomplete")."""
    found = tuple(resource for read in reads for resource in read.resources)
    return msgspec.structs.replace(prescribed, resources=prescribed.resources + found)


def resolve(template: str, tokens: Mapping[str, str | None]) -> str | None:
    """The query of a prefetch template; None where the request has no value for one of its tokens.

    A value is one value of the query, whatever it holds: it adds no parameter and leaves no path.
    """
    names = _TOKEN.findall(template)
    if any(not tokens.get(name) for name in names):
        return None
    return _TOKEN.sub(lambda match: quote(str(tokens[match.group(1)]), safe="/"), template)


def _wait(search: Future[SearchResult], budget: Budget) -> SearchResult:
    try:
        return search.result(timeout=max(0.0, budget.until - time.monotonic()))
    except FutureTimeout:
        search.cancel()
        return SearchResult(failure="fetch-failed", supplied="fetched")

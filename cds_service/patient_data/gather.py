"""One SearchResult for every prefetch key: what was sent, else what the FHIR server has, else why there is nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from urllib.parse import quote

import msgspec

from cds_service.hooks.context import is_fhir_id
from cds_service.patient_data import bundles, prefetch
from cds_service.patient_data.fhir_client import Access, FhirClient
from cds_service.trust.errors import DataUnobtainable
from fhir_mappings.fhir import references
from fhir_mappings.fhir.search_result import SearchResult, SearchResults

REQUIRED_KEY = "patient"
MEDICATIONS_KEY = "medications"
# A single resource is no Bundle; what prescriptions name may have to be fetched, for which they are needed raw.
_AS_THEY_CAME = frozenset({"patient", MEDICATIONS_KEY})
# What is searched for by code: laboratory; vital signs, smoking and whatever else is observed.
BY_CODE = ("labs", "observations")
MAX_MEDICATIONS = 40  # more different medicines than a list of active prescriptions holds
_TOKEN = re.compile(r"\{\{([^{}]*)\}\}")


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
    was sent, be it `null`, empty or an error, is never asked for again (P-03, P-04, DEC-21); where another type was
    sent it is, and what was sent is read as what it is. `fetch_medications`: a Medication that a prescription names and
    that did not come with it is read too.
    """
    results: SearchResults = {}
    running: dict[str, Future[SearchResult]] = {}
    asked: dict[str, str] = {}
    pages = _pages(sent, templates)
    for key, template in templates.items():
        query = resolve(template, tokens) if access is not None else None
        page = pages.get(key)
        if page is not None and not (page.other and query):
            if page.next_url is None or access is None:
                results[key] = cut_short(page)
            else:
                running[key] = client.resume(access, page, call_timeout_s=budget.call_s, deadline=budget.until)
        elif access is None or query is None:
            results[key] = SearchResult(failure="not-provided", supplied="not-provided")
        else:
            running[key] = client.start(access, query, call_timeout_s=budget.call_s, deadline=budget.until)
            asked[key] = query
    if (search := running.pop(MEDICATIONS_KEY, None)) is not None:
        results[MEDICATIONS_KEY] = wait(search, budget.until, asked.get(MEDICATIONS_KEY))
    reads = _medication_reads(results, client, access, budget) if fetch_medications else []
    for key, search in running.items():
        results[key] = wait(search, budget.until, asked.get(key))
    if reads:
        found = [wait(read, budget.until, "Medication/") for read in reads]
        results[MEDICATIONS_KEY] = _with_reads(results[MEDICATIONS_KEY], found)
    results |= _doubtful(results, asked)
    results |= {
        key: _with_reads(results[key], [pages[key].result]) for key in asked if key in pages and _is_stray(pages[key])
    }
    patient = results[REQUIRED_KEY]
    if not patient.succeeded:
        raise DataUnobtainable(
            "Patient data needed for the estimate could not be obtained.",
            diagnostics=f"prefetch key '{REQUIRED_KEY}': {patient.failure}{_not_asked(access)}",
        )
    return results


def _doubtful(results: SearchResults, asked: Mapping[str, str]) -> SearchResults:
    """Searches by code that all found nothing, beside a filled problem list or one that was searched in vain as well.

    A server that does not read the codes of a search as they were sent answers so, and so does one that lost them on
    the way, or knows none of the parameters. Labs, vital signs and smoking of a person who is treated are not all
    unrecorded; of one who is new to the hospital it is true as well that all searches came back empty.
    """
    by_code = [key for key in BY_CODE if key in results]
    problems = results.get("conditions")
    is_filled = problems is not None and bool(problems.resources or problems.decoded)
    if not is_filled and "conditions" not in asked:
        return {}
    if any(key not in asked or results[key].supplied != "empty" for key in by_code):
        return {}
    return {key: SearchResult(failure="doubtful", supplied="fetched") for key in by_code}


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
    named = references.unresolved_medications(prescribed, access.base)
    wanted = [one for one in named if is_fhir_id(one.rpartition("/")[2])][:MAX_MEDICATIONS]
    return [client.start(access, one, call_timeout_s=budget.call_s, deadline=budget.until) for one in wanted]


def _with_reads(prescribed: SearchResult, reads: list[SearchResult]) -> SearchResult:
    """The prescriptions with their medicines. One that cannot be read stays unknown ("medication list incomplete")."""
    found = tuple(resource for read in reads for resource in read.resources)
    return msgspec.structs.replace(prescribed, resources=prescribed.resources + found)


def resolve(template: str, tokens: Mapping[str, str | None]) -> str | None:
    """The query of a prefetch template; None where the request has no value for one of its tokens.

    Each value is percent-encoded by itself, as every server has to take it; some lose a slash of `http://…|code`
    that is not. Commas stay: they part the values of a search.
    """
    names = _TOKEN.findall(template)
    if any(not tokens.get(name) for name in names):
        return None
    path, mark, parameters = template.partition("?")
    pairs = [one.partition("=") for one in parameters.split("&")]
    asked = "&".join(f"{name}{equals}{_encoded(value, tokens, safe=',')}" for name, equals, value in pairs)
    return f"{_encoded(path, tokens, safe='/')}{mark}{asked}"


def encoded(template: str) -> str:
    """The template as a client can use it whatever it does itself: every value percent-encoded, every token as it is.

    Behind the SMART launcher every `//` of a URL becomes one slash, and a search for `http:/loinc.org|…` finds nothing.
    """
    parts = _TOKEN.split(template)
    named = {name: f"{{{{{name}}}}}" for name in parts[1::2]}
    in_its_place = {name: f"token-{at}-" for at, name in enumerate(named)}
    query = resolve(template, in_its_place) or template
    for name, placed in in_its_place.items():
        query = query.replace(placed, named[name])
    return query


def _encoded(text: str, tokens: Mapping[str, str | None], *, safe: str) -> str:
    """The text with its tokens replaced; what stands for one cannot end the value or the path.

    What is encoded already stays as it is: a template of discovery comes back here.
    """
    parts = _TOKEN.split(text)  # every second one is the name of a token
    return "".join(
        quote(str(tokens[one]), safe="") if at % 2 else quote(one, safe=f"{safe}%") for at, one in enumerate(parts)
    )


def _pages(sent: Mapping[str, msgspec.Raw], templates: Mapping[str, str]) -> dict[str, prefetch.Page]:
    """What was sent under each key; of what is of another type, that of types that some key asks for."""
    pages = {
        key: prefetch.sent(sent[key], template, at_once=key not in _AS_THEY_CAME)
        for key, template in templates.items()
        if key in sent
    }
    return {key: _without_others(page, templates) if _is_stray(page) else page for key, page in pages.items()}


def _is_stray(page: prefetch.Page) -> bool:
    """Whether it holds resources, and none of what its key asks for."""
    return page.other and not page.result.succeeded and bool(page.result.resources)


def _without_others(page: prefetch.Page, templates: Mapping[str, str]) -> prefetch.Page:
    types = {prefetch.type_asked(one) for one in templates.values()}
    kept = tuple(one for one in page.result.resources if bundles.type_of(one) in types)
    return msgspec.structs.replace(page, result=msgspec.structs.replace(page.result, resources=kept))


def cut_short(page: prefetch.Page) -> SearchResult:
    """What one page holds, where no other is read."""
    cut = page.next_url is not None
    return msgspec.structs.replace(page.result, truncated=True) if cut else page.result


def wait(search: Future[SearchResult], until: float, query: str | None = None) -> SearchResult:
    """The search's result; failed where it is late, or no answer to `query` (None: a page that was read on from)."""
    try:
        result = search.result(timeout=max(0.0, until - time.monotonic()))
    except FutureTimeout:
        search.cancel()
        return SearchResult(failure="fetch-failed", supplied="fetched")
    return result if query is None else prefetch.answered(result, query)

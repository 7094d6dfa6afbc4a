"""A site's data for the mapping report, from its FHIR server: patient by patient by search, or whole by Bulk Data.

Nothing of it is kept: searches live as long as one patient is counted, an export in a temporary folder.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future

import msgspec

from cds_service.patient_data.fhir_client import Access, FhirClient
from cds_service.trust import egress
from cds_service.trust.secret import Secret
from fhir_mappings.fhir import references
from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.report.mapping_counts import CountedPerson

CALL_S = 60.0
_PAGE = 200
_AHEAD = 4  # patients whose searches are under way while one is counted
# As the hook asks, but not narrowed to codes that are known: what is not mapped is what the report is for.
_SEARCHES = {
    "conditions": "Condition?patient={}",
    "observations": "Observation?patient={}&_sort=-date",
    "medications": "MedicationRequest?patient={}",
    "procedures": "Procedure?patient={}",
    "reports": "DiagnosticReport?patient={}",
    "orders": "ServiceRequest?patient={}",
    "appointments": "Appointment?patient={}",
}
_ORDERS = ("orders", "appointments")


class ExportError(Exception):
    """The FHIR server does not give what was asked for; the message says what it answered, never whose data."""


class ExportServer(msgspec.Struct, frozen=True):
    """A FHIR server and the threads that wait for it."""

    access: Access
    client: FhirClient


def server(base: str, token: str | None, *, threads: int = 16) -> ExportServer:
    """The server at `base`: the door reaches nothing else. Raises ExportError for what is no http(s) URL."""
    if not egress.within(base, base) or "?" in base:
        raise ExportError(f"{base!r} is not the base URL of a FHIR server")
    door = egress.export_door(base, connections=threads)
    return ExportServer(Access(base.rstrip("/"), Secret(token) if token else None, door), FhirClient(threads=threads))


def patient_ids(of: ExportServer, *, at_most: int | None = None) -> tuple[str, ...]:
    """The ids of the server's patients, page after page. Raises ExportError where it does not list them."""
    found: list[str] = []
    for page in of.client.pages(of.access, f"Patient?_elements=id&_count={_PAGE}", call_timeout_s=CALL_S):
        if not page.succeeded:
            raise ExportError(f"the server does not list its patients ({page.failure}); name them with --patients")
        found += [str(msgspec.json.decode(raw).get("id")) for raw in page.resources]
        if at_most is not None and len(found) >= at_most:
            return tuple(found[:at_most])
    return tuple(found)


def people(of: ExportServer, ids: Sequence[str]) -> Iterator[CountedPerson]:
    """Each patient with what the searches found, a few patients ahead of the one that is being counted."""
    waiting: deque[tuple[str, dict[str, Future[SearchResult]]]] = deque()
    for patient_id in ids:
        waiting.append((patient_id, _begin(of, patient_id)))
        if len(waiting) > _AHEAD:
            yield _person(of, *waiting.popleft())
    while waiting:
        yield _person(of, *waiting.popleft())


def _begin(of: ExportServer, patient_id: str) -> dict[str, Future[SearchResult]]:
    asked = {"patient": f"Patient/{patient_id}"}
    asked |= {key: f"{query.format(patient_id)}&_count={_PAGE}" for key, query in _SEARCHES.items()}
    return _started(of, asked)


def _started(of: ExportServer, asked: dict[str, str]) -> dict[str, Future[SearchResult]]:
    deadline = time.monotonic() + 10 * CALL_S
    return {
        key: of.client.start(of.access, query, call_timeout_s=CALL_S, deadline=deadline) for key, query in asked.items()
    }


def _person(of: ExportServer, patient_id: str, searches: dict[str, Future[SearchResult]]) -> CountedPerson:
    found = {key: search.result() for key, search in searches.items()}
    wanted = references.unresolved_medications(found["medications"], of.access.base)
    reads = [read.result() for read in _started(of, dict(zip(wanted, wanted, strict=True))).values()]
    medicines = found["medications"].resources + _together(reads)
    found["medications"] = msgspec.structs.replace(found["medications"], resources=medicines)
    found["labs"] = SearchResult(  # every Observation stands under "observations"; how far it was seen holds for both
        failure=found["observations"].failure, truncated=found["observations"].truncated, supplied="fetched"
    )
    orders = _together(found[key] for key in _ORDERS)
    found |= {key: msgspec.structs.replace(found[key], resources=()) for key in _ORDERS}  # how far they were seen
    return CountedPerson(patient_id, found, orders)


def _together(results: Iterable[SearchResult]) -> tuple[msgspec.Raw, ...]:
    return tuple(raw for result in results for raw in result.resources)

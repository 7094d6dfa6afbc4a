"""However a FHIR server cuts its answers into pages, every input ends the same; through the code that follows pages."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cds_service.patient_data import fhir_client
from cds_service.patient_data.fhir_client import Access, FhirClient
from cds_service.patient_data.gather import Budget, gather
from cds_service.trust import egress
from cds_service.trust.outbound import Door
from fhir_mappings.features import features
from fhir_mappings.fhir.search_result import SearchResults
from fhir_mappings.report import bulk
from fhir_mappings.results.feature import Features
from tests import builders
from tests.cds_service.patient_data.fhir_server import FhirServer, serving
from tests.fhir_mappings import cohorts
from tests.fhir_mappings.cohorts import KINDS, Person

LONG_S = 60.0  # what is tested is not speed
TEMPLATES = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}",
    "observations": "Observation?patient={{context.patientId}}",
    "medications": "MedicationRequest?patient={{context.patientId}}",
    "procedures": "Procedure?patient={{context.patientId}}",
}


@dataclass
class Pages:
    """A FHIR server's answers for one person, in pages of `size` of the resources of one type."""

    resources: dict[str, list[bytes]] = field(default_factory=dict)
    size: int = 1

    def respond(self, path: str) -> tuple[int, Any]:
        url = urlsplit(path)
        kind = url.path.removeprefix("/fhir/").split("/")[0]
        found = self.resources.get(kind, [])
        if "/" in url.path.removeprefix("/fhir/"):
            return (200, found[0]) if kind == "Patient" else (404, {})
        start = int(parse_qs(url.query).get("from", ["0"])[0])
        page = found[start : start + self.size]
        link = []
        if start + self.size < len(found):
            link = [{"relation": "next", "url": f"{kind}?from={start + self.size}"}]
        head = json.dumps({"resourceType": "Bundle", "type": "searchset", "link": link}).encode()
        entries = b",".join(b'{"resource":' + one + b"}" for one in page)
        return 200, head[:-1] + b',"entry":[' + entries + b"]}"

    def hold(self, one: Person) -> None:
        """From now on these are the answers."""
        self.resources = {}
        for raw in one.resources:
            self.resources.setdefault(bulk.type_of(raw), []).append(bytes(raw).strip())

    @property
    def longest(self) -> int:
        return max(len(found) for found in self.resources.values())


@pytest.fixture(scope="module")
def client() -> Iterator[FhirClient]:
    made = FhirClient(threads=4)
    yield made
    made.close()


def fetched(one: Person, client: FhirClient, server: FhirServer, door: Door) -> SearchResults:
    return gather(
        {},
        templates=TEMPLATES,
        tokens={"context.patientId": one.id},
        client=client,
        access=Access(server.base, None, door),
        budget=Budget(call_s=LONG_S, until=time.monotonic() + LONG_S),
        fetch_medications=False,
    )


def derived(one: Person, results: SearchResults) -> Features:
    record = bulk.record(results, patient_id=one.id, as_of=one.as_of, zone=builders.ZONE, maps=builders.DEMO_MAPS)
    return features.derive(record, builders.a_planned_procedure())


@pytest.mark.parametrize("kind", KINDS)
def test_the_size_of_a_page_never_matters(kind: str, client: FhirClient) -> None:
    """Everybody, each with a page size of their own: from all on one page to as many pages as are followed.

    Of Synthea's two hundred, whose records are long, every third.
    """
    chance, wrong, pages = random.Random(20261124), {}, Pages()
    people = cohorts.everybody(kind)[:: 3 if kind == "synthea" else 1]
    with serving(pages.respond) as server:
        door = egress.export_door(server.base, connections=8)
        for one in people:
            pages.hold(one)
            pages.size = pages.longest
            whole = derived(one, fetched(one, client, server, door))
            pages.size = chance.randint(math.ceil(pages.longest / fhir_client.MAX_PAGES), pages.longest)
            results = fetched(one, client, server, door)
            if any(result.truncated for result in results.values()) or derived(one, results) != whole:
                wrong[one.id] = pages.size
    assert wrong == {}


def test_a_page_more_than_is_followed_is_told(client: FhirClient) -> None:
    """One page too many: what was not read is not "none recorded" (inputs 1.1)."""
    one, pages = cohorts.everybody("demo")[0], Pages(size=1)
    with serving(pages.respond) as server:
        door = egress.export_door(server.base, connections=8)
        pages.hold(one)
        kind, found = "Condition", pages.resources["Condition"]
        pages.resources[kind] = [*found, *found * fhir_client.MAX_PAGES][: fhir_client.MAX_PAGES + 1]
        results = fetched(one, client, server, door)
    assert results["conditions"].truncated
    assert derived(one, results)["dementia"].reason == "truncated"

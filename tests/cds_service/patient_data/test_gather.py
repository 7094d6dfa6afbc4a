"""Prefetch first, then the FHIR server, inside one deadline; without the patient there is an error, not silence."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from cds_service.patient_data.fhir_client import Access, FhirClient
from cds_service.patient_data.gather import Budget, gather, resolve
from cds_service.trust import egress
from cds_service.trust.errors import DataUnobtainable
from cds_service.trust.secret import Secret
from fhir_mappings.fhir.search_result import SearchResults
from tests.cds_service.patient_data.fhir_server import FhirServer, serving
from tests.patience import tried_again

TEMPLATES = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}",
    "encounter": "Encounter?_id={{context.encounterId}}",
}
PATIENT = {"resourceType": "Patient", "id": "pt-1"}
EMPTY = {"resourceType": "Bundle", "type": "searchset"}


@pytest.fixture
def client() -> Iterator[FhirClient]:
    made = FhirClient(threads=8)
    yield made
    made.close()


def found(path: str) -> tuple[int, Any]:
    return (200, PATIENT) if path.startswith("/fhir/Patient/") else (200, EMPTY)


def run(
    client: FhirClient, server: FhirServer | None, sent: dict[str, Any] | None = None, *, budget_s: float = 20.0
) -> SearchResults:
    return gather(
        {key: msgspec.Raw(json.dumps(value).encode()) for key, value in (sent or {}).items()},
        templates=TEMPLATES,
        tokens={"context.patientId": "pt-1", "context.encounterId": None},
        client=client,
        access=Access(server.base, Secret("lent-token"), egress.export_door(server.base, connections=8))
        if server
        else None,
        budget=Budget(call_s=budget_s, until=time.monotonic() + budget_s),
    )


def test_a_key_that_was_sent_is_never_asked_for(client: FhirClient) -> None:
    with serving(found) as server:
        results = run(client, server, {"patient": PATIENT, "conditions": None})
    assert server.seen == []
    assert results["conditions"].supplied == "null"


def test_only_the_key_that_was_left_out_is_fetched_with_the_lent_token(client: FhirClient) -> None:
    with serving(found) as server:
        results = run(client, server, {"patient": PATIENT})
    assert server.seen == [("/fhir/Condition?patient=pt-1", "Bearer lent-token")]
    assert results["conditions"].succeeded


def test_a_template_without_its_token_is_not_asked(client: FhirClient) -> None:
    with serving(found) as server:
        assert run(client, server)["encounter"].failure == "not-provided"
    assert not any("Encounter" in path for path in server.paths)
    assert resolve("A/{{context.userId}}", {}) is None


def test_without_access_what_was_left_out_is_not_provided(client: FhirClient) -> None:
    assert run(client, None, {"patient": PATIENT})["conditions"].failure == "not-provided"


def test_without_the_patient_the_key_is_named(client: FhirClient) -> None:
    with pytest.raises(DataUnobtainable) as error:
        run(client, None)
    assert error.value.status == 412
    assert "'patient'" in str(error.value.diagnostics)


@pytest.mark.parametrize("status", [401, 403, 404, 500, 302])
def test_a_patient_that_the_server_does_not_give_is_unobtainable(client: FhirClient, status: int) -> None:
    with serving(lambda _: (status, EMPTY), location="http://127.0.0.1:9/") as server:
        with pytest.raises(DataUnobtainable):
            run(client, server)
        assert len([path for path in server.paths if "Patient/" in path]) == 1


def test_a_patient_that_was_sent_as_null_is_not_an_error(client: FhirClient) -> None:
    assert run(client, None, {"patient": None})["patient"].supplied == "null"


@pytest.mark.parametrize(("status", "failure"), [(403, "not-authorised"), (404, "fetch-failed"), (500, "fetch-failed")])
def test_a_failed_search_is_not_an_empty_one(client: FhirClient, status: int, failure: str) -> None:
    with serving(lambda path: found(path) if "Patient/" in path else (status, EMPTY)) as server:
        assert run(client, server)["conditions"].failure == failure


def test_a_closed_port_is_a_failed_search(client: FhirClient) -> None:
    assert run(client, FhirServer("http://127.0.0.1:9/fhir"), {"patient": PATIENT})["conditions"].failure


@tried_again
def test_searches_run_side_by_side(client: FhirClient) -> None:
    with serving(found, delay_s=1.0) as server:
        started = time.monotonic()
        run(client, server)
        assert time.monotonic() - started < 2.0, "one after the other"


@tried_again
def test_a_slow_server_does_not_hold_the_answer_beyond_the_budget(client: FhirClient) -> None:
    with serving(found, delay_s=2.0) as server:
        started = time.monotonic()
        assert run(client, server, {"patient": PATIENT}, budget_s=0.2)["conditions"].failure == "fetch-failed"
        assert time.monotonic() - started < 1.0


def paged(next_url: str) -> Any:
    page = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Condition", "id": "a"}}]}
    last = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Condition", "id": "b"}}]}

    def respond(path: str) -> tuple[int, Any]:
        if "Condition?patient" in path:
            return 200, page | {"link": [{"relation": "next", "url": next_url}]}
        return (200, last) if "page=2" in path else found(path)

    return respond


@pytest.mark.parametrize("next_url", ["Condition?page=2", "/fhir/Condition?page=2"])
def test_the_next_page_is_read(client: FhirClient, next_url: str) -> None:
    with serving(paged(next_url)) as server:
        conditions = run(client, server)["conditions"]
    assert (len(conditions.resources), conditions.truncated) == (2, False)


def test_a_next_page_elsewhere_is_not_read_and_the_list_counts_as_cut(client: FhirClient) -> None:
    with serving(found) as elsewhere, serving(paged(f"{elsewhere.base}/Condition?page=2")) as server:
        conditions = run(client, server)["conditions"]
    assert elsewhere.seen == []
    assert (len(conditions.resources), conditions.truncated) == (1, True)


def test_a_sent_page_is_read_on_with_the_token_and_is_cut_without(client: FhirClient) -> None:
    first = {"resourceType": "Bundle", "link": [{"relation": "next", "url": "Condition?page=2"}], "entry": []}
    with serving(paged("")) as server:
        assert len(run(client, server, {"patient": PATIENT, "conditions": first})["conditions"].resources) == 1
    assert run(client, None, {"patient": PATIENT, "conditions": first})["conditions"].truncated


@pytest.mark.parametrize("odd", ["x&_count=1", "x?y", "x#y", "x%26y", "x y", "x|y", "x\r\ny", "x☃", "x;y=1", "x=y"])
def test_an_id_is_one_value_of_the_query_whatever_it_holds(odd: str) -> None:
    query = resolve("Condition?patient={{context.patientId}}&_sort=-date", {"context.patientId": odd})
    assert query is not None
    assert parse_qsl(query.partition("?")[2]) == [("patient", odd), ("_sort", "-date")]

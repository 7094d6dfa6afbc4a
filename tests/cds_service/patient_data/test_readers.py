"""Two readers: what a client sends and what a server answers differ in what says "none".

Nothing that was not read passes for nothing found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from cds_service.patient_data import prefetch
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.patient_data.gather import resolve
from cds_service.trust.errors import DataUnobtainable
from fhir_mappings.fhir.search_result import SearchResult
from tests.cds_service.patient_data.fhir_server import serving
from tests.cds_service.patient_data.test_gather import PATIENT, run

CONDITION = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/pt-1"}}
SEARCH = "Condition?patient=pt-1"


@pytest.fixture
def client() -> Iterator[FhirClient]:
    made = FhirClient(threads=8)
    yield made
    made.close()


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(value if isinstance(value, bytes) else json.dumps(value).encode())


def sent(value: Any, template: str = SEARCH) -> SearchResult:
    return prefetch.sent(raw(value), template).result


def bundle(*entries: Any, **members: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": list(entries)} | members


def test_only_a_client_says_none_by_null() -> None:
    assert sent(None).succeeded
    assert not prefetch.read_page(raw(None), supplied="fetched").result.succeeded


# What a server may answer instead of a searchset: none of it says that there is nothing.
NO_ANSWERS = {
    "null": None,
    "another resource": {"resourceType": "List", "status": "current"},
    "the resource itself": CONDITION,
    "another kind of Bundle": bundle(type="transaction-response"),
    "warnings only": {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "x"}]},
    "not UTF-8": b'{"resourceType": "Bundle", "type": "searchset", "note": "\xff"}',
    "cut off": b'{"resourceType": "Bundle", "type": "searchset", "entry": [',
    "a page": b"<html>maintenance</html>",
    "nothing": b"",
    "a text": "none",
    "a list": [],
}


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_what_is_no_answer_to_a_search_is_a_failed_search(client: FhirClient, name: str) -> None:
    def respond(path: str) -> tuple[int, Any]:
        return (200, PATIENT) if "/Patient/" in path else (200, NO_ANSWERS[name])

    with serving(respond) as server:
        found = run(client, server)["conditions"]
    assert found.failure == "fetch-failed"


@pytest.mark.parametrize("name", [one for one in NO_ANSWERS if one != "the resource itself"])
def test_what_is_no_patient_ends_in_412(client: FhirClient, name: str) -> None:
    with serving(lambda _: (200, NO_ANSWERS[name])) as server, pytest.raises(DataUnobtainable):
        run(client, server)


@pytest.mark.parametrize(
    "value", [{"resourceType": "List", "status": "current"}, {"resourceType": "Observation"}, "x", 7]
)
def test_a_key_of_another_type_is_as_if_not_sent(client: FhirClient, value: Any) -> None:
    assert not sent(value).succeeded
    with serving(lambda path: (200, PATIENT if "/Patient/" in path else bundle({"resource": CONDITION}))) as server:
        results = run(client, server, {"conditions": value})
    assert len(results["conditions"].resources) == 1


def test_one_resource_in_place_of_a_bundle_is_not_known_to_be_all() -> None:
    found = sent(CONDITION)
    assert (len(found.resources), found.truncated) == (1, True)


@pytest.mark.parametrize(
    ("total", "not_sent"),
    [(None, 0), (1, 0), (0, 0), (12, 11), (-1, 1), ("twelve", 1), (1e30, 1), (1.5, 1), (True, 1), ([], 1)],
)
def test_what_the_server_counts_and_did_not_send_is_counted(total: Any, not_sent: int) -> None:
    members = {} if total is None else {"total": total}
    assert sent(bundle({"resource": CONDITION}, **members)).not_sent == not_sent
    decoded = prefetch.sent(raw(bundle({"resource": CONDITION}, **members)), SEARCH, at_once=True).result
    assert decoded.not_sent == not_sent


def test_an_empty_bundle_that_counts_twelve_is_not_empty() -> None:
    found = sent(bundle(total=12))
    assert (found.not_sent, found.supplied) == (12, "prefetch")


def test_pages_are_counted_together(client: FhirClient) -> None:
    def respond(path: str) -> tuple[int, Any]:
        if "/Patient/" in path:
            return 200, PATIENT
        if "page=2" in path:
            return 200, bundle({"resource": CONDITION | {"id": "d"}}, total=3)
        return 200, bundle({"resource": CONDITION}, total=3, link=[{"relation": "next", "url": "Condition?page=2"}])

    with serving(respond) as server:
        found = run(client, server)["conditions"]
    assert (len(found.resources), found.not_sent, found.truncated) == (2, 1, False)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"fullUrl": "https://ehr.example/Condition/1"},
        {"resource": None},
        {"response": {"status": "403"}},
        "Condition/1",
        None,
        7,
        [],
        {"resource": CONDITION, "search": "match"},
        {"resource": CONDITION, "search": {"mode": 7}},
    ],
    ids=str,
)
def test_a_bad_entry_is_set_aside_and_counted_and_the_others_are_read(entry: Any) -> None:
    found = sent(bundle({"resource": CONDITION}, entry))
    assert (found.failure, len(found.resources), found.unread_entries) == (None, 1, 1)


@pytest.mark.parametrize("link", ["x", [7], [{"relation": "next"}], [{"relation": "next", "url": "http://["}]])
def test_a_link_that_cannot_be_read_cuts_the_list(link: Any) -> None:
    assert sent(bundle({"resource": CONDITION}, link=link)).truncated


def test_a_value_of_a_query_is_encoded_by_itself() -> None:
    """Some servers and launchers lose a slash of `http://…|code` that is not."""
    template = "Observation?patient={{context.patientId}}&code=http://loinc.org|718-7,http://loinc.org|2160-0"
    assert resolve(template, {"context.patientId": "a&b/c"}) == (
        "Observation?patient=a%26b%2Fc&code=http%3A%2F%2Floinc.org%7C718-7,http%3A%2F%2Floinc.org%7C2160-0"
    )


def in_place(kind: str, status: str = "completed") -> dict[str, Any]:
    listed = {"entry": [{"item": {"reference": "Condition/c-9"}}]} if kind == "List" else {}
    return {"resourceType": kind, "id": "x", "status": status, "subject": {"reference": "Patient/pt-1"}} | listed


KIN = [
    ("medications", in_place("MedicationDispense")),
    ("medications", in_place("MedicationDispense", "declined")),
    ("medications", in_place("MedicationAdministration")),
    *((key, in_place("List", "current")) for key in ("conditions", "procedures", "medications", "reports")),
]


@pytest.mark.parametrize(("key", "resource"), KIN)
def test_what_tells_of_the_same_things_is_taken_as_not_all_where_nothing_can_be_fetched(
    key: str, resource: dict[str, Any]
) -> None:
    asked = {"conditions": "Condition", "procedures": "Procedure", "reports": "DiagnosticReport"}
    template = f"{asked.get(key, 'MedicationRequest')}?patient=pt-1"
    for at_once in (False, True):
        page = prefetch.sent(raw(bundle({"resource": resource})), template, at_once=at_once)
        assert (page.result.failure, page.result.truncated, page.other) == (None, True, True)
        assert len(page.result.resources or page.result.decoded) == 1
    assert not prefetch.sent(raw(bundle({"resource": resource})), "Encounter?patient=pt-1").result.succeeded


def test_what_was_asked_for_is_fetched_in_place_of_what_tells_of_the_same_things(client: FhirClient) -> None:
    with serving(lambda path: (200, PATIENT if "/Patient/" in path else bundle({"resource": CONDITION}))) as server:
        results = run(client, server, {"conditions": bundle({"resource": in_place("List", "current")})})
    assert (len(results["conditions"].resources), results["conditions"].truncated) == (1, False)

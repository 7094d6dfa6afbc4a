"""Found, nothing, failed and left out are four different things (P-01..P-06, DEC-21)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from cds_service.demo import patients
from cds_service.patient_data import prefetch
from fhir_mappings.fhir import decode_resources


def read(value: Any) -> prefetch.Page:
    return prefetch.read_page(msgspec.Raw(json.dumps(value).encode()))


def bundle(*entries: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": list(entries)} | members


def match(resource_id: str = "c1") -> dict[str, Any]:
    return {"resource": {"resourceType": "Condition", "id": resource_id}, "search": {"mode": "match"}}


def outcome(severity: str, *, mode: str | None = "outcome") -> dict[str, Any]:
    resource = {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "processing"}]}
    return {"resource": resource} | ({"search": {"mode": mode}} if mode else {})


def test_null_says_that_there_is_nothing() -> None:
    result = read(None).result
    assert (result.succeeded, result.resources, result.supplied) == (True, (), "null")


@pytest.mark.parametrize(
    "given", [bundle(), {"resourceType": "Bundle"}, {"resourceType": "Bundle", "type": "searchset", "total": 0}]
)
def test_an_empty_bundle_says_that_there_is_nothing(given: dict[str, Any]) -> None:
    result = read(given).result
    assert (result.succeeded, result.resources, result.supplied) == (True, (), "empty")


def test_matches_are_found_and_other_entries_passed_over() -> None:
    result = read(bundle(match(), {"search": {"mode": "match"}}, {})).result
    assert len(result.resources) == 1
    assert not result.partial


@pytest.mark.parametrize("severity", ["error", "fatal"])
@pytest.mark.parametrize("mode", ["outcome", None])
def test_an_error_among_the_entries_fails_the_whole_search(severity: str, mode: str | None) -> None:
    result = read(bundle(match(), outcome(severity, mode=mode))).result
    assert result.failure == "fetch-failed"
    assert result.resources == ()


def test_a_warning_beside_matches_makes_them_partial() -> None:
    result = read(bundle(match(), outcome("warning"))).result
    assert (len(result.resources), result.partial) == (1, True)


@pytest.mark.parametrize(
    ("issue", "unread"),
    [
        ({"severity": "warning", "code": 5}, 1),
        ({"severity": "warning", "code": ["processing"]}, 1),
        ("a warning", 1),
        ({"severity": "warning", "code": "processing", "expression": 5}, 0),
    ],
)
def test_an_issue_that_cannot_be_read_is_counted_and_fails_nothing(issue: Any, unread: int) -> None:
    """It might say that something was not given: then what did not come is not known to be absent."""
    told = outcome("warning")
    told["resource"]["issue"].append(issue)
    result = read(bundle(match(), told)).result
    assert (len(result.resources), result.failure, result.unread_entries) == (1, None, unread)
    assert read(bundle(told)).result.supplied == ("prefetch" if unread else "empty")
    assert read(told["resource"]).result.succeeded == (not unread)


@pytest.mark.parametrize("issues", ["x", ["x"], [{"severity": 5, "code": "processing"}], [{"code": "processing"}]])
def test_an_outcome_of_no_known_severity_is_a_failed_search(issues: Any) -> None:
    told = outcome("warning")
    told["resource"]["issue"] = issues
    assert read(bundle(match(), told)).result.failure == "fetch-failed"


def test_a_warning_without_a_match_says_that_there_is_nothing() -> None:
    assert read(bundle(outcome("warning"), total=0)).result.supplied == "empty"


def test_an_operation_outcome_alone_is_a_failed_search_or_none() -> None:
    assert read(outcome("error")["resource"]).result.failure == "fetch-failed"
    assert read(outcome("information")["resource"]).result.succeeded


@pytest.mark.parametrize("given", ["text", 3, [], {"id": "no-type"}, bundle({"resource": [1]}) | {"entry": 3}])
def test_what_is_no_fhir_json_is_a_failed_search(given: Any) -> None:
    assert read(given).result.failure == "fetch-failed"


def test_a_resource_that_was_read_stands_alone() -> None:
    result = read({"resourceType": "Patient", "id": "pt-1"}).result
    assert [json.loads(bytes(resource)) for resource in result.resources] == [{"resourceType": "Patient", "id": "pt-1"}]


def test_the_next_page_is_told() -> None:
    page = read(bundle(match(), link=[{"relation": "self", "url": "a"}, {"relation": "next", "url": "b"}]))
    assert page.next_url == "b"


def test_the_names_that_a_bundle_gives_are_kept_and_addresses_are_not() -> None:
    entries = [
        {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Medication"}},
        {"fullUrl": "https://fhir.example/Patient/1", "resource": {"resourceType": "Patient"}},
        {"resource": {"resourceType": "Condition"}},
    ]
    found = prefetch.read_page(msgspec.Raw(json.dumps({"resourceType": "Bundle", "entry": entries}).encode())).result
    assert [(name, msgspec.json.decode(raw)["resourceType"]) for name, raw in found.named] == [
        ("urn:uuid:1", "Medication")
    ]
    assert len(found.resources) == 3


FUSION = next(iter(patients.load(datetime.now(UTC))))
MINE = [one for one in FUSION.resources if one["resourceType"] in ("Condition", "Observation", "Patient")]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"link": [{"relation": "self", "url": "https://ehr.example.org/r4/Condition"}]},
        {"link": [{"relation": "next", "url": "https://ehr.example.org/r4/Condition?page=2"}]},
        {"entry": [*({"resource": one, "search": {"mode": "match"}} for one in MINE)]},
        {"entry": [*({"resource": one} for one in MINE), {"resource": {"resourceType": "Practitioner", "id": "p"}}]},
        {"entry": [*({"resource": one} for one in MINE), {"resource": {"resourceType": "OperationOutcome"}}]},
        {"entry": [{"resource": MINE[0]}, {"search": {"mode": "match"}}]},
        {"entry": [{"fullUrl": "urn:uuid:1", "resource": MINE[0]}]},
        {"entry": []},
        {"entry": None},
        {"resourceType": "Parameters"},
    ],
)
def test_what_is_decoded_at_once_says_the_same_as_what_is_read_entry_by_entry(change):
    bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in MINE], **change}
    raw = msgspec.Raw(msgspec.json.encode(bundle))
    slow, fast = prefetch.read_page(raw), prefetch.read_at_once(raw)
    assert fast.next_url == slow.next_url
    assert decode_resources.decode_resources("conditions", fast.result, FUSION.id) == decode_resources.decode_resources(
        "conditions", slow.result, FUSION.id
    )
    facts = ("failure", "truncated", "partial", "supplied", "named")
    assert [getattr(fast.result, name) for name in facts] == [getattr(slow.result, name) for name in facts]


def test_another_patients_data_is_found_in_what_was_decoded_at_once():
    other = {**MINE[-1], "subject": {"reference": "Patient/somebody-else"}}
    raw = msgspec.Raw(msgspec.json.encode({"resourceType": "Bundle", "entry": [{"resource": other}]}))
    page = prefetch.read_at_once(raw)
    assert page.result.decoded
    with pytest.raises(decode_resources.WrongPatientError):
        decode_resources.decode_resources("labs", page.result, FUSION.id)

"""The messy cases of tests/patients, one folder each: every input ends in the status that the folder states.

What the service answers over HTTP (the folder's `http`) is asserted in tests/acceptance.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
import yaml

from cds_service.patient_data import prefetch
from fhir_mappings.features import features
from fhir_mappings.fhir.search_result import SearchResult, SearchResults
from fhir_mappings.orders import procedures
from fhir_mappings.orders.procedures import NoProcedure, PlannedProcedure
from fhir_mappings.patient import patient_record
from fhir_mappings.patient.patient_record import KEYS, PatientRecord, WrongPatientError
from fhir_mappings.results.feature import Feature
from tests.builders import DEMO_MAPS

PATIENTS = Path(__file__).parents[1] / "patients"
CASES = {path.name: yaml.safe_load((path / "expected.yaml").read_text()) for path in sorted(PATIENTS.iterdir())}
READABLE = sorted(name for name in CASES if (PATIENTS / name / "request.json").exists())
_FAILURES = {403: "not-authorised", 401: "not-authorised", "hangs": "fetch-failed"}


def request_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PATIENTS / name / "request.json").read_text())
    return found


def patient_of(request: dict[str, Any]) -> str:
    return str(request["context"]["patientId"]).rsplit("/", 1)[-1]


def raw(content: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(content).encode())


def planned(request: dict[str, Any]) -> tuple[PlannedProcedure, ...] | NoProcedure:
    context = request["context"]
    drafts = context.get("appointments") or [entry["resource"] for entry in context["draftOrders"]["entry"]]
    return procedures.planned([raw(one) for one in drafts], patient_id=patient_of(request), maps=DEMO_MAPS)


def searches_of(request: dict[str, Any], expected: dict[str, Any]) -> SearchResults:
    """What core gathers: the prefetch that came, failures where the case's server fails, the rest not provided."""
    results: SearchResults = {}
    for key in KEYS:
        if key in request["prefetch"]:
            page = prefetch.read_page(raw(request["prefetch"][key]))
            results[key] = msgspec.structs.replace(page.result, truncated=page.next_url is not None)
        else:
            failure = _FAILURES.get(expected.get("fhir_server", {}).get(key), "not-provided")
            results[key] = SearchResult(failure=failure)  # type: ignore[arg-type]
    return results


def record_of(name: str) -> PatientRecord:
    request, expected = request_of(name), CASES[name]
    as_of = datetime.fromisoformat(expected["as_of"])
    results = searches_of(request, expected)
    zone = ZoneInfo(expected["zone"])
    return patient_record.read_record(results, patient_id=patient_of(request), as_of=as_of, zone=zone, maps=DEMO_MAPS)


def told(feature: Feature, names: set[str]) -> dict[str, Any]:
    shown = {name: getattr(feature, name) for name in names}
    if "flags" in shown:
        shown["flags"] = list(feature.flags)
    if isinstance(shown.get("value"), float):
        shown["value"] = round(shown["value"], 2)
    return shown


def test_there_is_a_folder_for_every_case() -> None:
    numbers = {str(expected["case"]).split(".")[0].rstrip("b") for expected in CASES.values()}
    assert numbers == {str(number) for number in range(1, 41)} | {f"P{number}" for number in range(1, 11)}


@pytest.mark.parametrize("name", CASES)
def test_a_case_says_what_it_is_and_what_follows(name: str) -> None:
    expected = CASES[name]
    assert expected["title"]
    assert expected["effect"]
    assert expected["http"]["status"] in {200, 400, 412, 422}
    assert (name in READABLE) != ("bodies" in expected)


@pytest.mark.parametrize("name", READABLE)
def test_the_operation_is_found_or_not(name: str) -> None:
    found, expected = planned(request_of(name)), CASES[name]["procedure"]
    if isinstance(found, NoProcedure):
        assert expected == {"none": found.reason}
    else:
        assert [one.group for one in found] == CASES[name].get("orders", [expected])


@pytest.mark.parametrize("name", [name for name in READABLE if "none" not in CASES[name]["procedure"]])
def test_every_input_ends_as_the_folder_says(name: str) -> None:
    expected = CASES[name]
    if expected.get("error") == "wrong-patient":
        with pytest.raises(WrongPatientError):
            record_of(name)
        return
    record, order = record_of(name), planned(request_of(name))
    assert isinstance(order, tuple)
    found = features.derive(record, order[0])
    for feature, wanted in expected["inputs"].items():
        assert told(found[feature], set(wanted)) == wanted, feature
    for member, value in expected.get("record", {}).items():
        assert getattr(record, member) == value, member

"""Medplum as npm has it: from its FHIR server come the same numbers as by prefetch, and its own client calls us."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from cds_service.commands.cli import main
from cds_service.ehr import caller
from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from tests.acceptance import messy_cases
from tests.acceptance.messy_cases import AS_OF, CASES, EMPTY, EXTENSION, PATIENTS
from tests.end_to_end import medplum_client, node_tools, people, servers
from tests.end_to_end.test_same_answer import ask, predictions

pytestmark = pytest.mark.end_to_end
SERVICE = "/cds-services/surgical-risk"

# What these cases are about is in no answer to a search: a FHIR server that is asked by code, patient and status does
# not return it. What it does return is read alike, fetched and prefetched: the test above the last.
LOST_IN_A_SEARCH = {
    "local-laboratory-code": "its code is in no map, so it is not asked for",
    "medication-statuses": "that one is not taken says a MedicationStatement, which is no MedicationRequest",
    "next-page-elsewhere": "the next page was on another server: Medplum has no such page",
    "odd-system-uris": "http://loinc.org/ is not http://loinc.org, for a search",
    "outcome-entries": "what the other server's OperationOutcome tells is not in the store",
    "panel-and-component": "`code` finds no component (combo-code does, and few servers have it)",
    "references": "the subject is named in other ways than Patient/id",
    "stu3-order": "the old elements of a Condition are not its subject",
    "text-only-result": "a result without a code is found by none",
}


@pytest.fixture(scope="module")
def medplum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with node_tools.medplum(tmp_path_factory.mktemp("medplum")) as address:
        yield address


@pytest.fixture(scope="module")
def base(medplum: str, folk: tuple[people.Person, ...]) -> str:
    """A store that holds everybody, and the surgeon who orders."""
    found = f"{medplum}/everybody/fhir/R4"
    people.load(found, (*people.everything(folk), medplum_client.SURGEON))
    return found


@pytest.fixture(scope="module")
def service(base: str, store: str) -> Iterator[str]:
    tenant: dict[str, Any] = {
        "id": "medplum",
        "environment": "dev",
        "mode": "on",
        "fhir_base_urls": [base, store],
        "fetch_timeout_s": 9,
        "fetch_budget_s": 9.5,
        "deadline_s": 10,
        "dedupe_window_s": 0,
    }
    with servers.service(tenant) as url:
        yield url


@pytest.fixture(scope="module")
def from_store(service: str, store: str, folk: tuple[people.Person, ...]) -> dict[str, dict[str, Any]]:
    return {person.id: predictions(ask(service, store, person, prefetch=True)) for person in folk}


@pytest.mark.parametrize("prefetch", [True, False], ids=["prefetch", "fetch"])
def test_medplum_gives_the_answer_of_the_embedded_store(
    service: str, base: str, folk: tuple[people.Person, ...], from_store: dict[str, Any], prefetch: bool
) -> None:
    assert {one.id: predictions(ask(service, base, one, prefetch=prefetch)) for one in folk} == from_store


def test_its_own_client_finds_calls_and_is_answered(
    service: str, base: str, folk: tuple[people.Person, ...], from_store: dict[str, Any]
) -> None:
    for person in folk[:3]:
        told = medplum_client.call(base, service, person)
        assert told["service"]["hook"] == "order-select"
        assert set(told["request"]["prefetch"]) == set(told["service"]["prefetch"])
        assert told["request"]["prefetch"]["encounter"] is None, "its way to leave out what has no value"
        assert predictions(told["response"]) == from_store[person.id]


def test_a_server_that_answers_what_it_does_not_know_with_nothing_is_told_by_check_walk(
    folk: tuple[people.Person, ...], tmp_path: Path
) -> None:
    """@medplum/mock knows few search parameters, and finds nothing by any other: no error, an empty Bundle."""
    with node_tools.medplum(tmp_path, "mock") as address:
        own = f"{address}/mock/fhir/R4"
        people.load(own, people.everything(folk[:1]))
        tenant = {"id": "mock", "environment": "dev", "public_url": "http://127.0.0.1:8000", "fhir_base_urls": [own]}
        (tmp_path / "tenants").mkdir()
        (tmp_path / "tenants" / "mock.yaml").write_text(json.dumps(tenant))
        words = ["check", "--walk", "--patient", folk[0].id, "--tenants", str(tmp_path / "tenants")]
        told = CliRunner().invoke(main, words)
    assert "every search of this patient is empty" in told.output


# The messy cases


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """At the instant for which the cases' dates were made."""
    folder = tmp_path_factory.mktemp("messy")
    settings = Settings(demo=True, database_url=f"sqlite:///{folder}/record.sqlite3", state_directory=folder)
    return create_app(settings, clock=lambda: AS_OF).test_client()


def _held(name: str) -> dict[str, Any]:
    """The request of a case."""
    found: dict[str, Any] = json.loads((PATIENTS / name / "request.json").read_text())
    return found


def _resources(answer: Any) -> Iterator[dict[str, Any]]:
    """What of an answer a store can hold."""
    entries = [answer] if "entry" not in answer else [entry.get("resource", {}) for entry in answer["entry"]]
    yield from (one for one in entries if "id" in one and one.get("resourceType") not in ("Bundle", "OperationOutcome"))


READABLE = [
    name
    for name, case in CASES.items()
    if "bodies" not in case and "fhir_server" not in case and case["http"]["status"] == 200
]


def _told(http: FlaskClient, request: dict[str, Any]) -> Any:
    """Inputs and predictions of the one card; the rest of the answer where it has none."""
    response = http.post(SERVICE, json=request | {"hookInstance": str(uuid.uuid4())})
    assert response.status_code == 200, response.text
    answer = json.loads(response.data)
    cards = answer["cards"]
    if not cards or EXTENSION not in cards[0].get("extension", {}):
        return [card["summary"] for card in cards] or answer["extension"]
    return {member: cards[0]["extension"][EXTENSION][member] for member in ("inputs", "predictions")}


@pytest.fixture(scope="module")
def cases(medplum: str) -> dict[str, str]:
    """The base of each case: a store that holds what its prefetch did."""
    bases = {name: f"{medplum}/{name}/fhir/R4" for name in READABLE}
    for name, own in bases.items():
        answers = [one for one in _held(name)["prefetch"].values() if one]
        people.load(own, [one for answer in answers for one in _resources(answer)])
    return bases


def _fetched(http: FlaskClient, name: str, own: str) -> Any:
    request = _held(name)
    del request["prefetch"]
    return _told(http, request | messy_cases.lent(own))


@pytest.mark.parametrize("name", READABLE)
def test_a_case_is_read_alike_fetched_and_prefetched_from_medplum(
    http: FlaskClient, cases: dict[str, str], name: str
) -> None:
    request, own = _held(name), cases[name]
    patient = str(request["context"]["patientId"]).rpartition("/")[2]
    ehr = caller.Ehr(service_url="", fhir_url=own)
    request["prefetch"] = caller.prefetched(ehr, _templates(http), patient)
    assert _told(http, request) == _fetched(http, name, own)


@pytest.mark.parametrize("name", READABLE)
def test_a_case_is_read_from_medplum_as_its_own_prefetch_unless_no_search_finds_it(
    http: FlaskClient, cases: dict[str, str], name: str
) -> None:
    request = _held(name)
    given = {key: answer for key, answer in request["prefetch"].items() if answer is not None}
    request["prefetch"] = dict.fromkeys(_templates(http), EMPTY) | given
    alike = _told(http, request) == _fetched(http, name, cases[name])
    assert alike == (name not in LOST_IN_A_SEARCH), LOST_IN_A_SEARCH.get(name)


def _templates(http: FlaskClient) -> dict[str, str]:
    """What discovery asks for, and the ninth key, which it cannot list."""
    services = json.loads(http.get("/cds-services").data)["services"]
    templates: dict[str, str] = next(one for one in services if one["hook"] == "order-select")["prefetch"]
    return templates | {"reports": "DiagnosticReport?patient={{context.patientId}}"}

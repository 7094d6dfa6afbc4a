"""The protocol's cases, and those that decide about the whole answer, applied to 200 invented people over HTTP."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from tests.acceptance import messy_cases
from tests.acceptance.messy_cases import AS_OF, CASES, EXTENSION, SILENCE
from tests.fhir_mappings import generated
from tests.fhir_mappings.cohorts import Person
from tests.fhir_mappings.grafts import READABLE, applied

# The other cases end in the status of an input: tests/fhir_mappings/test_cases_on_everyone.py.
WHOLE = [
    name for name in READABLE if str(CASES[name]["case"]).startswith("P") or CASES[name]["http"].get("cards") != "some"
]
THREADS = 8
WAITING = {"slow-server": 24}  # people who wait for a server that hangs wait side by side
Ask = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder: Path = tmp_path_factory.mktemp("everyone")
    database = f"sqlite:///{folder}/record.sqlite3"
    return create_app(Settings(demo=True, database_url=database, state_directory=folder), clock=lambda: AS_OF)


@pytest.fixture(scope="module")
def ask(app: Flask) -> Ask:
    def send(request: dict[str, Any]) -> Any:
        return app.test_client().post("/cds-services/surgical-risk", json=request)

    return send


def request_of(name: str, one: Person, base: str | None = None) -> dict[str, Any]:
    request = applied(name, one) | {"hookInstance": str(uuid.uuid4())}
    return request if base is None else request | messy_cases.lent(base)


def wrong(name: str, request: dict[str, Any], ask: Ask) -> str | None:
    """What is not as the case's folder says, for this person."""
    expected, response = CASES[name]["http"], ask(request)
    body = response.get_json()
    if response.status_code != expected["status"]:
        return f"{response.status_code}"
    if expected["status"] != 200:
        return None if body["resourceType"] == "OperationOutcome" else "no OperationOutcome"
    if expected["cards"] == "none":
        silent = body["cards"] == [] and body["extension"][SILENCE]["reason"] == expected["audit"]
        return None if silent else "no silence, or for another reason"
    if len(body["cards"]) != 1:
        return str(body.get("extension", {}).get(SILENCE))
    return wrong_on_the_card(name, request, response, ask)


def wrong_on_the_card(name: str, request: dict[str, Any], response: Any, ask: Ask) -> str | None:
    text = response.get_data(as_text=True).lower()
    if any(words in text for words in CASES[name].get("never_on_card", ())):
        return "words of the record on the card"
    if CASES[name].get("repeat") and ask(request).get_data() != response.get_data():
        return "another answer to the same request"
    return None


@pytest.mark.parametrize("name", WHOLE)
def test_a_case_is_answered_as_stated_for_everybody(name: str, ask: Ask) -> None:
    people = generated.everybody()
    with messy_cases.server_of(name) as base, ThreadPoolExecutor(WAITING.get(name, THREADS)) as threads:
        found = threads.map(lambda one: wrong(name, request_of(name, one, base), ask), people)
        assert {one.id: problem for one, problem in zip(people, found, strict=True) if problem} == {}
    assert len(people) == 200


def test_members_that_nobody_knows_change_no_number_for_anybody(ask: Ask) -> None:
    """Messy case P1: each person's numbers with them are those without."""
    changed = []
    for one in generated.everybody():
        told = [ask(request) for request in (request_of("unknown-members", one), request_of("patient-prefix", one))]
        if numbers(told[0]) != numbers(told[1]):
            changed.append(one.id)
    assert changed == []


def numbers(response: Any) -> list[Any]:
    (card,) = response.get_json()["cards"]
    found = card["extension"][EXTENSION]["predictions"]
    return [(one["model"], one["status"], one.get("probability"), one.get("points")) for one in found]


def test_every_request_names_its_own_person() -> None:
    """A graft that left a trace of the folder's patient would be another patient's data."""
    for name in READABLE:
        text = json.dumps(applied(name, generated.everybody()[7]))
        assert '"pt-1"' not in text
        assert "Patient/pt-1" not in text

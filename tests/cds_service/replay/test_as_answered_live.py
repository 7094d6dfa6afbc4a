"""What was answered live is answered again from an export of the chart: the same words, the same figures."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest

from cds_service.demo import patients
from cds_service.demo.search import search
from cds_service.replay import patient
from tests.cds_service.replay import charts
from tests.conformance.conftest import SERVICE, an_app

ROW = "select received_at, decision, reason, probability, band, result from evaluation where hook_instance = ?"
HELD = frozenset(
    {"Patient", "Condition", "Observation", "MedicationRequest", "Procedure", "Encounter", "ServiceRequest"}
)


def prefetched(templates: dict[str, str], chart: list[dict[str, Any]], patient_id: str) -> dict[str, Any]:
    """What a client with this chart sends: each template searched, as the demo's store does."""
    found: dict[str, Any] = {}
    for key, template in templates.items():
        kind, _, query = template.replace("{{context.patientId}}", patient_id).partition("?")
        if "{{" in query:
            continue
        if not query:
            found[key] = next(one for one in chart if one["resourceType"] == "Patient")
            continue
        asked = {name: [unquote(value)] for name, _, value in (part.partition("=") for part in query.split("&"))}
        those = search([one for one in chart if one["resourceType"] == kind], asked)
        entries = [{"resource": one} for one in those]
        found[key] = {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}
    return found


def a_body(patient_id: str, order: dict[str, Any], prefetch: dict[str, Any]) -> dict[str, Any]:
    drafts = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {**order, "status": "draft"}}]}
    context = {"userId": "Practitioner/surgeon-1", "patientId": patient_id, "draftOrders": drafts}
    return {"hook": "order-sign", "hookInstance": "", "context": context, "prefetch": prefetch}


def recorded(folder: Path, instance: str) -> tuple[Any, ...]:
    """The one row of the record of this call, once the writer has written it."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with sqlite3.connect(folder / "record.sqlite3") as record:
            if rows := record.execute(ROW, (instance,)).fetchall():
                (row,) = rows
                return tuple(row)
        time.sleep(0.05)
    raise AssertionError("the record has no row")


def answered_live(live: Any, folder: Path, body: dict[str, Any]) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """The answer and its row; asked again where the machine was too busy for the deadline."""
    for _ in range(10):
        instance = str(uuid.uuid4())
        said = live.post(SERVICE, json={**body, "hookInstance": instance}).json
        row = recorded(folder, instance)
        if row[2] != "deadline":
            return said, row
    pytest.fail("the machine is too busy for an answer in time")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("live")


@pytest.fixture(scope="module")
def live(folder: Path) -> Any:
    return an_app(folder, demo=True).test_client()


@pytest.mark.parametrize("someone", patients.load(datetime.now(UTC)), ids=lambda one: one.id)
def test_an_export_gives_the_recorded_answer_again(someone: patients.DemoPatient, live: Any, folder: Path) -> None:
    service = next(one for one in live.get("/cds-services").json["services"] if one["hook"] == "order-sign")
    chart = [dict(one) for one in someone.resources]
    order = {**patients.planned(someone, datetime.now(UTC)), "requester": {"reference": "Practitioner/surgeon-1"}}
    body = a_body(someone.id, order, prefetched(service["prefetch"], chart, someone.id))
    said, (received, decision, reason, probability, band, result) = answered_live(live, folder, body)
    instant = datetime.fromisoformat(received).replace(tzinfo=UTC)
    later = {  # what the export has besides: of after the answer
        **charts.order(someone.id, instant + timedelta(days=3), "27130"), "id": "another",
    }  # fmt: skip
    signed = {**order, "status": "completed", "authoredOn": instant.isoformat()}
    rows = patient.replay(someone.id, map(charts.raw, [*chart, signed, later]), charts.setting(provided=HELD)).rows
    again = json.loads(next(row for row in rows if order["id"].encode() in row))
    assert (again["decision"], again["reason"]) == (decision, reason)
    assert (again["probability"], again["band"]) == (probability, band)
    if decision != "card":
        return
    (card,) = said["cards"]
    assert (again["summary"], again["detail"], again["indicator"]) == (
        card["summary"], card["detail"], card["indicator"],
    )  # fmt: skip
    assert again["suggestions"] == [one["label"] for one in card.get("suggestions", ())]
    assert without_id(again["result"]) == without_id(json.loads(result))


def without_id(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "assessmentId"}


def test_the_rows_of_a_patient_do_not_depend_on_the_order_of_their_resources() -> None:
    someone = patients.load(datetime(2026, 11, 20, tzinfo=UTC))[2]
    signed = charts.order(someone.id, datetime(2026, 11, 20, 9, tzinfo=UTC))
    raws = [charts.raw(msgspec.to_builtins(one)) for one in (*someone.resources, signed)]
    one, other = (patient.replay(someone.id, those, charts.setting()) for those in (raws, raws[::-1]))
    assert one.rows == other.rows
    assert one.counts == other.counts == {"patients": 1, "card": 1}

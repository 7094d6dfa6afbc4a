"""DEC-42: a conformant client removes a card when the hook fires again without one, so the card stays while editing.

The table of docs/integration.md is what is tested: each of its rows has its step here.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from tests.acceptance.requests import (
    a_condition,
    a_functional_status,
    a_patient,
    a_request,
    a_result,
    an_asa_class,
    an_order,
    bundle,
)
from tests.conformance.conftest import SERVICE, a_tenant_file, a_token
from tests.test_architecture import ROOT

Request = dict[str, Any]
HIP = ("http://www.cms.gov/Medicare/Coding/ICD10", "0SR90JZ")
ROWS = re.findall(
    r"^\| ([^|]+) \| (card|none) \| (same|new|-) \|$",
    (ROOT / "docs" / "integration.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)

# Once, for the builders write the present instant into them.
CHART = {
    "patient": a_patient(72),
    "conditions": bundle(a_condition("E11.9")),
    "labs": bundle(a_result("2160-0", 0.9, "mg/dL"), a_result("718-7", 14.0, "g/dL")),
    "observations": bundle(a_functional_status()),
}


class Session:
    """One tenant, whose clock is ours, and its client."""

    def __init__(self, folder: Path, **members: Any) -> None:
        self.later = timedelta()
        members = {"dedupe_window_s": 3600.0, "order_maps": [_a1c_map(folder)]} | members
        settings = Settings(
            database_url=f"sqlite:///{folder}/record.sqlite3",
            state_directory=folder,
            tenants=a_tenant_file(folder / "tenants", **members),
        )
        self.app: Flask = create_app(settings, clock=lambda: datetime.now(UTC) + self.later)

    def fire(self, request: Request) -> Any:
        """The only card, or None."""
        body = request | {"hookInstance": str(uuid.uuid4())}
        soon = {"iat": datetime.now(UTC) + self.later, "exp": datetime.now(UTC) + self.later + timedelta(minutes=5)}
        answer: Any = self.app.test_client().post(SERVICE, json=body, headers=a_token(**soon))
        assert answer.status_code == 200, answer.text
        return next(iter(answer.json["cards"]), None)

    def feedback(self, card: Any, outcome: str) -> None:
        path = f"{SERVICE}/feedback"
        accepted = {"acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}]} if outcome == "accepted" else {}
        item = {"card": card["uuid"], "outcome": outcome, "outcomeTimestamp": "2026-11-29T09:31:00Z"} | accepted
        answer = self.app.test_client().post(path, json={"feedback": [item]}, headers=a_token(path))
        assert answer.status_code == 200, answer.text

    def kept(self, columns: str, table: str = "evaluation") -> list[Any]:
        records = self.app.extensions["surgical-risk-records"]
        assert records.flush(5)
        with records.durable.connect() as connection:
            found: list[Any] = connection.exec_driver_sql(f"SELECT {columns} FROM {table} ORDER BY rowid").all()
        return found


def _a1c_map(folder: Path) -> str:
    """A site that orders HbA1c by a code of its own."""
    element = {"code": "4548-4", "target": [{"code": "LAB90", "equivalence": "equal"}]}
    path = folder / "orders.json"
    group = {"source": "http://loinc.org", "target": "urn:site", "element": [element]}
    path.write_text(json.dumps({"resourceType": "ConceptMap", "group": [group]}))
    return str(path)


def an_edit(**members: Any) -> Request:
    request: Request = a_request(**CHART | members)
    request["context"]["encounterId"] = "enc-1"
    return request


def signing(request: Request) -> Request:
    """The same orders at order-sign."""
    context = {name: value for name, value in request["context"].items() if name != "selections"}
    return request | {"hook": "order-sign", "context": context}


def with_context(**members: Any) -> Request:
    request = an_edit()
    request["context"] |= members
    return request


def another_id() -> Request:
    request = an_edit()
    draft = request["context"]["draftOrders"]["entry"][0]["resource"]
    draft |= {"id": "drawn-anew", "note": [{"text": "left side"}]}
    request["context"]["selections"] = [f"ServiceRequest/{draft['id']}"]
    return request


def with_our_draft(card: Any, *, selected: bool = False) -> Request:
    request = an_edit()
    draft = card["suggestions"][0]["actions"][0]["resource"] | {"id": "ours"}
    request["context"]["draftOrders"]["entry"].append({"resource": draft})
    if selected:
        request["context"]["selections"] = ["ServiceRequest/ours"]
    return request


def another_patient() -> Request:
    order = an_order() | {"subject": {"reference": "Patient/pt-c"}}
    request = an_edit(patient=a_patient(72) | {"id": "pt-c"}, conditions=None, labs=None, observations=None)
    request["context"]["patientId"] = "pt-c"
    request["context"]["draftOrders"] = bundle(order) | {"type": "collection"}
    return request


ASA = {"observations": bundle(a_functional_status(), an_asa_class("III"))}
NO_FIGURE = {"labs": bundle(a_result("2160-0", 0.9, "mg/dL"), a_result("718-7", 14.1, "g/dL"))}
STEPS: dict[str, Callable[[Any], Request]] = {
    "nothing changed": lambda _: an_edit(),
    "the draft got another id or note": lambda _: another_id(),
    "a draft that the card suggested was accepted into the session": with_our_draft,
    "only that draft is selected": lambda card: with_our_draft(card, selected=True),
    "a figure changed": lambda _: an_edit(**ASA),
    "an input arrived and no figure changed": lambda _: an_edit(**NO_FIGURE),
    "another suggestion holds": lambda _: an_edit(conditions=bundle()),
    "a caution beside a suggestion came or went": lambda _: an_edit(
        conditions=bundle(a_condition("E11.9"), a_condition("D57.1"))
    ),
    "changed, and back again": lambda _: an_edit(),
    "accepted, told as feedback": lambda _: an_edit(),
    "dismissed, told as feedback": lambda _: an_edit(),
    "dismissed, then a figure changed": lambda _: an_edit(**ASA),
    "another user": lambda _: with_context(userId="Practitioner/other"),
    "another patient's order": lambda _: another_patient(),
    "another encounter": lambda _: with_context(encounterId="enc-2"),
    "another operation": lambda _: with_context(
        draftOrders={"resourceType": "Bundle", "entry": [{"resource": an_order(HIP, order_id="hip")}]},
        selections=["ServiceRequest/hip"],
    ),
    "the window is over": lambda _: an_edit(),
    "nothing changed, `repeats: once`": lambda _: an_edit(),
}


def test_every_row_of_the_table_has_its_step() -> None:
    assert [row for row, _, _ in ROWS] == [*STEPS]


@pytest.mark.parametrize("at", ["order-select", "order-sign"])
@pytest.mark.parametrize(("since", "shown", "name"), ROWS, ids=[row for row, _, _ in ROWS])
def test_what_is_shown_after_a_change(tmp_path: Path, since: str, shown: str, name: str, at: str) -> None:
    session = Session(tmp_path, **({"repeats": "once"} if "once" in since else {}))
    before = session.fire(an_edit())
    assert before["suggestions"], "the table speaks of suggestions"
    if since.startswith(("accepted", "dismissed")):
        session.feedback(before, "accepted" if since.startswith("accepted") else "overridden")
    if "back again" in since:
        session.fire(an_edit(**ASA))
    if "window" in since:
        session.later += timedelta(seconds=3601)
    request = STEPS[since](before)
    card = session.fire(request if at == "order-select" else signing(request))
    assert (card is not None) == (shown == "card"), "a client reads no card as nothing to say"
    if card is not None:
        assert (card["uuid"] == before["uuid"]) == (name == "same")


def test_the_card_that_stays_is_the_same_but_for_its_time_and_counts_once(tmp_path: Path) -> None:
    session = Session(tmp_path)
    first = session.fire(an_edit())
    again = session.fire(with_our_draft(first))
    for name in ("uuid", "summary", "indicator", "suggestions", "overrideReasons"):
        assert again[name] == first[name]
    session.fire(signing(an_edit()))
    assert [decision for (decision,) in session.kept("decision")] == ["card", "again", "again"]
    assert [one for (one,) in session.kept("uuid", "card")] == [first["uuid"]]


def test_firing_at_once_and_at_another_worker_is_one_card(tmp_path: Path) -> None:
    session, other = Session(tmp_path), Session(tmp_path)
    first = session.fire(an_edit())
    assert session.fire(an_edit())["uuid"] == first["uuid"]
    session.kept("id")
    assert other.fire(an_edit())["uuid"] == first["uuid"]


def test_a_draft_of_another_patient_is_refused_whatever_its_reason_says(tmp_path: Path) -> None:
    session = Session(tmp_path)
    request = with_our_draft(session.fire(an_edit()))
    request["context"]["draftOrders"]["entry"][-1]["resource"]["subject"] = {"reference": "Patient/pt-c"}
    body = request | {"hookInstance": str(uuid.uuid4())}
    assert session.app.test_client().post(SERVICE, json=body, headers=a_token()).status_code == 422


def test_where_every_card_is_a_new_one_nothing_is_remembered(tmp_path: Path) -> None:
    session = Session(tmp_path, dedupe_window_s=0.0)
    first = session.fire(an_edit())
    session.feedback(first, "overridden")
    assert session.fire(an_edit())["uuid"] != first["uuid"]

"""An order is open or it is not, and everybody who asks is told the same: whatever its status and its intent."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec
import pytest

import fhir_mappings
from cds_service.smart import orders
from fhir_mappings.features.features import derive
from fhir_mappings.orders import open_operations, pending_orders
from fhir_mappings.orders.open_orders import is_open
from fhir_mappings.orders.procedures import planned
from tests.builders import (
    AS_OF,
    PATIENT_ID,
    Resource,
    a_medication_request,
    a_planned_procedure,
    a_record,
    an_order,
    days_ago,
)

LOINC = "http://loinc.org"
# https://hl7.org/fhir/R4/valueset-request-status.html and valueset-medicationrequest-status.html; None: left out.
STATUSES = {"draft": True, "active": True, "on-hold": True, "unknown": True, None: True,
            "revoked": False, "completed": False, "entered-in-error": False,
            "cancelled": False, "stopped": False}  # fmt: skip
# https://hl7.org/fhir/R4/valueset-request-intent.html: an option is a part of a RequestGroup.
INTENTS = {"proposal": True, "plan": True, "directive": True, "order": True, "original-order": True,
           "reflex-order": True, "filler-order": True, "instance-order": True, "option": False, None: True}  # fmt: skip
CASES = [
    ({"status": status, "intent": intent} | forbidden, of_status and of_intent and not forbidden)
    for (status, of_status), (intent, of_intent), forbidden in product(
        STATUSES.items(), INTENTS.items(), ({}, {"doNotPerform": True})
    )
]


def raw(resource: Resource) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(resource).encode())


def as_session_test(members: dict[str, Any]) -> bool:
    return pending_orders.pending_in_drafts([raw(an_order((LOINC, "4548-4"), **members))]).has(LOINC, "4548-4")


def as_chart_test(members: dict[str, Any]) -> bool:
    found = pending_orders.open_orders(a_record(an_order((LOINC, "4548-4"), authoredOn=days_ago(20), **members)))
    return found is not None and found.has(LOINC, "4548-4")


def as_operation(members: dict[str, Any]) -> bool:
    return isinstance(planned([raw(an_order(**members))], patient_id=PATIENT_ID), tuple)


def as_operation_of_the_chart(members: dict[str, Any]) -> bool:
    return bool(open_operations.still_planned([raw(an_order(**members))], as_of=AS_OF, zone=ZoneInfo("UTC")))


def as_operation_of_the_profile(members: dict[str, Any]) -> bool:
    body = json.dumps({"resourceType": "Bundle", "entry": [{"resource": an_order(**members)}]}).encode()
    door = SimpleNamespace(get=lambda *_, **__: SimpleNamespace(body=body, status=200))
    site = SimpleNamespace(fhir=door, zone=ZoneInfo("UTC"), tenant=SimpleNamespace(fetch_timeout_s=1.0))
    token = SimpleNamespace(reveal=lambda: "t")
    granted = SimpleNamespace(patient_id=PATIENT_ID, token=token, issuer="https://e.example")
    return bool(orders._from_chart(cast("Any", granted), cast("Any", site), AS_OF))


def as_prescription(members: dict[str, Any]) -> bool:
    draft = {**a_medication_request("7804"), "id": "draft-1"}
    draft = {name: value for name, value in (draft | members).items() if value is not None}
    return derive(a_record(), a_planned_procedure(), [raw(draft)])["postoperative_opioid_planned"].value is True


ASKED: tuple[Callable[[dict[str, Any]], bool], ...] = (
    as_session_test, as_chart_test, as_operation, as_operation_of_the_chart, as_operation_of_the_profile,
    as_prescription,
)  # fmt: skip


@pytest.mark.parametrize("ask", ASKED, ids=lambda ask: ask.__name__)
def test_everybody_is_told_the_same_of_every_status_and_intent(ask: Callable[[dict[str, Any]], bool]) -> None:
    wrong = [members for members, expected in CASES if ask(members) is not expected]
    assert wrong == []


def test_one_that_was_carried_out_is_still_counted_by_the_mapping_report() -> None:
    done = [raw(an_order(status="completed"))]
    assert isinstance(planned(done, patient_id=PATIENT_ID, done_too=True), tuple)
    taken_back = [raw(an_order(status="revoked"))]
    assert not isinstance(planned(taken_back, patient_id=PATIENT_ID, done_too=True), tuple)


@pytest.mark.parametrize("status", ["fulfilled", "noshow", "cancelled", "not-done"])
def test_an_appointment_or_a_procedure_that_is_over_is_not_open(status: str) -> None:
    assert not is_open(status)


@pytest.mark.parametrize("status", ["proposed", "pending", "booked", "arrived", "waitlist", "preparation", "suspended"])
def test_one_that_is_to_come_is(status: str) -> None:
    assert is_open(status)


def test_the_words_of_an_order_that_is_over_stand_in_one_module() -> None:
    """Whoever writes another list of order statuses defines the open order again."""
    own = {"revoked", "on-hold", "noshow"}
    found = {
        path.name
        for folder in (fhir_mappings.__file__, orders.__file__)
        for path in Path(folder).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Set | ast.Tuple | ast.List)
        if own & {one.value for one in node.elts if isinstance(one, ast.Constant)}
    }
    # Statuses of another resource: what a Procedure (past_procedures) or a medicine that is taken can say.
    assert found == {"open_orders.py", "past_procedures.py", "medications.py"}

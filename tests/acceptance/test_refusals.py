"""Another person's draft of any type stops everything, and ids are FHIR's or are refused (DEC-14)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.conftest import Post
from tests.acceptance.requests import a_request, an_order

DRAFTS = {
    "MedicationRequest": "subject",
    "DeviceRequest": "subject",
    "NutritionOrder": "patient",
    "VisionPrescription": "patient",
    "CommunicationRequest": "subject",
    "ServiceRequest": "subject",
    "Task": "for",
}


def with_draft(draft: dict[str, Any], hook: str) -> dict[str, Any]:
    body = a_request() | {"hook": hook}
    body["context"]["draftOrders"]["entry"].append({"resource": draft})
    if hook == "order-sign":
        del body["context"]["selections"]
    return body


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
@pytest.mark.parametrize("kind", DRAFTS)
def test_a_draft_of_another_patient_is_422_selected_or_not(post: Post, kind: str, hook: str) -> None:
    draft = {"resourceType": kind, "id": "other", "status": "draft", "intent": "order"}
    mine = with_draft(draft | {DRAFTS[kind]: {"reference": "Patient/pt-b"}}, hook)
    nobodys = with_draft(draft, hook)
    anothers = with_draft(draft | {DRAFTS[kind]: {"reference": "Patient/somebody-else"}}, hook)
    assert [post(one).status_code for one in (mine, nobodys, anothers)] == [200, 200, 422]
    assert "somebody" not in post(anothers).get_data(as_text=True)


@pytest.mark.parametrize("member", ["patientId", "encounterId"])
@pytest.mark.parametrize("odd", ["a b", "a/b", "../x", "a?b=c", "x" * 65, "a&b", "é", "a\n", 7])
def test_an_id_that_is_none_is_refused_before_it_reaches_a_query(post: Post, member: str, odd: Any) -> None:
    body = a_request()
    body["context"][member] = odd
    response = post(body)
    assert response.status_code in (400, 422)
    assert response.json["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("when", ["2026-11-24T08", "2026-11-24 08:00", "24.11.2026", "20261124", "2026-1-4"])
def test_a_date_of_another_form_is_never_an_error(post: Post, when: str) -> None:
    body = a_request()
    for entry in (*body["prefetch"]["labs"]["entry"], *body["prefetch"]["observations"]["entry"]):
        entry["resource"]["effectiveDateTime"] = when
    assert post(body).status_code == 200


@pytest.mark.parametrize("priority", ["STAT ", "Routine", "elective", "asap", "urgent", 7, {}])
def test_only_routine_or_nothing_is_elective(post: Post, priority: Any) -> None:
    assert post(a_request(an_order(priority=priority))).json["cards"] == []

"""Every rule of silence over HTTP (R-B07): 200, no card, the reason on the record, and in words where asked for."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any, get_args

import pytest
from flask import Flask

from cds_service.advice.silence import WORDS, Reason
from cds_service.records import switches
from cds_service.records.switches import SwitchScope
from tests.acceptance.requests import (
    a_functional_status,
    a_patient,
    a_request,
    a_result,
    an_asa_class,
    an_order,
    bundle,
)
from tests.cds_service.answering.test_calls import ask, kept, switch
from tests.cds_service.answering.test_open_cases import an_open_operation, post
from tests.conformance.conftest import SERVICE, a_tenant_file, a_token, an_app

NOTHING = b'{"cards":[]}'
NOT_SURGICAL = an_order(("http://loinc.org", "2160-0"), order_id="creatinine")
UNMAPPED = an_order(("urn:nobody", "ZZ-1"))
TWO_OPERATIONS = {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "22633"},
                             {"system": "http://www.cms.gov/Medicare/Coding/ICD10", "code": "0SR90JZ"}]}  # fmt: skip
WELL = {
    "patient": a_patient(40),
    "labs": bundle(a_result("2160-0", 0.9, "mg/dL"), a_result("718-7", 14.0, "g/dL")),
    "observations": bundle(an_asa_class("I"), a_functional_status()),
}


def a_call(*orders: dict[str, Any], user: str = "Practitioner/surgeon", **members: Any) -> dict[str, Any]:
    request = a_request(*orders, **members)
    request["context"]["userId"] = user
    return request


# A hospital of which a stable hash holds this patient out.
HELD_OUT = {"protocol": "P", "approved_by": ["A. Jones", "Dr. B. Smith"]}

# The file signs a report that the record does not hold.
NO_SUCH_REPORT = {"report": "R-1", "approved_by": "A. Jones", "date": "2026-11-01", "sha256": "0" * 64}

# Per reason: the request, and what its tenant says. `dedupe`, `answered`, `kill-switch` and `case-open` need something
# before.
REASONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "not-surgical": (a_call(NOT_SURGICAL), {}),
    "selection-unresolved": (a_call(selections=["ServiceRequest/not-among-them"]), {}),
    "unmapped-procedure": (a_call(UNMAPPED), {}),
    "procedure-ambiguous": (a_call(an_order() | {"code": TWO_OPERATIONS}), {}),
    "out-of-scope": (a_call(patient=a_patient(16)), {}),
    "not-elective": (a_call(an_order(priority="urgent")), {}),
    "non-clinician": (a_call(user="Patient/pt-b"), {}),
    "deceased": (a_call(patient=a_patient(deceasedBoolean=True)), {}),
    "below-floor": (a_call(**WELL), {"card_floor": None}),
    "mode-silent": (a_call(), {"mode": "silent"}),
    "mode-off": (a_call(), {"mode": "off"}),
    "mode-canary": (a_call(), {"mode": "canary"}),
    "mode-hold-out": (a_call(), {"id": "test", "learning": {"silent_share": 0.5, **HELD_OUT}}),
    "validation-outdated": (a_call(), {"local_validation": NO_SUCH_REPORT}),
    "required-input-missing": (a_call(patient=None), {"card_for_missing_required": False}),
    "data-unobtainable": (a_call(patient=...), {"on_failure": "empty"}),
    "dedupe": (a_call(), {"dedupe_window_s": 3600.0, "repeats": "once"}),
    "answered": (a_call(), {"dedupe_window_s": 3600.0}),
    "kill-switch": (a_call(), {}),
    "case-open": (a_call(), {"environment": "dev", "during": {"mode": "closed-case"}}),
}
# A mode that withholds must look like nothing to say, whoever asks (R-E01).
INDISTINGUISHABLE = ("mode-silent", "mode-canary", "mode-hold-out", "validation-outdated")


@pytest.fixture
def tenant(tmp_path: Any) -> Callable[..., Flask]:
    def open_one(**members: Any) -> Flask:
        asked = {"explain_silence": True} | members
        return an_app(tmp_path, tenants=a_tenant_file(tmp_path / "tenants", **asked))

    return open_one


def test_every_reason_has_its_request() -> None:
    assert set(REASONS) == set(get_args(Reason)) == set(WORDS)
    assert len(REASONS) >= 12


def silenced(app: Flask, reason: str) -> Any:
    request = REASONS[reason][0]
    if reason == "dedupe":
        assert len(ask(app, request).json["cards"]) == 1
        kept(app)
    if reason == "answered":
        (card,) = ask(app, request).json["cards"]
        path = f"{SERVICE}/feedback"
        item = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:00:00Z"}
        assert app.test_client().post(path, json={"feedback": [item]}, headers=a_token(path)).status_code == 200
        kept(app)
    if reason == "kill-switch":
        switch(app, "kill")
    if reason == "case-open":
        post(app, an_open_operation(REASONS[reason][0]["context"]["patientId"]))
    return ask(app, request)


@pytest.mark.parametrize("reason", REASONS)
def test_the_rule_answers_200_without_a_card_records_its_reason_and_explains_itself(
    tenant: Callable[..., Flask], reason: str
) -> None:
    app = tenant(**REASONS[reason][1])
    response = silenced(app, reason)
    assert response.status_code == 200
    assert response.json["cards"] == []
    assert kept(app, "decision, reason, status")[-1] == ("silence", reason, 200)
    if reason in INDISTINGUISHABLE:
        assert response.data == NOTHING
        return
    told = response.json["extension"]["io.surgical-risk.silence"]
    assert told == {"reason": reason, "text": WORDS[reason]}


@pytest.mark.parametrize("reason", REASONS)
def test_a_tenant_that_does_not_ask_is_told_nothing_but_that_there_is_no_card(
    tenant: Callable[..., Flask], reason: str
) -> None:
    app = tenant(**REASONS[reason][1], explain_silence=False)
    assert silenced(app, reason).data == NOTHING
    assert kept(app, "reason")[-1] == (reason,)


@pytest.mark.parametrize("reason", ["below-floor", "dedupe", "answered"])
def test_what_was_computed_and_not_shown_comes_as_data_where_it_may_be_told(
    tenant: Callable[..., Flask], reason: str
) -> None:
    told = silenced(tenant(**REASONS[reason][1]), reason).json["extension"]["io.surgical-risk.assessment"]
    assert any(one.get("shown") for one in told["predictions"])


def test_running_out_of_time_is_not_silence(tenant: Callable[..., Flask]) -> None:
    """DEC-10: the deadline is a 412, and its name is no reason."""
    app = tenant(deadline_s=0.0001, fetch_budget_s=0.0001, fetch_timeout_s=0.0001)
    response = ask(app)
    assert response.status_code == 412
    assert "cards" not in response.json
    assert kept(app, "decision, reason")[-1] == ("error", "deadline")
    assert "deadline" not in get_args(Reason)


# The same request (DEC-17).


def test_the_same_request_again_gets_the_same_bytes_and_counts_once(tenant: Callable[..., Flask]) -> None:
    app = tenant(dedupe_window_s=3600.0)
    body = json.dumps(a_call() | {"hookInstance": str(uuid.uuid4())})
    send = {"data": body, "content_type": "application/json"}
    first = app.test_client().post(SERVICE, headers=a_token(), **send)
    again = app.test_client().post(SERVICE, headers=a_token(), **send)
    assert len(first.json["cards"]) == 1
    assert again.data == first.data
    assert len(kept(app, "id")) == 1


def test_a_kill_switch_silences_a_retry_too(tenant: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> None:
    """R-E05: what was answered before the switch is not shown after it."""
    monkeypatch.setattr(switches, "FRESH_S", 0.0)
    app = tenant(explain_silence=False)
    body = json.dumps(a_call() | {"hookInstance": str(uuid.uuid4())})
    send = {"data": body, "content_type": "application/json"}
    assert len(app.test_client().post(SERVICE, headers=a_token(), **send).json["cards"]) == 1
    switch(app, "kill")
    assert app.test_client().post(SERVICE, headers=a_token(), **send).data == NOTHING


@pytest.mark.parametrize("value", ["off", "silent"])
def test_another_mode_holds_for_a_retry_at_once(
    tenant: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """R-E01: what was answered under another mode is not shown under this one, remembered or not."""
    monkeypatch.setattr(switches, "FRESH_S", 0.0)
    app = tenant(explain_silence=False)
    body = json.dumps(a_call() | {"hookInstance": str(uuid.uuid4())})
    send = {"data": body, "content_type": "application/json"}
    assert len(app.test_client().post(SERVICE, headers=a_token(), **send).json["cards"]) == 1
    switch(app, "mode", value, SwitchScope("general-hospital"))
    assert app.test_client().post(SERVICE, headers=a_token(), **send).data == NOTHING


@pytest.mark.parametrize("patient", [None, a_patient(birthDate=None), bundle()])
def test_a_patient_who_was_not_sent_or_has_no_age_is_a_gap_and_never_nothing_to_say(
    tenant: Callable[..., Flask], patient: Any
) -> None:
    app = tenant()
    (card,) = ask(app, a_call(patient=patient)).json["cards"]
    assert card["summary"].endswith("not computable: the patient's age is not known")
    assert kept(app, "decision, reason, status")[-1] == ("card", "required-input-missing", 200)


def test_the_mode_of_its_operation_holds_for_a_card_that_names_a_gap(tenant: Callable[..., Flask]) -> None:
    app = tenant(modes=[{"mode": "silent", "procedure_group": "spine-fusion"}])
    assert ask(app, a_call(patient=None)).data == NOTHING

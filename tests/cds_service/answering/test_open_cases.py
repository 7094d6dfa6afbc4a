"""While an operation of a patient runs no estimate is told, by no door; where the mode is off nobody asks."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from cds_service.answering import open_cases
from cds_service.records import recent_cases, switches
from cds_service.records.database import DatabaseError
from cds_service.records.during_cases import Arrival, CaseBounds, CaseKey, Part
from cds_service.records.switches import Switch, SwitchScope
from cds_service.web.app import RECORDS
from tests.acceptance.requests import a_request
from tests.cds_service.answering.test_calls import NOTHING, ask, kept
from tests.cds_service.during.hospitals import POSTED, a_bundle, an_hospital, an_operation
from tests.cds_service.records.test_switches import an_event
from tests.conformance.conftest import SERVICE, a_token

PATIENT = a_request()["context"]["patientId"]


def an_open_operation(patient=PATIENT, *, hours=-1.0, ended=False, **members):
    begun = datetime.now(UTC) + timedelta(hours=hours)
    period = {"start": begun.isoformat()} | ({"end": datetime.now(UTC).isoformat()} if ended else {})
    return an_operation(0.0 if ended else None) | {
        "subject": {"reference": f"Patient/{patient}"}, "performedPeriod": period,
    } | members  # fmt: skip


def post(app, *resources):
    answer = app.test_client().post(POSTED, json=a_bundle(*resources), headers=a_token(POSTED))
    assert answer.status_code == 200, answer.text


def test_while_a_case_runs_there_is_no_card_and_after_it_there_is(tmp_path):
    app = an_hospital(tmp_path)
    assert len(ask(app).json["cards"]) == 1
    post(app, an_open_operation())
    assert ask(app).json["cards"] == []
    assert kept(app, "decision, reason, mode, models")[-1] == ("silence", "case-open", "on", "[]")
    post(app, an_open_operation(ended=True, meta={"versionId": "2"}))
    assert len(ask(app).json["cards"]) == 1


def test_another_patient_and_another_day_are_told(tmp_path):
    app = an_hospital(tmp_path)
    post(app, an_open_operation("somebody-else", encounter={"reference": "Encounter/e2"}))
    post(app, an_open_operation(hours=-30))
    assert len(ask(app).json["cards"]) == 1


def test_the_same_request_again_holds_only_while_the_case_is_as_it_was(tmp_path):
    app = an_hospital(tmp_path)
    send = {"data": json.dumps(a_request() | {"hookInstance": str(uuid.uuid4())}), "content_type": "application/json"}

    def again():
        return app.test_client().post(SERVICE, headers=a_token(), **send)

    first = again()
    post(app, an_open_operation())
    assert again().json["cards"] == []
    post(app, an_open_operation(ended=True, meta={"versionId": "2"}))
    assert again().data == first.data


@pytest.mark.parametrize("hook", ["order-sign", "order-select", "patient-view"])
def test_every_hook_is_silent(tmp_path, hook):
    app = an_hospital(tmp_path, hooks=[hook])
    post(app, an_open_operation())
    request = a_request() | {"hook": hook}
    request["context"].setdefault("selections", ["ServiceRequest/order"])
    assert ask(app, request).json["cards"] == []
    assert kept(app, "hook, reason")[-1] == (hook, "case-open")


def test_where_the_mode_withholds_it_looks_like_nothing_to_say(tmp_path):
    app = an_hospital(tmp_path, mode="silent", explain_silence=True)
    post(app, an_open_operation())
    assert ask(app).data == NOTHING
    assert kept(app, "reason, mode")[-1] == ("case-open", "silent")


def test_where_nobody_can_tell_there_is_no_answer(tmp_path, monkeypatch):
    def cannot(*_args, **_kwargs):
        raise DatabaseError("hangs")

    app = an_hospital(tmp_path)
    monkeypatch.setattr(open_cases, "recent_cases", cannot)
    answer = ask(app)
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


def test_with_the_mode_off_nothing_is_asked_of_the_store(tmp_path):
    asked = []
    for reads in ("off", "closed-case"):
        app = an_hospital(tmp_path / reads, reads)
        engine = app.extensions[RECORDS].quick
        event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
        assert len(ask(app).json["cards"]) == 1
        assert any("during_" in statement for statement in asked) is (reads != "off")


def test_more_times_than_can_be_looked_at_may_be_of_an_open_case(tmp_path, monkeypatch):
    monkeypatch.setattr(recent_cases, "MOST_TIMES", 3)
    app = an_hospital(tmp_path)
    post(app, *(an_open_operation(ended=True, id=f"op{number}") for number in range(4)))
    assert ask(app).json["cards"] == []


def test_of_a_case_of_many_values_only_its_few_times_are_read(tmp_path):
    """By the index, so that a call does not wait for a day of values."""
    app = an_hospital(tmp_path)
    post(app, an_open_operation())
    records = app.extensions[RECORDS]
    (case,) = records.during_cases.of_tenant("general-hospital")
    parts = [Part("observation", f'"{number}"' + "x" * 200) for number in range(3000)]
    key = CaseKey(case.key.tenant_id, case.key.patient_id, case.key.encounter_id)
    records.during_cases.keep(key, parts, CaseBounds(9, 9000, 9_000_000), Arrival("post", "", case.last_at))
    (found,) = recent_cases.recent_cases(records.quick, key.tenant_id, key.patient_id, since=case.last_at)
    assert (found.values, len(found.times), found.whole) == (3000, 1, True)
    with records.quick.connect() as connection:
        told = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT body FROM during_entry WHERE case_id IN ('a') AND kind <> 'observation'"
        ).all()
    assert "ix_during_entry_times" in str(told)


def test_of_somebody_with_more_cases_than_are_looked_at_one_may_be_open(tmp_path):
    app = an_hospital(tmp_path)
    post(app, an_open_operation(encounter={"reference": "Encounter/the-first"}))
    for number in range(recent_cases.MOST_CASES):
        own = {"id": f"p{number}", "encounter": {"reference": f"Encounter/e{number}"}}
        post(app, an_open_operation(hours=-3, ended=True, **own))
    assert ask(app).json["cards"] == []
    assert kept(app)[-1][:2] == ("silence", "case-open")


def test_a_killed_tenant_asks_for_no_cases(tmp_path, monkeypatch):
    app = an_hospital(tmp_path)

    def gone(*_, **__):
        raise DatabaseError("away")

    monkeypatch.setattr(open_cases, "recent_cases", gone)
    assert ask(app).status_code == 503
    scope, event_of = SwitchScope("general-hospital"), an_event(action="kill", tenant_id="general-hospital")
    switches.set_switch(app.extensions[RECORDS].durable, Switch("kill", scope, "killed"), event_of)
    app.extensions[RECORDS].switches._read_at = -1000.0
    assert ask(app).json["cards"] == []
    assert kept(app)[-1][:2] == ("silence", "kill-switch")

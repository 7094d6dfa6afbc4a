"""One call under each mode: what is shown, what is kept, and that silence looks like nothing to say."""

import time
import uuid
from datetime import UTC, datetime

import pytest

from cds_service.records import switches
from cds_service.records.rows import AdministrationEvent
from cds_service.records.switches import Switch, SwitchScope
from tests.acceptance.requests import a_request, an_order
from tests.conformance.conftest import SERVICE, a_tenant_file, a_token, an_app

NOTHING = b'{"cards":[]}'


def ask(app, request=None):
    body = (request or a_request()) | {"hookInstance": str(uuid.uuid4())}
    return app.test_client().post(SERVICE, json=body, headers=a_token())


def kept(app, columns="decision, reason, mode"):
    records = app.extensions["surgical-risk-records"]
    assert records.flush(5)
    with records.durable.connect() as connection:
        return connection.exec_driver_sql(f"SELECT {columns} FROM evaluation ORDER BY received_at").all()


def switch(app, kind, value="killed", scope=None):
    records, scope = app.extensions["surgical-risk-records"], scope or SwitchScope()
    now = datetime.now(UTC)
    event = AdministrationEvent(
        happened_at=now, action=kind, tenant_id="", scope=str(scope), value=value, done_by="A", reason="test"
    )
    switches.set_switch(records.durable, Switch(kind, scope, value), event)


@pytest.fixture
def tenant(tmp_path):
    def open_one(**members):
        return an_app(tmp_path, tenants=a_tenant_file(tmp_path / "tenants", **members))

    return open_one


@pytest.mark.parametrize(
    ("members", "reason", "mode"),
    [
        ({"mode": "silent"}, "mode-silent", "silent"),
        ({"mode": "canary"}, "mode-canary", "canary"),
        ({"mode": "on", "modes": [{"mode": "silent", "procedure_group": "spine-fusion"}]}, "mode-silent", "silent"),
    ],
)
def test_R_E01_silence_is_byte_identical_to_no_advice_and_the_estimate_is_kept(tenant, members, reason, mode):
    app = tenant(**members, explain_silence=True)
    silent, nothing = ask(app), ask(app, a_request(an_order(("http://loinc.org", "2160-0"))))
    assert silent.data == NOTHING
    assert nothing.data == NOTHING or members["mode"] == "on"
    assert [name for name, _ in silent.headers] == [name for name, _ in nothing.headers]
    assert kept(app)[0] == ("silence", reason, mode)
    assert kept(app, "probability")[0][0] > 0


def test_a_named_canary_user_sees_the_card(tenant):
    app = tenant(mode="canary", canary={"users": ["Practitioner/surgeon"]})
    assert len(ask(app).json["cards"]) == 1
    assert kept(app) == [("card", None, "canary")]


def test_mode_off_computes_nothing(tenant):
    app = tenant(mode="off")
    assert ask(app).data == NOTHING
    assert kept(app, "reason, models") == [("mode-off", "[]")]


def test_R_E05_a_kill_switch_holds_in_every_worker_within_sixty_seconds(tenant, monkeypatch):
    monkeypatch.setattr(switches, "FRESH_S", 0.2)
    one, two = tenant(), tenant()
    assert len(ask(one).json["cards"]) == len(ask(two).json["cards"]) == 1
    switch(one, "kill")
    time.sleep(0.3)
    assert (ask(one).data, ask(two).data) == (NOTHING, NOTHING)
    assert two.test_client().get("/health").json["killSwitch"] == "on"
    assert kept(one)[-1] == ("silence", "kill-switch", None)


def test_R_B09_the_same_card_is_shown_once_where_the_tenant_asks_for_it(tenant):
    app = tenant(dedupe_window_s=3600.0, repeats="once")
    assert len(ask(app).json["cards"]) == 1
    kept(app)
    assert ask(app).data == NOTHING
    assert kept(app)[-1][1] == "dedupe"
    other = a_request()
    other["context"]["userId"] = "Practitioner/other"
    assert len(ask(app, other).json["cards"]) == 1


def test_DEC_02_on_failure_empty_is_for_data_that_cannot_be_had_only(tenant):
    app = tenant(on_failure="empty")
    assert ask(app, a_request(patient=...)).data == NOTHING
    assert kept(app)[-1][:2] == ("silence", "data-unobtainable")
    wrong = a_request()
    wrong["prefetch"]["patient"]["id"] = "somebody-else"
    assert ask(app, wrong).status_code == 422
    assert kept(app, "decision, status")[-1] == ("error", 422)


def test_R_G15_two_tenants_with_the_same_patient_share_nothing(tenant, tmp_path):
    app = tenant(dedupe_window_s=3600.0)
    ask(app)
    kept(app)
    records = app.extensions["surgical-risk-records"]
    key = kept(app, "dedupe_key")[0][0]
    assert records.last_shown("general-hospital", key, since=datetime(2026, 1, 1, tzinfo=UTC))
    assert records.last_shown("other", key, since=datetime(2026, 1, 1, tzinfo=UTC)) is None

"""Every door by which a patient's figures or the list of services leave asks the one gate, whatever shuts it."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

import pytest
import requests
from flask import Flask
from werkzeug.serving import make_server

from cds_service.answering import gate
from cds_service.ehr import caller
from cds_service.records import switches
from cds_service.records.rows import AdministrationEvent
from cds_service.records.switches import Switch, SwitchScope
from cds_service.tenants.tenant import Canary, Learning, LocalValidation, ModeRule, Tenant
from cds_service.trust.errors import Forbidden
from cds_service.web import deployments as application
from cds_service.web.app import RECORDS, create_app
from cds_service.web.settings import Settings
from tests.acceptance.requests import a_request
from tests.cds_service.smart import test_profile
from tests.cds_service.smart.conftest import Demo
from tests.conformance.conftest import SERVICE, a_tenant_file, a_token, an_app
from tests.end_to_end.servers import free_port
from tests.patience import patient_demo

PATIENT, CODE, GROUP, SURGEON = "demo-fusion", "22633", "spine-fusion", "Practitioner/demo-surgeon"
FIGURE = re.compile(r" in 1,?00")
TODAY = datetime.now(UTC).date()

# What each route is to the gate. A route that is not here fails the first test: whoever adds one says what it gives.
FIGURES = {"/cds-services/<service_id>", "/risk-assessments/<uuid:assessment_id>", "/smart/callback", "/"}
LISTS = {"/cds-services"}
# Begins what /smart/callback ends; takes what a clinician did with a card.
ON_THE_WAY = {"/smart/launch", "/smart/launch/<tenant_id>", "/cds-services/<service_id>/feedback",
              "/workbench/feedback"}  # fmt: skip
# Of no patient (models, evidence, operations), the demo's EHR, or of cases (gate: during/test_case_pages.py).
PUBLIC = re.compile(
    r"/(?:livez|health|readyz?|metrics|models|sites|codes|evidence|irm|assets|demo|during|sandbox|\.well-known)\b.*"
)

# Name → the tenant's members; and whether the gate is open, shut by silence, or refuses.
OPEN: dict[str, dict[str, Any]] = {
    "on": {},
    "marked in the EU": {"region": "EU", "ce_marked": True},
    "ends tomorrow": {"retired_on": TODAY + timedelta(days=3)},
    "canary, all": {"mode": "canary", "canary": Canary(percent=100.0)},
    "off for another group": {"modes": (ModeRule(mode="off", procedure_group="cholecystectomy"),)},
}
SILENT: dict[str, dict[str, Any]] = {
    "retired": {"retired_on": TODAY - timedelta(days=2)},
    "off": {"mode": "off"},
    "silent": {"mode": "silent"},
    "canary, nobody": {"mode": "canary"},
    "held out": {"learning": Learning(silent_share=1.0)},
    "silent for the group": {"modes": (ModeRule(mode="silent", procedure_group=GROUP),)},
    "off for the group": {"modes": (ModeRule(mode="off", procedure_group=GROUP),)},
}
REFUSED: dict[str, dict[str, Any]] = {"EU": {"region": "EU"}, "eu": {"region": "eu"}}
SWITCHED = {
    "killed": Switch("kill", SwitchScope("demo"), "killed"),
    "all killed": Switch("kill", SwitchScope(), "killed"),
    "switched off": Switch("mode", SwitchScope("demo"), "off"),
    "switched silent": Switch("mode", SwitchScope("demo"), "silent"),
    "the group switched off": Switch("mode", SwitchScope("demo", procedure_group=GROUP), "off"),
}


class House:
    """One address behind which the tenant of one record and one seal changes, as between two starts of a service."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bind, self._folder, self._monkeypatch = f"127.0.0.1:{free_port()}", folder, monkeypatch
        self.url = f"http://{self.bind}"
        self._app: Flask = self.start()
        host, port = self.bind.split(":")
        self._server = make_server(host, int(port), self._respond, threaded=True)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def _respond(self, environ: Any, begin: Any) -> Any:
        return self._app(environ, begin)

    def start(self, **members: Any) -> Flask:
        tenant = patient_demo(f"http://{self.bind}", **members)
        self._monkeypatch.setattr(application, "demo_tenant", lambda _url: tenant)
        self._app = create_app(
            Settings(
                demo=True,
                bind=self.bind,
                database_url=f"sqlite:///{self._folder}/record.sqlite3",
                state_directory=self._folder / "state",
            )
        )
        return self._app

    @property
    def demo(self) -> Demo:
        return Demo(self.url, self._app)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Seen:
    """What was told while everything was open: a card, and a profile with the browser that has it open."""

    def __init__(self, house: House) -> None:
        self.card = test_profile.assessment(test_profile.card_of(house.demo, PATIENT, CODE))
        self.browser = requests.Session()
        page = test_profile.launched(house.demo, self.browser, PATIENT, self.card)
        opened = self.browser.post(page.url, data={"person": "surgeon"}, timeout=20)
        found = re.search(r"/risk-assessments/([0-9a-f-]{36})", opened.text)
        assert found, opened.text
        self.profile = found[1]
        assert house.demo.records.flush(5)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = House(tmp_path_factory.mktemp("gate"), monkeypatch)
        yield made
        made.close()


@pytest.fixture(scope="module")
def seen(house: House) -> Seen:
    return Seen(house)


def call(house: House, _seen: Seen) -> tuple[int, bool]:
    ehr = caller.Ehr(service_url=house.url, fhir_url=f"{house.url}/demo/fhir")
    body = caller.request(ehr, PATIENT, (test_profile.CPT, CODE))
    reply = requests.post(house.url + SERVICE, json=body, timeout=20)
    return reply.status_code, bool(FIGURE.search(reply.text))


def card_read_back(house: House, seen: Seen) -> tuple[int, bool]:
    reply = requests.get(f"{house.url}/risk-assessments/{seen.card}", timeout=20)
    return reply.status_code, "probability" in reply.text


def profile_read_back(house: House, seen: Seen) -> tuple[int, bool]:
    reply = seen.browser.get(f"{house.url}/risk-assessments/{seen.profile}", timeout=20)
    return reply.status_code, "probability" in reply.text


def profile(house: House, seen: Seen) -> tuple[int, bool]:
    with requests.Session() as browser:
        page = test_profile.launched(house.demo, browser, PATIENT, seen.card)
        if page.ok:
            page = browser.post(page.url, data={"person": "surgeon"}, timeout=20)
        return page.status_code, bool(FIGURE.search(page.text))


def profile_under_way(house: House, seen: Seen, shut: Callable[[], object]) -> tuple[int, bool]:
    """Begun while the gate was open, signed in once it was shut."""
    with requests.Session() as browser:
        page = test_profile.launched(house.demo, browser, PATIENT, seen.card)
        shut()
        reply = browser.post(page.url, data={"person": "surgeon"}, timeout=20)
        return reply.status_code, bool(FIGURE.search(reply.text))


def workbench(house: House, _seen: Seen) -> tuple[int, bool]:
    reply = requests.post(house.url, data={"patient": PATIENT, "prefetch": "on"}, timeout=20)
    return reply.status_code, bool(FIGURE.search(reply.text))


DOORS = (call, card_read_back, profile_read_back, profile, workbench)


def told(house: House, seen: Seen) -> dict[str, tuple[int, bool]]:
    return {door.__name__: door(house, seen) for door in DOORS}


def listed(house: House) -> bool:
    return bool(requests.get(f"{house.url}/cds-services", timeout=20).json()["services"])


def test_every_route_says_what_it_is_to_the_gate(house: House) -> None:
    routes = {rule.rule for rule in house.start().url_map.iter_rules()}
    unknown = {rule for rule in routes if not PUBLIC.fullmatch(rule)} - FIGURES - LISTS - ON_THE_WAY
    assert unknown == set()
    assert routes >= FIGURES | LISTS | ON_THE_WAY


@pytest.mark.parametrize("name", OPEN)
def test_an_open_gate_lets_every_door_tell(house: House, seen: Seen, name: str) -> None:
    house.start(**OPEN[name])
    assert told(house, seen) == {door.__name__: (200, True) for door in DOORS}
    assert listed(house)


@pytest.mark.parametrize("name", SILENT)
def test_what_is_shut_is_told_by_no_door(house: House, seen: Seen, name: str) -> None:
    house.start(**SILENT[name])
    found = told(house, seen)
    assert {door for door, (_, figure) in found.items() if figure} == set()
    assert {door: status for door, (status, _) in found.items()} == {
        **{door.__name__: 200 for door in DOORS}, "card_read_back": 404, "profile_read_back": 404,
    }  # fmt: skip
    assert listed(house) is (name != "retired")


@pytest.mark.parametrize("name", REFUSED)
def test_DEC_12_a_region_where_the_service_may_not_be_used_is_refused_by_every_door(
    house: House, seen: Seen, name: str
) -> None:
    house.start(**REFUSED[name])
    expected = {door.__name__: (403, False) for door in DOORS} | {"workbench": (200, False)}
    assert told(house, seen) == expected
    assert not listed(house)
    feedback = requests.post(f"{house.url}{SERVICE}/feedback", json={"feedback": []}, timeout=20)
    assert feedback.status_code == 403


@pytest.mark.parametrize("name", SWITCHED)
def test_what_a_person_switched_holds_at_every_door(
    house: House, seen: Seen, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switches, "FRESH_S", 0.0)
    records, switch = house.start().extensions[RECORDS], SWITCHED[name]
    event = AdministrationEvent(
        happened_at=datetime.now(UTC), action="test", tenant_id="demo", scope="", value=switch.value, done_by="A",
        reason="test",
    )  # fmt: skip
    switches.set_switch(records.durable, switch, event)
    try:
        found = told(house, seen)
        assert {door for door, (_, figure) in found.items() if figure} == set()
        assert listed(house)
    finally:
        switches.clear_switch(records.durable, cast("Literal['kill', 'mode']", switch.kind), switch.scope, event)


@pytest.mark.parametrize(("name", "status"), [("EU", 403), ("retired", 200), ("off", 200), ("silent", 200)])
def test_a_sign_in_begun_while_it_was_open_tells_nothing_once_it_is_shut(
    house: House, seen: Seen, name: str, status: int
) -> None:
    house.start()
    shut = {**SILENT, **REFUSED}[name]
    assert profile_under_way(house, seen, lambda: house.start(**shut)) == (status, False)


def test_DEC_12_a_client_of_the_eu_that_proves_itself_is_refused_until_ce_marked(tmp_path: Path) -> None:
    for marked, status in ((False, 403), (True, 200)):
        folder = tmp_path / str(status)
        folder.mkdir()
        tenants = a_tenant_file(folder / "tenants", region="EU", ce_marked=marked)
        http = an_app(folder, tenants=tenants).test_client()
        body = a_request() | {"hookInstance": str(uuid.uuid4())}
        assert http.post(SERVICE, json=body, headers=a_token()).status_code == status
        result = http.get(f"/risk-assessments/{uuid.uuid4()}", headers=a_token())
        assert result.status_code == (403 if status == 403 else 404)


# Kiritimati (UTC+14) and Pago Pago (UTC-11): whatever UTC says, the day is the hospital's.
@pytest.mark.parametrize(("zone", "ended"), [("Pacific/Kiritimati", True), ("Pacific/Pago_Pago", False)])
def test_the_service_ends_on_a_day_of_the_hospital_at_every_door(tmp_path: Path, zone: str, ended: bool) -> None:
    at = datetime(2026, 11, 30, 10, 30, tzinfo=UTC)  # the 1st of December on Kiritimati, the 29th on Pago Pago
    folder = a_tenant_file(tmp_path / "tenants", retired_on="2026-12-01" if ended else "2026-11-30", zone=zone)
    app = create_app(
        Settings(tenants=folder, database_url=f"sqlite:///{tmp_path}/r.sqlite3", state_directory=tmp_path),
        clock=lambda: at,
    ).test_client()
    assert (app.get("/cds-services").json == {"services": []}) is ended
    tenant = a_tenant(retired_on=date(2026, 12, 1) if ended else date(2026, 11, 30))
    assert (gate.before(tenant, ZoneInfo(zone), "order-select", at, ()).reason == "mode-off") is ended


def a_tenant(**members: Any) -> Tenant:
    validation = LocalValidation(report="R", approved_by="A", date=TODAY)
    given: dict[str, Any] = {"mode": "on", "local_validation": validation}
    return Tenant(id="t", environment="production", public_url="https://t.example", **given | members)


def test_the_region_is_judged_before_everything_else() -> None:
    killed = (Switch("kill", SwitchScope(), "killed"),)
    with pytest.raises(Forbidden):
        gate.before(a_tenant(region="EU"), ZoneInfo("UTC"), "order-select", datetime.now(UTC), killed)


def test_without_a_known_user_a_canary_sees_nothing_unless_everybody_does() -> None:
    for percent, reason in ((99.9, "mode-canary"), (100.0, None)):
        tenant = a_tenant(mode="canary", canary=Canary(percent=percent))
        assert gate.after(tenant, "order-select", None, "", (), patient=None).reason == reason

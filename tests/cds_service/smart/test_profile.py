"""The profile is the same assessment as the card's, under the same modes, for the same patient, and on the record."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
import requests

from cds_service.ehr import caller
from cds_service.records import switches
from cds_service.records.rows import AdministrationEvent, EvaluationRow
from cds_service.records.switches import Switch, SwitchReader, SwitchScope
from cds_service.smart import orders
from cds_service.smart.launch import Granted
from cds_service.tenant_runtime import open_tenant
from cds_service.tenants.tenant_files import demo_tenant
from cds_service.trust.secret import Secret
from fhir_mappings.orders import procedures
from fhir_mappings.terminology import concept_maps
from tests.cds_service.smart.conftest import Demo

CPT = "http://www.ama-assn.org/go/cpt"
LOCAL = "https://demo.surgical-risk.example/codes"
EXTENSION = "io.surgical-risk.assessment"


def card_of(demo: Demo, patient: str, code: str) -> dict[str, Any]:
    ehr = caller.Ehr(service_url=demo.url, fhir_url=f"{demo.url}/demo/fhir")
    return caller.call(ehr, patient, (LOCAL if code == "OR-HIP" else CPT, code))["cards"][0]


def assessment(card: dict[str, Any]) -> str:
    return str(card["extension"][EXTENSION]["assessmentId"])


def launched(demo: Demo, browser: requests.Session, patient: str, context: str | None) -> requests.Response:
    """As far as the sign-in page."""
    told = {"patient": patient} | ({"app_context": context} if context else {})
    return browser.post(f"{demo.url}/demo/launch", data=told, timeout=10)


def signed_in(demo: Demo, patient: str, context: str | None, person: str = "surgeon") -> requests.Response:
    with requests.Session() as browser:
        page = launched(demo, browser, patient, context)
        return browser.post(page.url, data={"person": person}, timeout=20)


@pytest.fixture(scope="session")
def shown_before(demo: Demo) -> str:
    """The assessment of a card that was shown while everything was on."""
    return assessment(card_of(demo, "demo-fusion", "22633"))


def test_the_profile_tells_what_the_card_told(demo: Demo) -> None:
    card = card_of(demo, "demo-comorbid", "63047")
    page = signed_in(demo, "demo-comorbid", assessment(card))
    assert page.status_code == 200
    assert card["summary"] in page.text
    assert "79 years, male" in page.text
    for suggestion in card["suggestions"]:
        assert suggestion["label"].removeprefix("Consider ").partition(":")[0] in page.text


def test_the_profile_shows_options_beyond_the_three_of_the_card(demo: Demo) -> None:
    card = card_of(demo, "demo-comorbid", "63047")
    page = signed_in(demo, "demo-comorbid", assessment(card)).text
    assert page.count("<p><strong>Consider ") > 3 >= len(card["suggestions"])
    assert "not on the card" in page


def test_missing_inputs_tell_what_they_could_change(demo: Demo) -> None:
    card = card_of(demo, "demo-no-asa", "22612")
    page = signed_in(demo, "demo-no-asa", assessment(card)).text
    row = re.search(r"<tr><th scope=\"row\">ASA class</th><td data-label=\"Why\">.*?</tr>", page)
    assert row
    assert "none found" in row[0]
    assert re.search(r"Death within 30 days: <strong class=\"figure\">(?:under )?\d+ to \d+ in 1,000", row[0])


def test_the_day_of_the_operation_comes_from_the_order_of_the_card(demo: Demo) -> None:
    page = signed_in(demo, "demo-fusion", assessment(card_of(demo, "demo-fusion", "22633"))).text
    assert "Operation planned for" in page


def test_an_opened_profile_is_on_the_record_with_who_opened_it(demo: Demo) -> None:
    page = signed_in(demo, "demo-hip", assessment(card_of(demo, "demo-hip", "OR-HIP")), person="nurse").text
    own = re.search(r"/risk-assessments/([0-9a-f-]{36})", page)
    assert own
    row = demo.records.evaluation(own[1])
    assert row
    assert (row.hook, row.decision, row.user_reference) == ("smart-launch", "profile", "Practitioner/demo-nurse")
    assert (row.patient_id, row.cards, row.dedupe_key) == ("demo-hip", (), None)


def test_a_patient_who_opens_it_is_shown_no_estimate(demo: Demo) -> None:
    page = signed_in(demo, "demo-fusion", assessment(card_of(demo, "demo-fusion", "22633")), person="patient").text
    assert "The user is not a clinician" in page
    assert " in 1,000" not in page


def test_a_card_about_another_patient_opens_nothing(demo: Demo) -> None:
    page = signed_in(demo, "demo-hip", assessment(card_of(demo, "demo-fusion", "22633")))
    assert page.status_code == 403
    assert "another patient" in page.text


def test_without_app_context_as_from_oracles_card_it_is_about_the_open_order_of_the_chart(demo: Demo) -> None:
    page = signed_in(demo, "demo-fusion", None)
    assert page.status_code == 200
    assert "Risk profile: spinal fusion" in page.text


def test_without_a_card_and_without_an_order_there_is_no_operation(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "still_planned", lambda *_, **__: ())
    assert "No operation" in signed_in(demo, "demo-fusion", None).text


@pytest.mark.parametrize("named", [None, "https://attacker.example.org"])
def test_an_answer_that_another_server_sent_opens_nothing(demo: Demo, named: str | None) -> None:
    with requests.Session() as browser:
        page = launched(demo, browser, "demo-fusion", None)
        allowed = browser.post(page.url, data={"person": "surgeon"}, timeout=20, allow_redirects=False)
        address = urlsplit(allowed.headers["Location"])
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        assert asked.pop("iss") == f"{demo.url}/demo/fhir"
        told = asked | ({"iss": named} if named else {})
        answer = browser.get(f"{demo.url}{address.path}", params=told, timeout=20)
    assert answer.status_code == 403
    assert "did not confirm the sign-in" in answer.text


@pytest.fixture
def switched(demo: Demo, request: pytest.FixtureRequest) -> Iterator[None]:
    """The kill switch or a mode, for as long as the test lasts."""
    kind, value = request.param
    switch = Switch(kind, SwitchScope("demo"), value)
    event = AdministrationEvent(
        happened_at=datetime.now(UTC),
        action=kind,
        tenant_id="demo",
        scope="",
        value=value,
        done_by="one",
        reason="test",
    )
    switches.set_switch(demo.records.durable, switch, event)
    demo.records.switches = SwitchReader(demo.records.durable)
    yield
    switches.clear_switch(demo.records.durable, kind, switch.scope, event)
    demo.records.switches = SwitchReader(demo.records.durable)


@pytest.mark.parametrize(
    ("switched", "words"),
    [
        (("kill", "killed"), "The service is switched off."),
        (("mode", "off"), "The service is off"),
        (("mode", "silent"), "computes and records here, and shows nothing"),
        (("mode", "canary"), "not among those who are shown cards yet"),
    ],
    indirect=["switched"],
    ids=["killed", "off", "silent", "canary"],
)
def test_a_mode_that_shows_no_card_shows_no_profile(demo: Demo, shown_before: str, switched: None, words: str) -> None:
    page = signed_in(demo, "demo-fusion", shown_before)
    assert page.status_code == 200
    assert words in page.text
    assert " in 1,000" not in page.text
    assert "/risk-assessments/" not in page.text


def test_the_code_works_once(demo: Demo) -> None:
    with requests.Session() as browser:
        page = launched(demo, browser, "demo-fusion", None)
        back = browser.post(page.url, data={"person": "surgeon"}, allow_redirects=False, timeout=10)
        code = parse_qs(urlsplit(back.headers["Location"]).query)["code"][0]
        first = browser.get(back.headers["Location"], timeout=10)
        assert "not confirm the sign-in" not in first.text
    answer = requests.post(
        f"{demo.url}/demo/token",
        data={"grant_type": "authorization_code", "code": code, "client_id": "surgical-risk", "code_verifier": "x" * 64,
              "redirect_uri": f"{demo.url}/smart/callback"},
        timeout=10,
    )  # fmt: skip
    assert answer.status_code == 400


def test_two_launches_side_by_side_do_not_mix(demo: Demo) -> None:
    with requests.Session() as browser:
        first = launched(demo, browser, "demo-fusion", assessment(card_of(demo, "demo-fusion", "22633")))
        second = launched(demo, browser, "demo-hip", assessment(card_of(demo, "demo-hip", "OR-HIP")))
        assert "hip replacement" in browser.post(second.url, data={"person": "surgeon"}, timeout=20).text
        assert "spinal fusion" in browser.post(first.url, data={"person": "surgeon"}, timeout=20).text


def test_another_browser_cannot_finish_what_this_one_began(demo: Demo) -> None:
    with requests.Session() as browser, requests.Session() as other:
        page = launched(demo, browser, "demo-fusion", None)
        back = browser.post(page.url, data={"person": "surgeon"}, allow_redirects=False, timeout=10)
        assert other.get(back.headers["Location"], timeout=10).status_code == 400


def test_the_result_as_fhir_is_for_the_browser_that_has_it_open(demo: Demo) -> None:
    with requests.Session() as browser:
        page = launched(demo, browser, "demo-fusion", assessment(card_of(demo, "demo-fusion", "22633")))
        text = browser.post(page.url, data={"person": "surgeon"}, timeout=20).text
        own = re.search(r"/risk-assessments/[0-9a-f-]{36}", text)
        assert own
        answer = browser.get(demo.url + own[0], timeout=10)
        assert (answer.status_code, answer.json()["subject"]) == (200, {"reference": "Patient/demo-fusion"})


@pytest.mark.parametrize("value", ["", "no-launch", "gAAAAABn"])
def test_a_launch_that_nobody_began_is_refused(demo: Demo, value: str) -> None:
    assert requests.get(f"{demo.url}/demo/sign-in", params={"launch": value}, timeout=10).status_code == 400


def test_the_store_refuses_a_token_that_it_did_not_give(demo: Demo) -> None:
    answer = requests.get(f"{demo.url}/demo/fhir/Patient", headers={"Authorization": "Bearer forged"}, timeout=10)
    assert answer.status_code == 401


def test_the_page_says_so_where_the_card_told_another_figure(demo: Demo) -> None:
    """The data may have changed between the card and the click."""
    kept = demo.records.evaluation(assessment(card_of(demo, "demo-fusion", "22633")))
    assert kept
    assert "the data have changed since" not in signed_in(demo, "demo-fusion", kept.id).text
    earlier = msgspec.structs.replace(kept, id=str(uuid.uuid4()), probability=0.021, cards=())
    demo.records.write_evaluation(earlier)
    assert "told 2.1 %; the data have changed since" in signed_in(demo, "demo-fusion", earlier.id).text


def test_the_length_of_the_operation_is_asked_again_too() -> None:
    procedure = {
        "system": CPT, "code": "22633", "order": "ServiceRequest/o1", "occurrence": "2026-12-15T08:00:00Z",
        "durationHours": 2.5,
    }  # fmt: skip
    kept = EvaluationRow(
        id="a", tenant_id="demo", received_at=datetime.now(UTC), hook="order-select", hook_instance="h", status=200,
        decision="card", patient_id="p1", result={"procedure": procedure},
    )  # fmt: skip
    granted = Granted(issuer="https://ehr.example.org/fhir", token=Secret("t"), patient_id="p1")
    (order,) = orders.considered(granted, kept, open_tenant(demo_tenant("http://127.0.0.1:8000")), datetime.now(UTC))
    (planned,) = procedures.planned([order.resource], patient_id="p1", maps=concept_maps.load((concept_maps.DEMO,)))
    assert (planned.occurrence, planned.duration_h, planned.order) == ("2026-12-15T08:00:00Z", 2.5, "ServiceRequest/o1")

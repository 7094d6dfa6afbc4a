"""Two hospitals launch the risk profile, each from its own authorization server in front of a real HAPI FHIR server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from cds_service.ehr import caller
from tests.end_to_end import people, servers
from tests.end_to_end.browser import authorization_server
from tests.end_to_end.browser.accessibility import overflow, serious
from tests.end_to_end.browser.authorization_server import Client, Ehr, Token
from tests.end_to_end.browser.conftest import discrete
from tests.end_to_end.test_validate import complaints

pytestmark = pytest.mark.end_to_end
SCOPES = " ".join(
    f"patient/{kind}.rs"
    for kind in ("Patient", "Condition", "Observation", "MedicationRequest", "Procedure", "Encounter",
                 "DiagnosticReport", "ServiceRequest")
)  # fmt: skip
# Long: HAPI shares this machine's cores with a browser.
PATIENCE = {"fetch_timeout_s": 9, "fetch_budget_s": 9.5, "deadline_s": 10, "dedupe_window_s": 0}


class Hospital(msgspec.Struct, frozen=True):
    """Its authorization server, what that remembers, and where the risk service is."""

    base: str
    ehr: Ehr
    service: str

    def card(self, patient: str) -> dict[str, Any]:
        """The card of this patient's order, asked for with a lent token."""
        self.ehr.tokens["lent"] = Token(SCOPES, 4e9, patient)
        order = next(person.order for person in people.demo_people() if person.id == patient)
        asking = caller.Ehr(service_url=self.service, fhir_url=f"{self.base}/fhir", fhir_token="lent")
        card: dict[str, Any] = caller.call(asking, patient, order, prefetch=False)["cards"][0]
        return card


@pytest.fixture(scope="module")
def hospitals(hapi: str) -> Iterator[tuple[Hospital, Hospital]]:
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}"
    ordered = open_order("demo-hip")
    with ExitStack() as stack:
        people.load(hapi, [ordered])
        stack.callback(deleted, f"{hapi}/ServiceRequest/{ordered['id']}")
        found, tenants = [], []
        for name in ("general", "county"):
            ehr, client = Ehr(), Client(f"app-{name}", f"{url}/smart/callback")
            base = stack.enter_context(authorization_server.running(hapi, client, ehr))
            found.append(Hospital(base, ehr, url))
            tenants.append(tenant(name, base, client, url))
        stack.enter_context(servers.service(tenants[0], others=tenants[1:], port=port))
        yield found[0], found[1]


def tenant(name: str, base: str, client: Client, url: str) -> dict[str, Any]:
    return {
        "id": name,
        "environment": "dev",
        "mode": "on",
        "clients": [],
        "fhir_base_urls": [f"{base}/fhir"],
        "smart": {"client_id": client.client_id, "authorization_url": base},
        "advice": {"smart_launch_url": f"{url}/smart/launch"},
        **({"client_jwt": "optional"} if name == "general" else {"client_jwt": "required", "clients": [nobody()]}),
        **PATIENCE,
    }


def deleted(url: str) -> None:
    """HAPI serves the other tests too: they are to find what they loaded, and nothing else."""
    answer = requests.delete(url, timeout=60)
    assert answer.status_code in {200, 204}, answer.text[:500]


def nobody() -> dict[str, Any]:
    return {"issuer": "https://county.example.org", "jwks": {"keys": []}}


def open_order(patient: str) -> dict[str, Any]:
    person = next(person for person in people.demo_people() if person.id == patient)
    return {**caller.draft_order(patient, person.order), "id": f"open-{patient}", "status": "active"}


def launch(page: Page, hospital: Hospital, patient: str, app_context: str | None = None) -> None:
    hospital.ehr.launches["l1"] = {"patient": patient, **({"appContext": app_context} if app_context else {})}
    page.goto(f"{hospital.service}/smart/launch?iss={hospital.base}/fhir&launch=l1")
    page.click("text=Allow")
    page.wait_for_url(f"{hospital.service}/smart/callback*", timeout=60_000)


def test_the_profile_at_hapi_tells_what_the_card_told(page: Page, hospitals: tuple[Hospital, Hospital]) -> None:
    general, _ = hospitals
    card = general.card("demo-comorbid")
    launch(page, general, "demo-comorbid", discrete(card)["assessmentId"])
    expect(page.locator(".headline")).to_have_text(card["summary"])
    assert {"Patient", "Observation", "Condition"} <= set(general.ehr.read)
    assert general.ehr.refused == []
    assert overflow(page) == 0
    assert serious(page) == []


def test_the_result_as_fhir_is_valid_for_hapi_and_can_be_saved_there(
    chromium: Browser, hospitals: tuple[Hospital, Hospital], hapi: str
) -> None:
    _, county = hospitals
    context = chromium.new_context()
    page = context.new_page()
    launch(page, county, "demo-hip")
    link = page.get_by_role("link", name="This result as FHIR").get_attribute("href") or ""
    read = page.evaluate("url => fetch(url).then(answer => answer.json())", link)
    assert complaints(hapi, read) == []
    saved = requests.post(f"{hapi}/RiskAssessment", json=read, timeout=60)
    assert saved.status_code == 201, saved.text[:500]
    deleted(f"{hapi}/RiskAssessment/{saved.json()['id']}")
    assert all(0 <= one["probabilityDecimal"] <= 100 for one in saved.json()["prediction"])
    assert requests.get(f"{county.service}{link}", timeout=10).status_code == 404  # an open dev tenant stands beside it
    context.close()


def test_without_a_card_the_open_order_of_the_chart_is_assessed(
    chromium: Browser, hospitals: tuple[Hospital, Hospital]
) -> None:
    page = chromium.new_page()
    launch(page, hospitals[0], "demo-hip")
    expect(page.locator("h1")).to_contain_text("hip replacement")
    page.close()


def test_each_hospital_is_known_by_the_server_that_launches(
    chromium: Browser, hospitals: tuple[Hospital, Hospital]
) -> None:
    """A card of one hospital is no card of the other: there the chart's own order is assessed."""
    general, county = hospitals
    context = discrete(general.card("demo-hip"))["assessmentId"]
    page = chromium.new_page()
    page.goto("about:blank")
    county.ehr.launches["l1"] = {"patient": "demo-hip", "appContext": context}
    page.goto(f"{county.service}/smart/launch?iss={county.base}/fhir&launch=l1")
    assert f"{county.base}/authorize" in page.url
    assert "client_id=app-county" in page.url
    page.click("text=Allow")
    page.wait_for_url(f"{county.service}/smart/callback*", timeout=60_000)
    expect(page.locator("h1")).to_contain_text("hip replacement")
    assert re.search(r"hip", page.inner_text("h1"))
    page.close()


def test_a_server_of_neither_hospital_launches_nothing(hospitals: tuple[Hospital, Hospital]) -> None:
    answer = requests.get(
        f"{hospitals[0].service}/smart/launch?iss=https://elsewhere.example.org/fhir&launch=x", timeout=10
    )
    assert answer.status_code == 403


def test_an_ehr_that_does_not_tell_who_signs_in_opens_the_profile_all_the_same(
    chromium: Browser, hospitals: tuple[Hospital, Hospital]
) -> None:
    general, _ = hospitals
    general.ehr.tells_user = False
    page = chromium.new_page()
    launch(page, general, "demo-fusion", discrete(general.card("demo-fusion"))["assessmentId"])
    expect(page.locator("h1")).to_contain_text("spinal fusion")
    general.ehr.tells_user = True
    page.close()


def test_the_token_opens_one_patient_only(hospitals: tuple[Hospital, Hospital]) -> None:
    """The proxy in these tests really checks: another patient, another type and no token are refused."""
    general, _ = hospitals
    general.ehr.tokens["t"] = Token("patient/Patient.rs", 4e9, "demo-fusion")
    header = {"Authorization": "Bearer t"}

    def asked(path: str, headers: dict[str, str] = header) -> int:
        return requests.get(f"{general.base}/fhir/{path}", headers=headers, timeout=30).status_code

    assert asked("Patient/demo-fusion") == 200
    assert [asked("Patient/demo-hip"), asked("Condition?patient=demo-fusion")] == [403, 403]
    assert asked("Patient/demo-fusion", {}) == 401

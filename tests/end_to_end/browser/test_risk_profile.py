"""The risk profile is launched from a card: sign-in with PKCE, the same assessment, for this patient only."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from cds_service.ehr import caller
from tests.end_to_end.browser.accessibility import overflow, serious
from tests.end_to_end.browser.authorization_server import Ehr
from tests.end_to_end.browser.conftest import discrete

pytestmark = pytest.mark.end_to_end
CPT = "http://www.ama-assn.org/go/cpt"


def card_of(demo: str, patient: str, code: str) -> dict[str, Any]:
    ehr = caller.Ehr(service_url=demo, fhir_url=f"{demo}/demo/fhir")
    return caller.call(ehr, patient, (CPT, code))["cards"][0]


def launch(page: Page, demo: str, ehr: tuple[str, Ehr], *, patient: str, app_context: str | None) -> None:
    base, remembered = ehr
    remembered.launches["l1"] = {"patient": patient, **({"appContext": app_context} if app_context else {})}
    page.goto(f"{demo}/smart/launch?iss={base}&launch=l1")
    page.click("text=Allow")
    page.wait_for_url(f"{demo}/smart/callback*")


def test_the_profile_tells_the_same_as_the_card(page: Page, demo: str, ehr: tuple[str, Ehr]) -> None:
    card = card_of(demo, "demo-comorbid", "63047")
    launch(page, demo, ehr, patient="demo-comorbid", app_context=discrete(card)["assessmentId"])
    expect(page.locator(".headline")).to_have_text(card["summary"])
    for suggestion in card["suggestions"]:
        expect(page.locator(".choices")).to_contain_text(suggestion["label"].partition(":")[0])
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert overflow(page) == 0
    assert serious(page) == []


def test_a_card_about_another_patient_is_refused(chromium: Browser, demo: str, ehr: tuple[str, Ehr]) -> None:
    card = card_of(demo, "demo-comorbid", "63047")
    page = chromium.new_page()
    base, remembered = ehr
    remembered.launches["l1"] = {"patient": "demo-fusion", "appContext": discrete(card)["assessmentId"]}
    page.goto(f"{demo}/smart/launch?iss={base}&launch=l1")
    with page.expect_response("**/smart/callback*") as answered:
        page.click("text=Allow")
    assert answered.value.status == 403
    assert "another patient" in page.inner_text("main")
    page.close()


def test_on_paper_it_is_whole_and_nothing_else(chromium: Browser, demo: str, ehr: tuple[str, Ehr]) -> None:
    """No navigation and no links of the screen; contributions open; the patient named; nothing wider than the sheet."""
    card = card_of(demo, "demo-comorbid", "63047")
    page = chromium.new_page(viewport={"width": 718, "height": 1000})
    launch(page, demo, ehr, patient="demo-comorbid", app_context=discrete(card)["assessmentId"])
    page.emulate_media(media="print")
    for hidden in (".bar", ".skip", "text=This result as FHIR"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator(".banner")).to_contain_text("Konrad Demo")
    for table in page.locator("table.pulls").all():
        expect(table).to_be_visible()
    assert overflow(page) == 0
    assert page.pdf(format="A4")[:5] == b"%PDF-"
    page.close()


def test_an_answer_to_a_sign_in_that_was_not_begun_here_is_refused(chromium: Browser, demo: str) -> None:
    context = chromium.new_context()
    response = context.request.get(f"{demo}/smart/callback?code=stolen&state=guessed")
    assert response.status == 400
    context.close()

"""The workbench in a browser: an order becomes a card, an edit is sent again."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.end_to_end.browser.accessibility import overflow, serious

pytestmark = pytest.mark.end_to_end


def place(page: Page, demo: str, patient: str) -> None:
    page.goto(demo)
    page.select_option("#patient", patient)
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.click("text=Place the order")
    expect(page.locator("#status")).to_have_text("The service has answered.")


def test_the_first_patient_has_a_card_with_8_in_1000(page: Page, demo: str) -> None:
    page.goto(demo)
    expect(page.locator(".view-generic .card")).to_contain_text("about 8 in 1,000")


def test_another_patient_gets_another_card(page: Page, demo: str) -> None:
    place(page, demo, "demo-comorbid")
    expect(page.locator("#story")).to_contain_text("79")
    expect(page.locator(".view-generic .card h3")).to_contain_text("spinal decompression")


def test_a_child_gets_no_card_and_the_rule_is_named(page: Page, demo: str) -> None:
    place(page, demo, "demo-child")
    expect(page.locator("#answer .empty")).to_contain_text("out-of-scope")


def test_oracle_shows_no_options_and_a_narrow_panel(page: Page, demo: str) -> None:
    page.goto(demo)
    page.check('input[value="oracle"]')
    card = page.locator(".view-oracle .card")
    expect(card).to_be_visible()
    expect(page.locator(".view-generic .card")).to_be_hidden()
    assert card.locator(".options").count() == 0
    assert (card.bounding_box() or {"width": 999})["width"] <= 240


def test_an_edited_request_is_sent_again(page: Page, demo: str) -> None:
    page.goto(demo)
    body = json.loads(page.input_value("#body"))
    body["context"]["userId"] = "Patient/demo-fusion"
    page.fill("#body", json.dumps(body))
    page.click("text=Send this request")
    expect(page.locator("#answer .empty")).to_contain_text("non-clinician")


def test_a_broken_request_shows_the_error_as_it_came(page: Page, demo: str) -> None:
    page.goto(demo)
    page.fill("#body", "{")
    page.click("text=Send this request")
    expect(page.locator("#answer .notice")).to_contain_text("400")


@pytest.mark.parametrize("dialect", ["generic", "epic", "oracle"])
def test_each_dialect_can_be_used_by_everyone(page: Page, demo: str, dialect: str) -> None:
    place(page, demo, "demo-comorbid")
    page.check(f'input[value="{dialect}"]')
    expect(page.locator(f".view-{dialect} .card")).to_be_visible()
    assert overflow(page) == 0
    assert serious(page) == []


def test_everything_behind_the_card_is_shown(page: Page, demo: str) -> None:
    """Features with status and source, contributions as bars, milliseconds of each step, request and answer."""
    place(page, demo, "demo-no-asa")
    behind = page.locator("#behind")
    expect(behind.get_by_role("row", name="ASA class").first).to_be_attached()
    expect(behind.locator("table.inputs").first).to_contain_text("missing")
    expect(behind.locator("table.inputs").nth(1)).to_contain_text("Observation/demo-no-asa-obs")
    assert behind.locator("table.pulls svg").count() >= 4
    steps = behind.locator("table.steps tr").all_inner_texts()
    assert [step.split()[0] for step in steps] == ["order", "data", "features", "scores", "card"]
    assert '"hookInstance"' in page.input_value("#body")
    expect(behind.locator("pre.answer")).to_contain_text('"cards"')


@pytest.mark.parametrize("hook", ["order-sign", "appointment-book", "patient-view"])
def test_another_hook_and_no_prefetch_can_be_chosen(page: Page, demo: str, hook: str) -> None:
    page.goto(demo)
    page.check(f'input[value="{hook}"]')
    page.uncheck('input[name="prefetch"]')
    page.click("text=Place the order")
    expect(page.locator("#status")).to_have_text("The service has answered.")
    sent = json.loads(page.input_value("#body"))
    assert (sent["hook"], "prefetch" in sent) == (hook, False)
    expect(page.locator(".view-generic .card")).to_be_visible()
    assert overflow(page) == 0


def test_oracles_link_without_app_context_opens_the_profile_of_the_charts_open_order(page: Page, demo: str) -> None:
    place(page, demo, "demo-comorbid")
    summary = page.locator(".view-generic .card h3").inner_text()
    page.check('input[value="oracle"]')
    with page.context.expect_page() as opened:
        page.click(".view-oracle button.as-link")
    opened.value.click("text=Sign in and open")
    expect(opened.value.locator(".headline")).to_have_text(summary)


def test_the_cards_link_opens_the_profile_through_the_demo_sign_in(page: Page, demo: str) -> None:
    place(page, demo, "demo-comorbid")
    summary = page.locator(".view-generic .card h3").inner_text()
    with page.context.expect_page() as opened:
        page.click(".view-generic button.as-link")
    profile = opened.value
    expect(profile.locator("h1")).to_have_text("Open the risk profile as")
    assert overflow(profile) == 0
    assert serious(profile) == []
    profile.check('input[value="anaesthetist"]')
    profile.click("text=Sign in and open")
    expect(profile.locator(".headline")).to_have_text(summary)
    assert overflow(profile) == 0
    assert serious(profile) == []


def reach(page: Page, words: str) -> None:
    """Press Tab until the control with these words has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == words:
            return
    raise AssertionError(f"{words} cannot be reached with Tab")


def test_an_override_can_be_sent_with_the_keyboard_alone(page: Page, demo: str) -> None:
    page.goto(demo)
    reach(page, "Override")
    page.keyboard.press("Enter")
    expect(page.locator("#feedback")).to_contain_text("arrived")


def test_another_dialect_can_be_chosen_with_the_keyboard_alone(page: Page, demo: str) -> None:
    page.goto(demo)
    page.focus('input[name="dialect"][value="generic"]')
    page.keyboard.press("ArrowRight")
    expect(page.locator(".view-epic .card")).to_be_visible()


def test_the_order_can_be_placed_with_the_keyboard_alone(page: Page, demo: str) -> None:
    page.goto(demo)
    page.focus("#patient")
    page.keyboard.press("End")
    for _ in range(30):
        if page.evaluate("document.activeElement.textContent").strip() == "Place the order":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#card-title")).to_be_focused()


def test_without_scripts_the_forms_still_work(chromium: Browser, demo: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(demo)
    plain.select_option("#patient", "demo-hip")
    plain.select_option("#code", "")
    plain.click("text=Place the order")
    expect(plain.locator(".view-generic .card h3")).to_contain_text("hip replacement")
    plain.locator(".view-generic .override button").click()
    expect(plain.locator("main")).to_contain_text("arrived")
    context.close()


def is_greyed(page: Page) -> bool:
    """Both parts of the answer, or neither."""
    parts = page.evaluate("[...document.querySelectorAll('.seen')].map(part => part.inert)")
    assert len(parts) == 2
    assert len(set(parts)) == 1
    return bool(parts[0])


@pytest.mark.parametrize(
    ("control", "other", "first"),
    [("#patient", "demo-hip", "demo-fusion"), ("#code", "http://www.ama-assn.org/go/cpt|63047", None)],
)
def test_an_answer_is_greyed_as_soon_as_patient_or_operation_changes(
    page: Page, demo: str, control: str, other: str, first: str | None
) -> None:
    page.goto(demo)
    before = first or page.input_value(control)
    assert not is_greyed(page)
    expect(page.locator("#outdated")).to_be_hidden()
    page.select_option(control, other)
    assert is_greyed(page)
    expect(page.locator("#outdated")).to_contain_text("still the answer for Frieda Demo")
    expect(page.locator("#status")).to_contain_text("The order has changed")
    assert overflow(page) == 0
    assert serious(page) == []
    page.select_option(control, before)
    assert not is_greyed(page)
    expect(page.locator("#outdated")).to_be_hidden()


def test_what_is_greyed_cannot_be_accepted_and_the_next_answer_is_not_greyed(page: Page, demo: str) -> None:
    page.goto(demo)
    page.select_option("#patient", "demo-comorbid")
    page.evaluate("document.querySelector('.view-generic .options button').focus()")
    assert page.evaluate("document.activeElement.textContent") != "Accept"
    page.click("text=Place the order")
    expect(page.locator("#status")).to_have_text("The service has answered.")
    assert not is_greyed(page)


def test_the_card_names_the_patient_whom_the_request_was_about(page: Page, demo: str) -> None:
    place(page, demo, "demo-comorbid")
    expect(page.locator(".view-generic .card-patient")).to_have_text("For Konrad Demo")
    body = json.loads(page.input_value("#body"))
    assert body["context"]["patientId"] == "demo-comorbid"


@pytest.mark.parametrize("patient", ["demo-comorbid", "demo-no-asa", "demo-dialysis"])
def test_the_workbench_and_the_profile_print_on_two_pages_at_most(page: Page, demo: str, patient: str) -> None:
    place(page, demo, patient)
    assert pages_of(page) <= 2
    with page.context.expect_page() as opened:
        page.click(".view-generic button.as-link")
    opened.value.click("text=Sign in and open")
    expect(opened.value.locator("h1")).to_contain_text("Risk profile")
    assert pages_of(opened.value) <= 2


def pages_of(page: Page) -> int:
    """Sheets of A4."""
    counts = re.findall(rb"/Count (\d+)", page.pdf(format="A4"))
    return max(map(int, counts))

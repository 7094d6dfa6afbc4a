"""What the clinician did with a card, in a browser: it is told, it arrives, and an option is accepted once."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.browser.accessibility import overflow, serious
from tests.end_to_end.browser.test_workbench import place

pytestmark = pytest.mark.end_to_end


def place_as_somebody_new(page: Page, demo: str, patient: str) -> None:
    """For a reader who has answered no card yet: an answered one stays away (DEC-42), also from the next test."""
    place(page, demo, patient)
    body = json.loads(page.input_value("#body"))
    body["context"]["userId"] = f"Practitioner/{uuid.uuid4()}"
    page.fill("#body", json.dumps(body))
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.click("text=Send this request")
    expect(page.locator("#body")).to_have_value(re.compile(body["context"]["userId"]))
    expect(page.locator("#behind [aria-busy], #answer[aria-busy]")).to_have_count(0)


def test_accepting_an_option_sends_feedback_that_arrives(page: Page, demo: str) -> None:
    place_as_somebody_new(page, demo, "demo-fusion")
    page.locator(".view-generic .options button").first.click()
    expect(page.locator("#feedback")).to_contain_text("arrived")
    expect(page.locator("#feedback")).to_contain_text("accepted")


@pytest.mark.parametrize(
    ("patient", "words", "added"),
    [
        ("demo-comorbid", "Accepted: draft order added", 1),
        ("demo-fusion", "Accepted: 3 draft orders added", 3),  # three tests of one draw
    ],
)
def test_an_accepted_option_says_so_in_every_dress_and_cannot_be_accepted_again(
    page: Page, demo: str, patient: str, words: str, added: int
) -> None:
    place_as_somebody_new(page, demo, patient)
    drafts = len(json.loads(page.input_value("#body"))["context"]["draftOrders"]["entry"])
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "feedback" in request.url else None)
    first = page.locator(".view-generic .options li").first
    before = page.locator(".view-epic .options button").count()
    first.locator("button").dblclick()
    expect(first.locator(".accepted")).to_have_text(words)
    expect(page.locator("#status")).to_have_text(words)
    assert first.locator("button").count() == 0
    assert len(sent) == 1
    assert page.locator(".view-epic .options button").count() == before - page.locator(".view-epic .accepted").count()
    entries = json.loads(page.input_value("#body"))["context"]["draftOrders"]["entry"]
    assert len(entries) == drafts + added
    assert len({one["resource"]["id"] for one in entries}) == len(entries)
    assert {one["resource"]["status"] for one in entries[drafts:]} == {"draft"}
    assert overflow(page) == 0
    assert serious(page) == []
    page.click("text=Send this request")
    expect(page.locator("#status")).to_have_text("The service has answered.")


def test_where_the_service_does_not_take_it_an_option_is_not_called_accepted(page: Page, demo: str) -> None:
    place_as_somebody_new(page, demo, "demo-fusion")
    refused = '<section id="part">503 was not taken</section>'
    page.route("**/workbench/feedback", lambda route: route.fulfill(content_type="text/html", body=refused))
    button = page.locator(".view-generic .options button").first
    button.click()
    expect(page.locator("#feedback")).to_contain_text("was not taken")
    expect(button).to_be_enabled()
    assert page.locator(".accepted").count() == 0


def test_overriding_names_the_reason_and_takes_a_comment(page: Page, demo: str) -> None:
    place_as_somebody_new(page, demo, "demo-fusion")
    page.select_option("#reason-generic", index=1)
    page.fill("#comment-generic", "Seen in clinic last week")
    page.locator(".view-generic .override button").click()
    expect(page.locator("#feedback")).to_contain_text("action-completed")
    expect(page.locator("#feedback")).to_contain_text("Seen in clinic last week")
    expect(page.locator("#feedback")).to_contain_text("arrived")
    assert overflow(page) == 0
    assert serious(page) == []

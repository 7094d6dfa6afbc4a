"""The official sandbox, unmodified, shows our card for an order-select and stays with it while the draft changes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import patience
from tests.end_to_end import official_sandbox, servers
from tests.end_to_end.browser.conftest import CHROMIUM, QUIET
from tests.end_to_end.official_sandbox import SandboxUser

pytestmark = pytest.mark.sandbox
ABOUT_THE_CHART = "About the operation in the chart"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with official_sandbox.served(Path(official_sandbox.SOURCES)) as origin:
        yield origin


@pytest.fixture(scope="module")
def chromium(sandbox: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[str]:
    """A demo of its own for each test: what was answered once stays answered."""
    bind = f"127.0.0.1:{servers.free_port()}"
    command = [*patience.COMMAND, "serve", "--demo", "--bind", bind]
    record = {"DATABASE_URL": f"sqlite:///{tmp_path}/record.sqlite3"}
    with servers.running(command, f"http://{bind}/cds-services", log=tmp_path / "log", environment=record):
        yield f"http://{bind}"


@pytest.fixture
def tester(chromium: Browser) -> Iterator[SandboxUser]:
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    wrong: list[str] = []
    opened = SandboxUser(context)
    opened.page.on("pageerror", lambda error: wrong.append(str(error)))
    yield opened
    context.close()
    assert wrong == []


def opened(tester: SandboxUser, demo: str, patient: str, screen: str, hook: str = "order-select") -> Any:
    tester.open(patient, fhir=f"{demo}/demo/fhir", services=f"{demo}/cds-services", screen=screen, hook=hook)
    return tester.answered(1)


def test_a_chart_that_is_opened_shows_the_card_of_its_planned_operation(tester: SandboxUser, demo: str) -> None:
    (card,) = opened(tester, demo, "demo-fusion", "patient-view", "patient-view")
    assert "after spinal fusion" in card["summary"]
    assert ABOUT_THE_CHART not in card["detail"]


def test_the_card_stays_on_the_screen_while_a_medicine_is_written(tester: SandboxUser, demo: str) -> None:
    shown = opened(tester, demo, "demo-fusion", "rx-view")
    tester.choose_medicine("aspirin 81")
    shown += tester.answered(2)
    for call, number in enumerate(("2", "3"), start=3):
        tester.page.fill("#dosage-amount", number)
        shown += tester.answered(call)
    assert len(shown) == 4, "the screen said: no recommendations to display"
    assert len({card["uuid"] for card in shown}) == 1
    assert tester.card.get_by_text(ABOUT_THE_CHART).is_visible()


def test_the_card_stays_while_an_imaging_study_is_written_and_goes_once_it_is_dismissed(
    tester: SandboxUser, demo: str
) -> None:
    shown = opened(tester, demo, "demo-no-asa", "pama")
    tester.search(0, "lumbar")
    shown += tester.answered(2)
    tester.search(1, "back")
    shown += tester.answered(3)
    assert len({card["uuid"] for card in shown}) == 1
    tester.dismiss("Risk already assessed and discussed")
    tester.page.get_by_text("No recommendations to display").wait_for()
    tester.answered(4)  # the card goes before its feedback has arrived
    told = json.loads(tester.calls[-1].post_data or "")["feedback"][0]
    assert (told["card"], told["overrideReason"]["reason"]["code"]) == (shown[0]["uuid"], "action-completed")
    tester.search(1, "pain")
    assert tester.answered(5) == [], "dismissed, and nothing that it tells has changed"


def test_an_accepted_suggestion_is_feedback_and_the_card_does_not_come_again(tester: SandboxUser, demo: str) -> None:
    (card,) = opened(tester, demo, "demo-fusion", "rx-view")
    tester.accept()
    tester.answered(2)
    told = json.loads(tester.calls[-1].post_data or "")["feedback"][0]
    assert told["acceptedSuggestions"] == [{"id": card["suggestions"][0]["uuid"]}]
    tester.choose_medicine("aspirin 81")
    assert tester.answered(3) == []


def test_signing_a_medicine_shows_the_card_too(tester: SandboxUser, demo: str) -> None:
    opened(tester, demo, "demo-hip", "rx-view")
    tester.page.get_by_text("Rx Sign").click()
    tester.page.get_by_text("Sign Order").click()
    (card,) = tester.answered(2)
    assert ABOUT_THE_CHART in card["detail"]
    assert tester.calls[-1].url.endswith("/surgical-risk-order-sign")


def test_the_links_of_the_card_open_the_model_page_and_the_risk_profile(tester: SandboxUser, demo: str) -> None:
    (card,) = opened(tester, demo, "demo-fusion", "rx-view")
    assert tester.follow("How this estimate is made").url == card["links"][0]["url"]
    profile = tester.follow("Open the risk profile")
    profile.click("text=Sign in and open")
    profile.wait_for_selector(".headline")
    assert card["summary"] in profile.inner_text("main")


@pytest.mark.parametrize("width", [320, 1280])
def test_the_card_needs_no_wider_screen_than_the_sandbox_itself(tester: SandboxUser, demo: str, width: int) -> None:
    tester.page.set_viewport_size({"width": width, "height": 900})
    opened(tester, demo, "demo-comorbid", "rx-view")
    tester.choose_medicine("aspirin 81")
    tester.answered(2)
    assert tester.card.evaluate("element => element.scrollWidth <= element.clientWidth + 1")
    if folder := os.environ.get("PICTURES"):
        _keep(tester, Path(folder), width)


def _keep(tester: SandboxUser, folder: Path, width: int) -> None:
    """The card in a narrow window; in a wide one with the form above it, without the developer panel."""
    if width < 640:
        tester.page.set_viewport_size({"width": width, "height": 3000})  # its header stays on top of what is scrolled
        tester.card.screenshot(path=folder / "sandbox-320.png")
        return
    box = tester.card.bounding_box() or {"y": 0, "height": 0}
    clip = {"x": 0, "y": 0, "width": 640, "height": int(box["y"] + box["height"]) + 20}
    tester.page.screenshot(path=folder / "sandbox.png", full_page=True, clip=clip)

"""Takes the pictures in docs/pictures anew: `python -m tests.end_to_end.browser.pictures` beside `make run`."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.end_to_end.browser.conftest import CHROMIUM, QUIET

SERVICE = "http://127.0.0.1:8000"
FOLDER = Path(__file__).resolve().parents[3] / "docs" / "pictures"
# Name → width, and how much of the page's height is shown.
SIZES = {"": (1366, 1500), "-240": (240, 1500)}


def workbench(browser: Browser, service: str, patient: str, width: int) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(service)
    page.select_option("#patient", patient)
    page.click("text=Place the order")
    page.wait_for_selector("#status:has-text('answered')", state="attached")
    return page


def profile(page: Page) -> Page:
    with page.context.expect_page() as opened:
        page.click(".view-generic button.as-link")
    opened.value.click("text=Sign in and open")
    opened.value.wait_for_selector(".headline")
    return opened.value


def keep(page: Page, name: str, height: int) -> None:
    width = (page.viewport_size or {"width": 0})["width"]
    tall = min(height, int(page.evaluate("document.documentElement.scrollHeight")))
    page.screenshot(path=FOLDER / f"{name}.png", full_page=True, clip={"x": 0, "y": 0, "width": width, "height": tall})


def take(service: str = SERVICE) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        for suffix, (width, height) in SIZES.items():
            bench = workbench(browser, service, "demo-no-asa", width)
            keep(bench, f"workbench{suffix}", height)
            keep(profile(bench), f"risk-profile{suffix}", height)
        first = workbench(browser, service, "demo-fusion", 1366)
        first.locator(".view-generic .card").screenshot(path=FOLDER / "card.png")
        first.goto(f"{service}/models/any-complication")
        keep(first, "model", 1500)
        browser.close()


if __name__ == "__main__":
    take()

"""Every page at three widths: nothing sticks out, axe-core finds nothing serious, in light and in dark."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page

from models_onnx import registry
from tests.end_to_end.browser.accessibility import overflow, serious

pytestmark = pytest.mark.end_to_end
OUTCOMES = sorted({card.outcome for card in registry.load().cards})
OF_MODELS = ("/models", *(f"/models/{outcome}" for outcome in OUTCOMES))
PATHS = ("/", *OF_MODELS, "/irm", "/evidence", "/codes/topic", "/sandbox", "/demo/during/")


@pytest.mark.parametrize("path", PATHS)
def test_a_page_fits_and_can_be_used_by_everyone(page: Page, demo: str, path: str) -> None:
    page.goto(demo + path)
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert overflow(page) == 0
    assert serious(page) == []


def test_an_operation_that_is_over_fits_too(page: Page, demo: str) -> None:
    page.goto(f"{demo}/demo/during/case-bleeding?speed=60&since={int(time.time()) - 7200}")
    assert page.inner_text("h1") == "After the operation"
    assert overflow(page) == 0
    assert serious(page) == []


@pytest.mark.parametrize("path", ["/", "/models/any-complication"])
def test_the_dark_colours_have_contrast_too(page: Page, demo: str, path: str) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(demo + path)
    assert serious(page) == []

"""The site of the documents in a browser: it opens from a folder, asks no other host, "Read a card" is one sheet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.test_docs_site import site

__all__ = ["site"]
pytestmark = pytest.mark.end_to_end


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_read_a_card_is_one_sheet(paper: str, chromium: Browser, site: Path) -> None:
    page = chromium.new_page()
    page.goto((site / "read-a-card.html").as_uri())
    assert re.findall(rb"/Count (\d+)", page.pdf(format=paper)) == [b"1"]
    page.close()


def test_a_page_asks_no_host_at_all(chromium: Browser, site: Path) -> None:
    page, asked = chromium.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((site / "from-silent-to-on.html").as_uri(), wait_until="networkidle")
    page.close()
    assert len(asked) > 3
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []

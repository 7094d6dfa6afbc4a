"""The site of the documents in a browser: it asks no other host, no script fails, "Read a card" is one sheet."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.test_docs_site import PAGES, site

__all__ = ["site"]
pytestmark = pytest.mark.end_to_end


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    """The site behind a server: its search is a worker, which no browser starts from a file."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_read_a_card_is_one_sheet(paper: str, chromium: Browser, site: Path) -> None:
    page = chromium.new_page()
    page.goto((site / "read-a-card.html").as_uri())
    assert re.findall(rb"/Count (\d+)", page.pdf(format=paper)) == [b"1"]
    page.close()


def test_no_page_asks_another_host_and_no_script_fails(chromium: Browser, site: Path, served: str) -> None:
    """A script that failed half way, at headings that begin with a number, left tables bare in another theme."""
    asked: list[str] = []
    failed: list[str] = []
    page = chromium.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: failed.append(f"{page.url}: {error}"))
    for path in sorted(site.rglob("*.html")):
        page.goto(f"{served}{path.relative_to(site).as_posix()}")
    page.close()
    assert len(asked) > len(PAGES)
    assert [url for url in asked if not url.startswith((served, "data:"))] == []
    assert failed == []


def test_the_search_finds_a_page(chromium: Browser, served: str) -> None:
    page = chromium.new_page()
    page.goto(f"{served}search.html?q=canary")
    page.wait_for_selector("#mkdocs-search-results a[href*='from-silent-to-on.html']", timeout=10_000)
    page.close()

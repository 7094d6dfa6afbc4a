"""The demo service under gunicorn, an EHR that signs people in, and one Chromium; each lives for the session."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from cds_service.hooks.services import SERVICE_ID
from tests import patience
from tests.end_to_end import servers
from tests.end_to_end.browser import authorization_server
from tests.end_to_end.browser.authorization_server import Client, Ehr

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
# An eighth of a 1920 px screen, a tablet, a laptop.
WIDTHS = (240, 768, 1366)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of `cds-service serve --demo`."""
    folder: Path = tmp_path_factory.mktemp("demo")
    bind = f"127.0.0.1:{servers.free_port()}"
    command = [*patience.COMMAND, "serve", "--demo", "--bind", bind]
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{folder}/record.sqlite3"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        servers.wait(process, f"http://{bind}/cds-services", folder / "log")
        yield f"http://{bind}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(params=WIDTHS, ids=[f"{width}px" for width in WIDTHS])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    """A fresh page at each width; whatever goes wrong in it fails the test."""
    context = chromium.new_context(viewport={"width": request.param, "height": 900})
    opened, wrong = context.new_page(), []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield opened
    context.close()
    assert wrong == []


@pytest.fixture
def ehr(demo: str) -> Iterator[tuple[str, Ehr]]:
    """The EHR's FHIR base URL, and what it remembers; its patients are those of the demo store, behind a token."""
    remembered = Ehr()
    client = Client("surgical-risk", f"{demo}/smart/callback")
    with authorization_server.running(f"{demo}/demo/fhir", client, remembered) as base:
        yield f"{base}/fhir", remembered


def discrete(card: dict[str, Any]) -> dict[str, Any]:
    """The discrete result of a card."""
    result: dict[str, Any] = card["extension"][f"io.{SERVICE_ID}.assessment"]
    return result

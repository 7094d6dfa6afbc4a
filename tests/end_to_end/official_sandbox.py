"""The official CDS Hooks sandbox, built as it is from a folder of its sources, and what a tester does in it.

Nothing of it is kept in this repository. `make sandbox SANDBOX=folder` names the folder: a checkout, or its sources as
an archive of github.com/cds-hooks/sandbox at 3b7e25546771 (2026-03-31), by which the steps below are written.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import shutil
import subprocess
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import BrowserContext, Locator, Page, Request

from tests.end_to_end import servers

COMMIT = "3b7e25546771"
SOURCES = os.environ.get("SANDBOX", "")
# The demo lets no other port call it (tenant_files.py).
ORIGIN = "http://127.0.0.1:8080"
_BUILD_S = 900
_NOT_SOURCES = ("node_modules", ".git")
_CARD_S = 15_000.0


def built(sources: Path) -> Path:
    """The folder of the built page: made once, in a copy, so that the sources stay as they are. Needs Node 20."""
    files = sorted(path for path in (sources / "src").rglob("*.js*") if path.is_file())
    written = zlib.crc32(b"".join(path.read_bytes() for path in (*files, sources / "package-lock.json")))
    home = servers.BUILD / f"sandbox-{written:08x}"
    if not (home / "build" / "app.bundle.js").exists():
        shutil.copytree(sources, home, ignore=shutil.ignore_patterns(*_NOT_SOURCES), dirs_exist_ok=True)
        for command in (["npm", "ci", "--no-audit", "--no-fund"], ["npm", "run", "build"]):
            subprocess.run(command, cwd=home, check=True, timeout=_BUILD_S, stdout=subprocess.DEVNULL)
    return home / "build"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing: the page is not what is tested."""


@contextlib.contextmanager
def served(sources: Path) -> Iterator[str]:
    """The sandbox's own address, from when it answers until the block ends."""
    handler = functools.partial(_Quiet, directory=str(built(sources)))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 8080), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield ORIGIN
        server.shutdown()
        thread.join()


class SandboxUser:
    """One browser window of the sandbox, with every call that it made of the CDS service."""

    def __init__(self, context: BrowserContext) -> None:
        self.context, self.page = context, context.new_page()
        self.calls: list[Request] = []
        self.page.on("requestfinished", self._called)

    def _called(self, request: Request) -> None:
        if "/cds-services/" in request.url and request.method == "POST":
            self.calls.append(request)

    def open(self, patient: str, *, fhir: str, services: str, screen: str, hook: str) -> None:
        """As a link that a tester is given: the sandbox reads all of it from its own address."""
        asked = {"fhirServiceUrl": fhir, "patientId": patient, "serviceDiscoveryURL": services}
        self.page.goto(f"{ORIGIN}/?{urlencode({**asked, 'screen': screen, 'hook': hook})}")
        self.answered(1)

    def answered(self, calls: int) -> list[Any]:
        """The cards of the answer to this call, counted from the first; on the screen soon after."""
        for _ in range(150):
            if len(self.calls) >= calls:
                break
            self.page.wait_for_timeout(100)
        assert len(self.calls) == calls, [request.url for request in self.calls]
        response = self.calls[-1].response()
        assert response is not None
        told = response.json()
        if "cards" in told:
            self.shows(told["cards"])
        cards: list[Any] = told.get("cards", [])
        return cards

    @property
    def card(self) -> Locator:
        """As it stands on the screen; beside it the developer panel shows the same words as JSON."""
        return self.page.locator("div.MuiCard-root")

    def shows(self, cards: list[Any]) -> None:
        """Wait until the screen shows these cards, or says that there are none."""
        for card in cards:
            self.card.get_by_text(card["summary"]).wait_for(timeout=_CARD_S)
        if not cards:
            self.page.get_by_text("No recommendations to display").wait_for(timeout=_CARD_S)

    def choose_medicine(self, name: str) -> None:
        """Typed, and the first of the list clicked. The page waits a moment after the last letter."""
        self.page.fill("input[name=medication-input]", name)
        self.page.locator("ul div[role=button]").first.click()

    def search(self, number: int, words: str) -> None:
        """In the imaging screen: the order (0) or its reason (1), the first that is found."""
        self.page.locator("[id^=react-select][id$=-input]").nth(number).fill(words)
        self.page.locator("[id*=-option-]").first.click()

    def accept(self) -> None:
        """The first suggestion of the card."""
        self.page.locator("button.MuiButton-contained").first.click()

    def dismiss(self, reason: str) -> None:
        """With a reason of the card's list."""
        self.page.get_by_label("select dismiss reason").click()
        self.page.get_by_text(f"Override: {reason}").click()

    def follow(self, label: str) -> Page:
        """The page that a link of the card opens."""
        with self.context.expect_page() as opened:
            self.page.get_by_role("button", name=label).click()
        opened.value.wait_for_load_state()
        return opened.value

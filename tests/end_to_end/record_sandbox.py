"""Keeps what the official sandbox sends: `SANDBOX=folder python -m tests.end_to_end.record_sandbox`.

Into tests/conformance/official_sandbox, which test_official_sandbox.py there replays without any server.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from playwright.sync_api import Request, sync_playwright

from tests import patience
from tests.conformance import sandbox_exchanges
from tests.conformance.sandbox_exchanges import FOLDER, JWKS, Exchange
from tests.end_to_end import official_sandbox, servers
from tests.end_to_end.browser.conftest import CHROMIUM, QUIET
from tests.end_to_end.official_sandbox import SandboxUser

_NOT_OURS = ("host", "connection", "content-length", "accept-encoding")


@contextmanager
def _demo() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp())
    bind = f"127.0.0.1:{servers.free_port()}"
    command = [*patience.COMMAND, "serve", "--demo", "--bind", bind]
    record = {"DATABASE_URL": f"sqlite:///{folder}/record.sqlite3"}
    with servers.running(command, f"http://{bind}/metrics", log=folder / "log", environment=record):
        yield f"http://{bind}/demo/fhir"
    shutil.rmtree(folder)


class _Session:
    """One window; each step ends with one call of the service, which is kept under the step's name."""

    def __init__(self, browser: Any, kept: list[Exchange]) -> None:
        self.user, self.kept, self.calls = SandboxUser(browser.new_context()), kept, 0
        self.at: dict[Request, datetime] = {}
        self.user.page.on("request", lambda request: self.at.setdefault(request, datetime.now(UTC)))

    def step(self, did: str, act: Callable[[], object]) -> None:
        act()
        self.calls += 1
        self.user.answered(self.calls)
        request = self.user.calls[-1]
        headers = {name: value for name, value in request.all_headers().items() if name not in _NOT_OURS}
        self.kept.append(
            Exchange(
                sandbox=official_sandbox.COMMIT,
                did=did,
                received=self.at[request],
                url=request.url,
                headers=headers,
                body=request.post_data or "",
            )
        )


def _medicine(session: _Session, fhir: str, services: str) -> None:
    user = session.user

    def opened(screen: str, hook: str) -> Callable[[], None]:
        return lambda: user.open("demo-fusion", fhir=fhir, services=services, screen=screen, hook=hook)

    session.step("patient view opened", opened("patient-view", "patient-view"))
    session.step("Rx view opened", user.page.get_by_text("Rx View").first.click)
    session.step("a medicine chosen", lambda: user.choose_medicine("aspirin 81"))
    session.step("its number changed", lambda: user.page.fill("#dosage-amount", "2"))
    session.step("the suggestion accepted", user.accept)
    session.step("its number changed after that", lambda: user.page.fill("#dosage-amount", "3"))


def _study(session: _Session, fhir: str, services: str) -> None:
    user = session.user
    at = {"fhir": fhir, "services": services, "screen": "pama", "hook": "order-select"}
    session.step("imaging opened", lambda: user.open("demo-hip", **at))
    session.step("a study chosen", lambda: user.search(0, "lumbar"))
    session.step("dismissed with a reason", lambda: user.dismiss("Risk already assessed and discussed"))
    session.step("a reason of the study chosen after that", lambda: user.search(1, "back"))


def main() -> None:
    """Everything anew, with the key that this sandbox signs with."""
    sources = Path(official_sandbox.SOURCES)
    published = official_sandbox.built(sources) / ".well-known" / "jwks.json"
    keys = msgspec.json.decode(published.read_bytes())
    kept: list[Exchange] = []
    with (
        official_sandbox.served(sources),
        _demo() as fhir,
        servers.service(sandbox_exchanges.tenant(keys)) as service,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        for steps in (_medicine, _study):
            steps(_Session(browser, kept), fhir, f"{service}/cds-services")
        browser.close()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    JWKS.write_bytes(msgspec.json.format(msgspec.json.encode(keys)) + b"\n")
    for number, one in enumerate(kept, start=1):
        name = f"{number:02}-{one.did.replace(' ', '-').lower()}.json"
        (FOLDER / name).write_bytes(msgspec.json.format(msgspec.json.encode(one)) + b"\n")


if __name__ == "__main__":
    main()

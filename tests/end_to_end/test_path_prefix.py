"""Behind a path, `https://cds.hospital.example/risk`, through nginx: every link, form, cookie and redirect works."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from cds_service.ehr import caller
from tests import patience
from tests.cds_service.records.test_kill import a_free_port
from tests.end_to_end.servers import running
from tests.end_to_end.test_ingress import _wait

pytestmark = pytest.mark.end_to_end
PREFIX = "/risk"
CPT = "http://www.ama-assn.org/go/cpt"
PATIENT, CODE = "demo-fusion", "22633"
LINK = re.compile(r'(?:href|action|src)="([^"#]+)')
BEGINNINGS = ("", "/models", "/evidence", "/irm", "/sandbox")
CONFIGURATION = """
worker_processes 1; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 256; }}
http {{ access_log off; server {{ listen 127.0.0.1:{port};
    location {prefix}/ {{ proxy_pass http://127.0.0.1:{service}{path}; proxy_set_header Host $http_host; }}
    location / {{ return 421; }}
}} }}
"""


@pytest.fixture(params=["/", ""], ids=["the proxy takes the prefix off", "the proxy passes the path on whole"])
def public(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The demo behind nginx; what does not stand below the prefix is answered 421 there."""
    port, service = a_free_port(), a_free_port()
    url = f"http://127.0.0.1:{port}{PREFIX}"
    told = {"folder": tmp_path, "port": port, "service": service, "prefix": PREFIX, "path": request.param}
    (tmp_path / "nginx.conf").write_text(CONFIGURATION.format(**told), encoding="utf-8")
    nginx = ["nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", "stderr", "-g", "daemon off;"]
    serve = [*patience.COMMAND, "serve", "--demo", "--bind", f"127.0.0.1:{service}"]
    (tmp_path / "state").mkdir()
    environment = {
        **os.environ,
        "CDS_PUBLIC_URL": url,
        "CDS_STATE_DIRECTORY": str(tmp_path / "state"),
        "DATABASE_URL": f"sqlite:///{tmp_path}/r.sqlite3",
    }
    with contextlib.ExitStack() as stack:
        ready = f"http://127.0.0.1:{service}/readyz"
        stack.enter_context(running(serve, ready, log=tmp_path / "log", environment=environment))
        with (tmp_path / "nginx.log").open("wb") as log, subprocess.Popen(nginx, stderr=log) as proxy:
            try:
                _wait(port, tmp_path / "nginx.log")
                yield url
            finally:
                proxy.terminate()


def links(page: requests.Response) -> set[str]:
    """What the page points to on this host, forms and files too; as a browser resolves it."""
    found = {urljoin(page.url, link.replace("&amp;", "&")) for link in LINK.findall(page.text)}
    own = urlsplit(page.url).netloc
    return {link for link in found if urlsplit(link).netloc == own}


def launched(browser: requests.Session, public: str) -> requests.Response:
    """A card's SMART link opened in the demo's EHR, with the sign-in: the profile."""
    ehr = caller.Ehr(service_url=public, fhir_url=f"{public}/demo/fhir")
    card = caller.call(ehr, PATIENT, (CPT, CODE), hook="order-select")["cards"][0]
    smart = next(link for link in card["links"] if link["type"] == "smart")
    assert smart["url"].startswith(public)
    told = {"patient": PATIENT, "app_context": smart["appContext"]}
    page = browser.post(f"{public}/demo/launch", data=told, timeout=20)
    assert page.ok, page.text
    return browser.post(page.url, data={"person": "surgeon"}, timeout=20)


def test_every_page_and_everything_that_it_points_to_stands_below_the_prefix(public: str) -> None:
    with requests.Session() as browser:
        waiting = [f"{public}{path or '/'}" for path in BEGINNINGS]
        seen: dict[str, int] = {}
        while waiting and len(seen) < 150:
            url = waiting.pop()
            page = browser.get(url, timeout=20)
            seen[url] = page.status_code
            if page.headers["Content-Type"].startswith("text/html"):
                waiting += sorted(links(page) - seen.keys() - set(waiting))
    forms = {url for url, status in seen.items() if status == 405}
    assert {url: status for url, status in seen.items() if status != 200 and url not in forms} == {}
    assert {url for url in seen if not urlsplit(url).path.startswith(PREFIX)} == set()
    assert len(seen) > 20


def test_a_launch_a_sign_in_and_the_profile_work_below_the_prefix(public: str) -> None:
    with requests.Session() as browser:
        profile = launched(browser, public)
        assert (profile.status_code, urlsplit(profile.url).path) == (200, f"{PREFIX}/smart/callback")
        for url in links(profile):
            assert browser.get(url, timeout=20).status_code == 200, url
        found = re.search(rf'"({PREFIX}/risk-assessments/[0-9a-f-]{{36}})"', profile.text)
        assert found, "the result is offered as FHIR"
        as_fhir = browser.get(urljoin(public, found[1]), timeout=20)
        assert as_fhir.json()["resourceType"] == "RiskAssessment"


def test_the_workbench_sends_an_order_and_its_feedback_below_the_prefix(public: str) -> None:
    order = {"patient": PATIENT, "prefetch": "on"}
    with requests.Session() as browser:
        page = browser.post(f"{public}/", data=order, timeout=20)
        assert page.status_code == 200
        actions = re.findall(r'action="([^"]+)"', page.text)
        assert f"{PREFIX}/workbench/feedback" in actions
        assert all(action.startswith(f"{PREFIX}/") for action in actions)


def test_what_the_demo_store_answers_points_below_the_prefix(public: str) -> None:
    bundle = requests.get(f"{public}/demo/fhir/Observation?patient={PATIENT}&_count=1", timeout=20).json()
    assert all(link["url"].startswith(public) for link in bundle.get("link", []))

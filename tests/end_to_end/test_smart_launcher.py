"""SMART launcher v2, unmodified: our profile is launched through it, and what it does to a URL changes no answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests import patience
from tests.cds_service.patient_data.fhir_server import serving
from tests.cds_service.patient_data.launcher_urls import KEPT, Handed, write
from tests.end_to_end import servers, smart_launcher

pytestmark = pytest.mark.launcher


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, bind = tmp_path_factory.mktemp("demo"), f"127.0.0.1:{servers.free_port()}"
    command = [*patience.COMMAND, "serve", "--demo", "--bind", bind]
    record = {"DATABASE_URL": f"sqlite:///{folder}/record.sqlite3"}
    with servers.running(command, f"http://{bind}/cds-services", log=folder / "log", environment=record):
        yield f"http://{bind}"


@pytest.fixture(scope="module")
def launcher(demo: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with smart_launcher.running(f"{demo}/demo/fhir", tmp_path_factory.mktemp("launcher")) as address:
        yield address


@pytest.fixture(scope="module")
def service(launcher: str) -> Iterator[str]:
    """As docs/sandbox.md tells to set it up: its sign-in and its keys lie beside its FHIR base URL, not below it."""
    tenant = {
        "id": "launcher",
        "environment": "dev",
        "mode": "on",
        "fhir_base_urls": [f"{launcher}/v/r4/fhir"],
        "smart": {"client_id": "surgical-risk", "authorization_url": launcher},
        "fetch_timeout_s": 5,
        "fetch_budget_s": 8,
        "deadline_s": 9,
    }
    with servers.service(tenant) as url:
        yield url


@pytest.mark.parametrize("patient", ["demo-fusion", "demo-comorbid", "demo-hip"])
def test_a_profile_launched_through_it_tells_what_the_demo_tells(
    service: str, launcher: str, demo: str, patient: str
) -> None:
    asked = {"iss": f"{launcher}/v/r4/fhir", "launch": smart_launcher.launch(patient, "demo-surgeon")}
    page = requests.Session().get(f"{service}/smart/launch", params=asked, timeout=60)
    assert page.status_code == 200, page.text
    body = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "fhirServer": f"{demo}/demo/fhir",
        "context": {"userId": "Practitioner/demo-surgeon", "patientId": patient},
    }
    (card,) = requests.post(f"{demo}/cds-services/surgical-risk", json=body, timeout=60).json()["cards"]
    assert card["summary"] in page.text


def test_a_sign_in_beside_the_fhir_base_that_no_file_names_says_so(launcher: str) -> None:
    tenant = {"id": "launcher", "environment": "dev", "mode": "on", "fhir_base_urls": [f"{launcher}/v/r4/fhir"]}
    asked = {"iss": f"{launcher}/v/r4/fhir", "launch": smart_launcher.launch("demo-hip", "demo-surgeon")}
    with servers.service(tenant) as url:
        page = requests.get(f"{url}/smart/launch", params=asked, timeout=60)
    assert page.status_code == 403
    assert "egress-rule" in page.text


def test_what_it_hands_on_is_what_was_kept_of_it(tmp_path: Path) -> None:
    reached: list[str] = []

    def respond(path: str) -> tuple[int, dict[str, str]]:
        reached.append(path)
        return 200, {"resourceType": "Bundle", "type": "searchset"}

    with serving(respond) as server, smart_launcher.running(server.base, tmp_path) as own:
        for one in KEPT:
            requests.get(f"{own}/v/r4/fhir/{one.sent}", timeout=20).raise_for_status()
    base = server.base.partition("://")[2].partition("/")[2]
    handed = [Handed(one.sent, path.removeprefix(f"/{base}/")) for one, path in zip(KEPT, reached, strict=True)]
    write(handed, smart_launcher.COMMIT, tmp_path / "kept.json")
    assert handed == list(KEPT), (tmp_path / "kept.json").read_text()

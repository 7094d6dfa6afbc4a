"""What each reference client is answered, held as a file: `python -m tests.acceptance.golden_clients` writes them anew.

Which file belongs to which client stands in docs/testing.md. Nothing here needs a network: what a client sends was
recorded from the real thing, or follows its own documents (epic_like.py); the service's clock stands at that instant.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from flask.testing import FlaskClient

from cds_service.cards.dialects import EPIC_PREFERENCE_LIST
from cds_service.demo import patients
from cds_service.ehr import caller
from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from tests.acceptance import epic_like, test_dialects
from tests.acceptance.test_dialects import lasting
from tests.cds_service.patient_data.fhir_server import serving
from tests.cds_service.patient_data.test_urls import collapses
from tests.conformance import client_exchanges, test_official_sandbox
from tests.conformance.conftest import PUBLIC, SERVICE, a_tenant_file
from tests.end_to_end import servers

FOLDER = test_dialects.FOLDER
AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
_AS_A_FILE_HAS_IT = {"thresholds_approved": None, "local_validation": None, "card_floor": 0.0}
_DEV = {"environment": "dev", "clients": [], **_AS_A_FILE_HAS_IT}


def _http(folder: Path, at: datetime, **members: Any) -> FlaskClient:
    """A tenant of these members, whose clock stands at `at`."""
    folder.mkdir(exist_ok=True)
    tenants = a_tenant_file(folder / "tenants", **members)
    database = f"sqlite:///{folder}/record.sqlite3"
    settings = Settings(tenants=tenants, database_url=database, state_directory=folder)
    return create_app(settings, clock=lambda: at).test_client()


def _step(did: str, answer: Any) -> dict[str, Any]:
    return {"did": did, "status": answer.status_code, "answer": lasting(json.loads(answer.data))}


def official_sandbox(folder: Path) -> list[dict[str, Any]]:
    """Its ten requests as it sent them, one after the other; feedback of the card that this service showed."""
    service, steps, ids = test_official_sandbox.Service(folder), [], dict[str, str]()
    for name, one in test_official_sandbox.SENT.items():
        answer = service.feedback(name, **_of_the_card(one.body, ids)) if "/feedback" in one.url else service.send(name)
        for card in answer.json.get("cards", []):
            ids = {"card": card["uuid"], "suggestion": card.get("suggestions", [{"uuid": ""}])[0]["uuid"]}
        steps.append(_step(one.did, answer))
    return steps


def _of_the_card(body: str, ids: dict[str, str]) -> dict[str, str]:
    """Each id that was sent, with the one that this service drew in its place."""
    (told,) = json.loads(body)["feedback"]
    accepted = {one["id"]: ids["suggestion"] for one in told.get("acceptedSuggestions", [])}
    return {told["card"]: ids["card"], **accepted}


def _replayed(client: str, folder: Path) -> list[dict[str, Any]]:
    steps = []
    for one in client_exchanges.recorded()[client]:
        http = _http(folder / one.did, one.received, **_DEV, hooks=["order-select", "patient-view"])
        steps.append(_step(one.did, http.post(one.path, data=one.body.encode(), headers=one.headers)))
    return steps


def medplum(folder: Path) -> list[dict[str, Any]]:
    """What its client was heard to send."""
    return _replayed("medplum", folder)


def healthchain(folder: Path) -> list[dict[str, Any]]:
    """What it was heard to send: its order-select leaves `draftOrders` out, and is told so."""
    return _replayed("healthchain", folder)


def smart_launcher(folder: Path) -> list[dict[str, Any]]:
    """It calls no hook: a card whose every datum was fetched through what it makes of a URL (launcher_urls.py)."""
    person = next(one for one in patients.load(AT) if one.id == "demo-comorbid")
    with servers.embedded_store(person.resources) as store:

        def respond(path: str) -> tuple[int, Any]:
            answer = requests.get(store + collapses(path).removeprefix("/fhir"), timeout=20)
            return answer.status_code, answer.json()

        with serving(respond) as launcher:
            http = _http(folder, AT, **_DEV, fhir_base_urls=[launcher.base], fetch_timeout_s=5, deadline_s=9)
            ehr = caller.Ehr(service_url=PUBLIC, fhir_url=launcher.base, fhir_token="lent")
            return [_step("order-select", http.post(SERVICE, json=caller.request(ehr, person.id, person.order)))]


def epic(folder: Path) -> list[dict[str, Any]]:
    """A production tenant of its profile, with a preference list, called as Epic's documents show."""
    order_map = test_dialects.order_map(folder, "epic")
    members = {"clients": [epic_like.CLIENT], "fhir_base_urls": [epic_like.ISSUER], "vendor_profile": "epic"}
    http = _http(folder, AT, **members, order_maps=[str(order_map)])
    signed = {"Authorization": f"Bearer {epic_like.token(PUBLIC + SERVICE, AT)}"}
    assert EPIC_PREFERENCE_LIST in order_map.read_text(encoding="utf-8")
    return [_step("order-select", http.post(SERVICE, json=epic_like.request(AT), headers=signed))]


CLIENTS: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    "official-sandbox": official_sandbox,
    "smart-launcher": smart_launcher,
    "medplum": medplum,
    "healthchain": healthchain,
    "epic-like": epic,
}


def answered(client: str, folder: Path) -> list[dict[str, Any]]:
    """Each step of this client with what it was answered, without what is new in every call."""
    return CLIENTS[client](folder)


def path_of(client: str) -> Path:
    return FOLDER / f"client-{client}.json"


def main() -> None:
    """One file per client; read the difference before it is kept."""
    for client in CLIENTS:
        with tempfile.TemporaryDirectory() as folder:
            told = answered(client, Path(folder))
        path_of(client).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""The messy cases of tests/patients as requests to the service, at the instant for which their dates were made."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from flask.testing import FlaskClient

from tests.cds_service.patient_data.fhir_server import serving

PATIENTS = Path(__file__).parents[1] / "patients"
CASES: dict[str, dict[str, Any]] = {
    path.parent.name: yaml.safe_load(path.read_text()) for path in sorted(PATIENTS.glob("*/expected.yaml"))
}
AS_OF = datetime.fromisoformat("2026-11-20T09:00:00Z")  # of every case: test_every_case_is_of_one_instant
EXTENSION = "io.surgical-risk.assessment"
SILENCE = "io.surgical-risk.silence"
_HANGS_S = 3.0
EMPTY = {"resourceType": "Bundle", "type": "searchset"}


def bodies(name: str) -> list[bytes]:
    """What is posted for a case, one after the other."""
    if "bodies" in CASES[name]:
        return [text.encode("utf-8", "surrogatepass") for text in CASES[name]["bodies"]]
    request = json.loads((PATIENTS / name / "request.json").read_text())
    request["hookInstance"] = str(uuid.uuid4())
    return [json.dumps(request).encode()] * int(CASES[name].get("repeat", 1))


def hangs(name: str) -> bool:
    """Whether the case has a server of which a search is not answered."""
    return bool(CASES[name].get("fhir_server", {}).get("conditions") == "hangs")


@contextmanager
def server_of(name: str) -> Iterator[str | None]:
    """The FHIR server of a case that has one, which hangs or refuses where the case says so; None for the others."""
    told = CASES[name].get("fhir_server")
    if told is None:
        yield None
        return

    def respond(path: str) -> tuple[int, Any]:
        if "Condition" not in path:
            return 200, EMPTY
        if hangs(name):
            time.sleep(_HANGS_S)
            return 200, EMPTY
        return int(told["conditions"]), {}

    with serving(respond) as server:
        yield server.base


def lent(base: str) -> dict[str, Any]:
    """The members of a request that name a FHIR server and lend a token for it."""
    token = {"access_token": "lent", "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.rs"}
    return {"fhirServer": base, "fhirAuthorization": token | {"subject": "surgical-risk"}}


def post(name: str, http: FlaskClient) -> list[Any]:
    """The responses of a case."""
    with server_of(name) as base:
        found = []
        for body in bodies(name):
            sent = body
            if base is not None:
                sent = json.dumps(json.loads(body) | lent(base)).encode()
            found.append(http.post("/cds-services/surgical-risk", data=sent, content_type="application/json"))
    return found

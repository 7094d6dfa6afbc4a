"""An invented EHR for trying a deployment: it serves patients and its keys, and calls the service, well and badly.

Everything in it is invented: whoever sees the dashboard move sees no hospital's calls.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from flask import Flask, Response, jsonify
from werkzeug.serving import make_server

from cds_service.demo import patients, store
from cds_service.ehr import caller, client_token
from cds_service.hooks.services import SERVICE_ID

PATH = f"/cds-services/{SERVICE_ID}"
NOT_MAPPED = (caller.CPT, "29999")
LOCAL_CODE = {"coding": [{"system": "urn:invented:diagnoses", "code": "X-17"}]}
Body = dict[str, Any]


class InventedEhr:
    """Its patients and keys, and where the service is. `audience`: the service's `public_url`."""

    def __init__(self, service: str, public: str, audience: str, own: str) -> None:
        keys = Path(tempfile.mkdtemp())
        self.signer, self.stranger = (client_token.new_key(keys / name, "ES384") for name in ("key", "other"))
        self.people = patients.load(datetime.now(UTC))
        self.service, self.public, self.audience = service, public, audience
        self.own = caller.Ehr(service_url=service, fhir_url=f"{own}/fhir")
        self.templates: dict[str, str] = {}

    def app(self) -> Flask:
        """The FHIR store and the keys."""
        app = Flask(__name__)
        app.register_blueprint(store.blueprint(patients.everything), url_prefix="/fhir")

        @app.get("/jwks.json")
        def jwks() -> Response:
            return jsonify(keys=[self.signer.public])

        return app

    def token(self, path: str = PATH, *, forged: bool = False) -> str:
        """A token for one call of `path`; `forged`: by a key that is not the EHR's."""
        signer = self.stranger if forged else self.signer
        claims = {"iss": self.public, "aud": self.audience + path}
        return client_token.signed(signer, claims, now=time.time())

    def post(self, body: Body, *, path: str = PATH, token: str | None = None) -> requests.Response:
        """One call."""
        headers = {"Authorization": f"Bearer {token or self.token(path)}"}
        return requests.post(self.service + path, json=body, headers=headers, timeout=10)

    def body(self, *, coding: tuple[str, str] | None = None, prefetch: bool = True) -> Body:
        """An order for one of the patients, with what an EHR sends along."""
        person = random.choice(self.people)  # noqa: S311 — no secret
        body = caller.request(self.own, person.id, coding or person.order)
        body["fhirServer"] = f"{self.public}/fhir"
        body["context"]["userId"] = f"Practitioner/invented-{random.randrange(200)}"  # noqa: S311
        if prefetch:
            self.templates = self.templates or self._templates()
            body["prefetch"] = caller.prefetched(self.own, self.templates, person.id)
        return body

    def _templates(self) -> dict[str, str]:
        services = requests.get(f"{self.service}/cds-services", timeout=10).json()["services"]
        return next(dict(one["prefetch"]) for one in services if one["hook"] == "order-select")


def order(ehr: InventedEhr) -> None:
    """A card, and now and then what the clinician did with it."""
    cards = ehr.post(ehr.body()).json().get("cards", [])
    if cards and random.random() < 0.5:  # noqa: S311
        item = {"card": cards[0]["uuid"], "outcome": "overridden", "outcomeTimestamp": datetime.now(UTC).isoformat()}
        if cards[0].get("suggestions") and random.random() < 0.5:  # noqa: S311
            item |= {"outcome": "accepted", "acceptedSuggestions": [{"id": cards[0]["suggestions"][0]["uuid"]}]}
        path = f"{PATH}/feedback"
        ehr.post({"feedback": [item]}, path=path)


def order_without_prefetch(ehr: InventedEhr) -> None:
    """The service asks the FHIR server itself."""
    ehr.post(ehr.body(prefetch=False))


def unmapped(ehr: InventedEhr) -> None:
    """An operation whose code is in no procedure group."""
    ehr.post(ehr.body(coding=NOT_MAPPED))


def not_understood(ehr: InventedEhr) -> None:
    """A diagnosis in the hospital's own code."""
    body = ehr.body()
    reference = {"reference": f"Patient/{body['context']['patientId']}"}
    found = {"resourceType": "Condition", "id": str(uuid.uuid4()), "code": LOCAL_CODE, "subject": reference}
    body["prefetch"]["conditions"].setdefault("entry", []).append({"resource": found})
    ehr.post(body)


def forged(ehr: InventedEhr) -> None:
    """A token that somebody else signed."""
    ehr.post(ehr.body(), token=ehr.token(forged=True))


def replayed(ehr: InventedEhr) -> None:
    """One token twice."""
    token = ehr.token()
    for _ in range(2):
        ehr.post(ehr.body(), token=token)


def retried(ehr: InventedEhr) -> None:
    """The very same call again, as a client does whose connection broke."""
    body = ehr.body()
    for _ in range(2):
        ehr.post(body)


def another_patients(ehr: InventedEhr) -> None:
    """The chart of somebody else."""
    body = ehr.body()
    body["prefetch"]["patient"] = {"resourceType": "Patient", "id": "somebody-else"}
    ehr.post(body)


# How often each of them is called.
SHARES: dict[Callable[[InventedEhr], None], int] = {
    order: 70, order_without_prefetch: 14, unmapped: 5, not_understood: 5, retried: 2, forged: 2, replayed: 1,
    another_patients: 1,
}  # fmt: skip


def call_on(ehr: InventedEhr, per_second: float) -> None:
    """Each kind of call once, then at random until the process ends; while the service is away, wait for it."""
    kinds, shares = list(SHARES), list(SHARES.values())
    first = list(SHARES)
    while True:
        try:
            (first.pop() if first else random.choices(kinds, shares)[0])(ehr)  # noqa: S311
        except (requests.RequestException, caller.CallError, ValueError, StopIteration) as error:
            sys.stderr.write(f"no answer ({type(error).__name__})\n")
            time.sleep(1)
        time.sleep(random.expovariate(per_second))


def main() -> None:
    """Serve and call."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--service", required=True, help="where the service listens")
    options.add_argument("--bind", default="127.0.0.1:8090", help="where this EHR listens")
    options.add_argument("--public", required=True, help="as the service names this EHR: issuer, keys, FHIR server")
    options.add_argument("--audience", default="https://localhost:8443", help="the tenant's public_url")
    options.add_argument("--per-second", type=float, default=3.0)
    given = options.parse_args()
    host, _, port = given.bind.rpartition(":")
    ehr = InventedEhr(given.service, given.public, given.audience, f"http://127.0.0.1:{port}")
    server = make_server(host, int(port), ehr.app(), threaded=True)
    threading.Thread(target=call_on, args=(ehr, given.per_second), daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()

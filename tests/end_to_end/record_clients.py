"""Keeps what Medplum's client and HealthChain send: `python -m tests.end_to_end.record_clients`, then read and commit.

Into tests/conformance/other_clients, which `make test` replays without any of them. Between client and service stands a
listener that hands on what it hears, byte for byte.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

from cds_service.demo import patients
from cds_service.ehr import caller
from tests.conformance import client_exchanges
from tests.conformance.client_exchanges import Exchange
from tests.end_to_end import healthchain_client, medplum_client, node_tools, people, servers
from tests.end_to_end.people import Person

PERSON = "demo-fusion"
HOOKS = ("order-select", "patient-view")
_NOT_THEIRS = ("host", "connection", "content-length", "accept-encoding")


class Listener:
    """Everything that was posted to it, and when."""

    def __init__(self, service: str) -> None:
        self.service, self.heard = service, list[tuple[datetime, str, dict[str, str], str]]()


@contextlib.contextmanager
def listening(service: str) -> Iterator[tuple[str, Listener]]:
    """The address of a listener in front of this service, until the block ends."""
    listener = Listener(service)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._hand_on(requests.get(service + self.path, timeout=60))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items() if name.lower() not in _NOT_THEIRS}
            listener.heard.append((datetime.now(UTC), self.path, headers, body.decode()))
            self._hand_on(requests.post(service + self.path, data=body, headers=headers, timeout=60))

        def _hand_on(self, answer: requests.Response) -> None:
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: Any) -> None:
            """Nothing: what it hears is not printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", listener
        server.shutdown()
        thread.join()


def _person(as_of: datetime) -> Person:
    found = next(one for one in patients.load(as_of) if one.id == PERSON)
    return Person(found.id, found.order, (*found.resources, patients.planned(found, as_of)))


@contextlib.contextmanager
def _listened() -> Iterator[tuple[str, Listener]]:
    tenant = {"id": "reference-client", "environment": "dev", "mode": "on", "hooks": list(HOOKS)}
    base = {"fhir_base_urls": ["https://fhir.example.org/r4"]}
    with servers.service(tenant | base) as service, listening(service) as found:
        yield found


def sent_by_medplum(as_of: datetime) -> tuple[Exchange, ...]:
    """An order-select and a patient-view of Medplum's own client, whose prefetch its own server answers."""
    person = _person(as_of)
    with tempfile.TemporaryDirectory() as folder, node_tools.medplum(Path(folder)) as own, _listened() as (url, heard):
        base = f"{own}/kept/fhir/R4"
        people.load(base, (*person.resources, medplum_client.SURGEON))
        for hook in HOOKS:
            medplum_client.call(base, url, person, hook=hook)
    versions = node_tools.versions()
    return _exchanges(f"@medplum/core {versions['@medplum/core']}", heard)


def sent_by_healthchain(as_of: datetime) -> tuple[Exchange, ...]:
    """The same of HealthChain's, which is given its prefetch."""
    person = _person(as_of)
    with servers.embedded_store(person.resources) as base, _listened() as (url, heard):
        ehr = caller.Ehr(service_url=url, fhir_url=base)
        for hook in HOOKS:
            context = caller.request(ehr, person.id, person.order, hook=hook)["context"]
            prefetch = caller.prefetched(ehr, _templates(url, hook), person.id)
            healthchain_client.send(f"{url}/cds-services/surgical-risk", hook, prefetch=prefetch, context=context)
    return _exchanges(f"healthchain {healthchain_client.VERSION}", heard)


def _templates(url: str, hook: str) -> dict[str, str]:
    services = requests.get(f"{url}/cds-services", timeout=60).json()["services"]
    found: dict[str, str] = next(one for one in services if one["hook"] == hook)["prefetch"]
    return found


def _exchanges(client: str, listener: Listener) -> tuple[Exchange, ...]:
    return tuple(
        Exchange(client=client, did=did, received=received, path=path, headers=headers, body=body)
        for did, (received, path, headers, body) in zip(HOOKS, listener.heard, strict=True)
    )


SENT = {"medplum": sent_by_medplum, "healthchain": sent_by_healthchain}

if __name__ == "__main__":
    for name, sent in SENT.items():
        client_exchanges.keep(name, sent(datetime.now(UTC)))

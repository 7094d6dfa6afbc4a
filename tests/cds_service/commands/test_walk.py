"""`check --walk` asks our own FHIR store, and servers that answer in every other way, and says what does not fit."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from cds_service.commands.cli import main
from tests.cds_service.commands.test_output import demo
from tests.cds_service.trust.signing import public
from tests.conformance.conftest import a_tenant_file

__all__ = ["demo"]
CANARY = "Zebra-Canary"
TYPES = ("Patient", "Condition", "Observation", "MedicationRequest", "Procedure", "Encounter", "ServiceRequest")
PARAMETERS = ("patient", "code", "status", "category", "_id")
REST = [{"resource": [{"type": one, "searchParam": [{"name": name} for name in PARAMETERS]} for one in TYPES]}]
CAPABLE: dict[str, Any] = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": REST}
BUNDLE = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "name": CANARY}}]}
Answers = dict[str, tuple[int, Any]]


@pytest.fixture
def serve() -> Iterator[Callable[[Answers], str]]:
    """A FHIR server on the loopback interface: answers by the path that they begin with, else a Bundle."""
    running = []

    def start(answers: Answers) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.removeprefix("/fhir/")
                status, content = next((one for begin, one in answers.items() if path.startswith(begin)), (200, BUNDLE))
                body = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}/fhir"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


def a_tenant(folder: Path, base: str, **members: Any) -> Path:
    folder.mkdir(exist_ok=True)
    tenant = {"id": "dev", "environment": "dev", "public_url": "http://127.0.0.1:8000", "fhir_base_urls": [base]}
    (folder / "dev.yaml").write_text(yaml.safe_dump(tenant | members), encoding="utf-8")
    return folder


def walked(folder: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["check", "--walk", "--tenants", str(folder), *more], env={"FHIR_TOKEN": None})


def lines(told: Result) -> list[str]:
    return [line for line in told.stdout.splitlines() if "walk:" in line]


@pytest.mark.parametrize(("patient", "warns"), [("somebody", True), ("", False)])
def test_a_patient_of_whom_every_search_is_empty_is_a_warning(
    tmp_path: Path, serve: Callable[[Answers], str], patient: str, warns: bool
) -> None:
    """A server that does not know a search parameter may answer as if nothing were there."""
    empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    base = serve({"metadata": (200, CAPABLE), "Patient/": (200, {"resourceType": "Patient"}), "": (200, empty)})
    told = walked(a_tenant(tmp_path, base), *(("--patient", patient) if patient else ()))
    assert ("every search of this patient is empty" in told.stdout) == warns
    assert told.exit_code == 0, told.stdout


def test_our_own_store_is_walked_and_nothing_is_wrong(tmp_path: Path, demo: str) -> None:
    told = walked(a_tenant(tmp_path, f"{demo}/demo/fhir"), "--patient", "demo-fusion")
    assert told.exit_code == 0, told.stdout
    warnings = [line for line in lines(told) if not line.startswith("ok")]
    assert [line for line in warnings if "name the URL above it as smart.authorization_url" not in line] == []
    assert len(warnings) == 2  # the demo signs in beside its store, and a tenant of this kind would have to say so
    searched = next(line for line in lines(told) if "searches answered" in line)
    assert searched.endswith("patient, conditions, labs, observations, medications, procedures, orders, reports")
    assert walked(tmp_path).exit_code == 0  # of nobody


SMART = ".well-known/smart-configuration"
GOOD: Answers = {"metadata": (200, CAPABLE), "Patient/": (404, {"resourceType": "OperationOutcome"}), SMART: (404, b"")}
ODD: dict[str, tuple[Answers, bool, str]] = {
    "a page in its place": ({"metadata": (200, b"<html>")}, False, "no CapabilityStatement: answered 200 and no JSON"),
    "another FHIR version": ({"metadata": (200, CAPABLE | {"fhirVersion": "3.0.2"})}, False, "FHIR 3.0.2: R4 (4.0.1)"),
    "a list": ({"metadata": (200, [])}, False, "no CapabilityStatement: answered 200"),
    "no FHIR": ({"metadata": (200, CAPABLE | {"rest": {"resource": 1}})}, True, "it does not offer Patient"),
    "a type that is not offered": (
        {"metadata": (200, CAPABLE | {"rest": [{"resource": REST[0]["resource"][:-1]}]})},
        True,
        "orders: it does not offer ServiceRequest",
    ),
    "a search parameter that is not named": (
        {"metadata": (200, json.loads(json.dumps(CAPABLE).replace('"name": "code"', '"name": "date"')))},
        True,
        "labs: it does not name the search parameter code of Observation",
    ),
    "no access": ({"Observation": (401, {})}, False, "labs answered 401: it wants a token in FHIR_TOKEN"),
    "a fault": ({"Condition": (500, b"oops")}, False, "conditions answered 500 and no JSON"),
    "an outcome in the place of a list": (
        {"Procedure": (200, {"resourceType": "OperationOutcome"})},
        False,
        "procedures answered 200 and no Bundle",
    ),
    "no sign-in": ({}, True, "the risk profile cannot be opened there: answered 404"),
    "a sign-in elsewhere": (
        {SMART: (200, {"authorization_endpoint": "https://login.example.org/a", "token_endpoint": 7})},
        True,
        "its authorization_endpoint is at https://login.example.org: name the URL above it as smart.authorization_url",
    ),
    "no PKCE": ({SMART: (200, {"code_challenge_methods_supported": None})}, True, "it does not name S256"),
    "deeply nested": ({"metadata": (200, b"[" * 100_000)}, False, "no CapabilityStatement"),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_whatever_a_server_answers_is_told_and_no_patients_data(
    tmp_path: Path, serve: Callable[[Answers], str], name: str
) -> None:
    answers, right, says = ODD[name]
    told = walked(a_tenant(tmp_path, serve(answers | {one: of for one, of in GOOD.items() if one not in answers})))
    assert (told.exit_code == 0, any(says in line for line in lines(told))) == (right, True), told.stdout
    assert CANARY not in told.output


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    told = walked(a_tenant(tmp_path, "http://127.0.0.1:1/fhir"))
    assert told.exit_code == 1
    assert "no CapabilityStatement: nothing listens there, or it hung up" in told.stdout


def test_a_pattern_is_not_walked_and_says_so() -> None:
    told = CliRunner().invoke(main, ["check", "--walk"], env={"CDS_TENANTS": None})  # the demo's own
    assert (told.exit_code, "a pattern, which cannot be walked" in told.stdout) == (0, True)


@pytest.mark.parametrize(
    ("keys", "right", "says"),
    [
        ({"keys": [public("ES384")]}, True, "1 keys, 1 of them with an id and for ES384, RS384"),
        ({"keys": [{"kty": "EC"}]}, False, "1 keys, 0 of them with an id"),
        ({"keys": []}, False, "no keys: answered 200"),
        ([], False, "no keys: answered 200"),
    ],
)
def test_a_clients_keys_are_asked_for(
    tmp_path: Path, serve: Callable[[Answers], str], keys: Any, right: bool, says: str
) -> None:
    base = serve(GOOD | {"jwks": (200, keys)})
    clients = [{"issuer": "https://ehr.example.org", "jwks_url": f"{base}/jwks"}]
    told = walked(a_tenant(tmp_path, base, clients=clients))
    assert (told.exit_code == 0, says in told.stdout) == (right, True), told.stdout


def test_without_the_word_nobody_is_asked(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["check", "--tenants", str(a_tenant_file(tmp_path / "tenants"))])
    assert (told.exit_code, lines(told)) == (0, [])

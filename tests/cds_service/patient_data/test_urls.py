"""Every value in a URL is percent-encoded: by servers that read URLs each in its own way, the same is found."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest

from cds_service.patient_data.fhir_client import Access, FhirClient
from cds_service.patient_data.gather import Budget, encoded, gather, resolve
from cds_service.trust import egress
from cds_service.trust.secret import Secret
from fhir_mappings.features import queries
from fhir_mappings.fhir.search_result import SearchResults
from fhir_mappings.terminology.concept_maps import EMPTY
from tests.cds_service.patient_data.fhir_server import serving
from tests.cds_service.patient_data.launcher_urls import KEPT, Handed
from tests.conformance.conftest import an_app

TEMPLATES = queries.prefetch_templates(EMPTY)
TOKENS = {"context.patientId": "pt-1", "context.encounterId": "enc-1", "context.userId": "Practitioner/1"}
CREATININE = "http://loinc.org|2160-0"
Reads = Callable[[str], str | None]


def collapses(path: str) -> str | None:
    """As the SMART launcher does: every `//` is one slash."""
    return re.sub("/+", "/", path)


def lowers(path: str) -> str | None:
    """A gateway that writes escapes in small letters."""
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), path)


def is_strict(path: str) -> str | None:
    """RFC 3986: in a value nothing but unreserved characters, escapes and the comma that parts values."""
    return path if re.fullmatch(r"/fhir/[A-Za-z]+(/[\w.~-]+|\?([\w.-]+=[\w.~,%-]*&?)+)", path, re.ASCII) else None


@pytest.mark.parametrize("one", KEPT, ids=[one.sent for one in KEPT])
def test_what_stands_for_the_launcher_does_what_the_launcher_was_seen_to_do(one: Handed) -> None:
    assert collapses(one.sent.replace("|", "%7C")) == one.reached


def test_a_code_that_is_percent_encoded_passes_the_launcher_and_one_that_is_not_does_not() -> None:
    whole = [CREATININE in parse_qs(one.reached.partition("?")[2]).get("code", ()) for one in KEPT[:2]]
    assert whole == [False, True]


def answering(reads: Reads, *, never: bool = False) -> Callable[[str], tuple[int, Any]]:
    def respond(sent: str) -> tuple[int, Any]:
        path = reads(sent)
        if path is None:
            return 400, {"resourceType": "OperationOutcome"}
        kind, _, query = path.removeprefix("/fhir/").partition("?")
        if kind.startswith("Patient/"):
            return 200, {"resourceType": "Patient", "id": "pt-1"}
        codes = ",".join(parse_qs(query).get("code", ())).split(",")
        found = kind == "Condition" or (not never and CREATININE in codes)
        entry = [{"resource": {"resourceType": kind, "id": "one"}}] if found else []
        return 200, {"resourceType": "Bundle", "type": "searchset", "total": len(entry), "entry": entry}

    return respond


def fetched(respond: Callable[[str], tuple[int, Any]], sent: dict[str, Any] | None = None) -> SearchResults:
    client = FhirClient(threads=8)
    try:
        with serving(respond) as server:
            return gather(
                {key: msgspec.Raw(msgspec.json.encode(value)) for key, value in (sent or {}).items()},
                templates=TEMPLATES,
                tokens=TOKENS,
                client=client,
                access=Access(server.base, Secret("t"), egress.export_door(server.base, connections=8)),
                budget=Budget(call_s=5, until=time.monotonic() + 5),
            )
    finally:
        client.close()


@pytest.mark.parametrize("reads", [collapses, lowers, is_strict])
def test_a_search_by_code_finds_the_same_however_the_server_reads_urls(reads: Reads) -> None:
    results = fetched(answering(reads))
    assert len(results["labs"].resources) == 1
    assert all(result.succeeded for result in results.values())


@pytest.mark.parametrize("reads", [collapses, lowers, is_strict])
def test_a_template_of_discovery_as_it_stands_is_read_alike(reads: Reads, tmp_path: Path) -> None:
    services: Any = an_app(tmp_path, demo=True).test_client().get("/cds-services").json
    for service in services["services"]:
        for key, template in service["prefetch"].items():
            path = "/fhir/" + template
            for name, value in TOKENS.items():
                path = path.replace(f"{{{{{name}}}}}", value)
            assert reads(path) is not None, key
            if key == "labs":
                assert answering(reads)(path)[1]["total"] == 1


def test_encoding_is_done_once_and_leaves_tokens() -> None:
    for template in TEMPLATES.values():
        listed = encoded(template)
        assert re.findall(r"\{\{.*?\}\}", listed) == re.findall(r"\{\{.*?\}\}", template)
        assert "//" not in listed
        assert "|" not in listed
        assert encoded(listed) == listed
        assert resolve(listed, TOKENS) == resolve(template, TOKENS)


def test_nothing_at_all_beside_a_filled_problem_list_is_doubtful_and_not_never_recorded() -> None:
    results = fetched(answering(collapses, never=True))
    assert results["labs"].failure == results["observations"].failure == "doubtful"


def test_nothing_beside_an_empty_problem_list_that_the_ehr_sent_is_nothing() -> None:
    empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    results = fetched(answering(collapses, never=True), {"conditions": empty})
    assert results["labs"].succeeded
    assert results["observations"].succeeded


def test_a_server_of_which_every_search_is_empty_is_doubtful() -> None:
    """As one answers that knows none of the parameters: the problem list was asked for like the rest."""
    nothing = {"resourceType": "Bundle", "type": "searchset", "total": 0}

    def respond(path: str) -> tuple[int, Any]:
        is_patient = path.startswith("/fhir/Patient/")
        return 200, {"resourceType": "Patient", "id": "pt-1"} if is_patient else nothing

    results = fetched(respond)
    assert results["labs"].failure == results["observations"].failure == "doubtful"
    assert results["conditions"].succeeded


def test_one_search_that_finds_something_shows_that_codes_are_read() -> None:
    """Smoking and weight may be unrecorded where laboratory results are found."""
    results = fetched(answering(collapses))
    assert results["observations"].succeeded

"""A page tells a tester the way, with the addresses, patients and origins of this very service."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.conftest import an_app


def test_the_page_names_what_a_tester_has_to_enter(tmp_path: Path) -> None:
    http = an_app(tmp_path, demo=True, bind="127.0.0.1:8000").test_client()
    page = http.get("/sandbox")
    assert page.status_code == 200
    for told in (
        "http://127.0.0.1:8000/cds-services",
        "http://127.0.0.1:8000/demo/fhir",
        "demo-no-asa",
        "127.0.0.1:8080",
        "fhirServiceUrl=http%3A%2F%2F127.0.0.1%3A8000%2Fdemo%2Ffhir",
        "serviceDiscoveryURL=http%3A%2F%2F127.0.0.1%3A8000%2Fcds-services",
    ):
        assert told in page.text


@pytest.mark.parametrize("path", ["/cds-services", "/demo/fhir/Patient/demo-no-asa"])
def test_a_sandbox_in_a_browser_may_read_what_the_page_names(tmp_path: Path, path: str) -> None:
    http = an_app(tmp_path, demo=True).test_client()
    answer = http.get(path, headers={"Origin": "http://127.0.0.1:8080"})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "http://127.0.0.1:8080"

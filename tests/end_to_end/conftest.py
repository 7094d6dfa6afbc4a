"""The servers live for the whole session; a test only says whom it asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end import people, servers

TOKEN = "a-static-token-for-this-test"


@pytest.fixture(scope="session")
def folk() -> tuple[people.Person, ...]:
    """The demo patients; with the reference material beside the project ten Synthea patients too."""
    synthea = people.synthea_people() if people.SYNTHEA.exists() else ()
    return (*people.demo_people(), *synthea)


@pytest.fixture(scope="session")
def hapi(folk: tuple[people.Person, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.hapi(tmp_path_factory.mktemp("hapi") / "log") as base:
        people.load(base, people.everything(folk))
        yield base


@pytest.fixture(scope="session")
def sekmet(folk: tuple[people.Person, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.sekmet(TOKEN, tmp_path_factory.mktemp("sekmet")) as base:
        people.load(base, people.everything(folk), token=TOKEN)
        yield base


@pytest.fixture(scope="session")
def store(folk: tuple[people.Person, ...]) -> Iterator[str]:
    with servers.embedded_store(people.everything(folk)) as base:
        yield base


@pytest.fixture(scope="session")
def service(hapi: str, sekmet: str, store: str) -> Iterator[str]:
    """The real service for a dev tenant that names the three FHIR servers, with the longest times a tenant may set."""
    tenant: dict[str, Any] = {
        "id": "end-to-end",
        "environment": "dev",
        "mode": "on",
        "fhir_base_urls": [hapi, sekmet, store],
        "fetch_timeout_s": 9,
        "fetch_budget_s": 9.5,
        "deadline_s": 10,
        "dedupe_window_s": 0,
    }
    with servers.service(tenant) as url:
        yield url

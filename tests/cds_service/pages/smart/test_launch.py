"""What the risk profile asks of an EHR: least data, read only, and who it is only where that can be proved."""

from __future__ import annotations

import pytest

from cds_service.pages.smart import launch
from cds_service.pages.smart.launch import Endpoints, LaunchError
from cds_service.tenants import demo_tenant
from fhir_mappings import concept_maps, queries


def test_it_asks_to_read_what_the_estimate_reads_and_nothing_else() -> None:
    maps = concept_maps.load((concept_maps.DEMO,))
    searched = {template.split("?")[0].split("/")[0] for template in queries.prefetch_templates(maps).values()}
    # ServiceRequest: the open orders of the chart too, where the card is no longer known.
    assert set(launch.READ) == searched | {"ServiceRequest"}


def test_it_never_asks_to_write() -> None:
    scopes = Endpoints("a", "t", "i", "k").scopes.split()
    assert [scope for scope in scopes if scope.startswith("patient/") and not scope.endswith(".rs")] == []


def test_it_asks_who_signs_in_only_where_the_ehr_can_prove_it() -> None:
    assert {"openid", "fhirUser"} <= set(Endpoints("a", "t", "i", "k").scopes.split())
    assert "openid" not in Endpoints("a", "t").scopes


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "where to sign in"),
        ({"authorization_endpoint": "a", "token_endpoint": 7}, "where to sign in"),
        ({"authorization_endpoint": "a", "token_endpoint": "t"}, "PKCE"),
        ({"authorization_endpoint": "a", "token_endpoint": "t", "code_challenge_methods_supported": ["plain"]}, "PKCE"),
    ],
)
def test_an_ehr_without_what_smart_requires_is_not_signed_in_at(document: dict[str, object], words: str) -> None:
    with pytest.raises(LaunchError, match=words):
        launch.endpoints(document)


def test_a_server_that_nobody_listed_is_never_called() -> None:
    with pytest.raises(LaunchError, match="not listed"):
        launch.discover("https://elsewhere.example.org/fhir", demo_tenant("http://127.0.0.1:8000"))

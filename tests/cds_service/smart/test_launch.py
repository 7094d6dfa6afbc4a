"""What the risk profile asks of an EHR: least data, read only, and who it is only where that can be proved."""

from __future__ import annotations

import pytest

from cds_service.smart import launch
from cds_service.smart.faults import LaunchError
from cds_service.smart.launch import Endpoints, Pending
from cds_service.tenant_runtime import open_tenant
from cds_service.tenants.tenant_files import demo_tenant
from fhir_mappings.features import queries
from fhir_mappings.terminology import concept_maps


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
        launch.discover("https://elsewhere.example.org/fhir", open_tenant(demo_tenant("http://127.0.0.1:8000")), 0.0)


ASKED = "https://ehr.example.org/oauth2"


@pytest.mark.parametrize(
    ("asked", "promised", "named"),
    [
        (ASKED, True, ASKED),
        (ASKED, False, ASKED),
        (ASKED, False, None),
        ("", False, None),
        ("", False, "https://unknown.example.org"),
    ],
)
def test_an_answer_of_the_server_that_was_asked_is_taken(asked: str, promised: bool, named: str | None) -> None:
    launch.check_sender(Pending("t", "fhir", "s", "v", "n", asked, promised), named)


@pytest.mark.parametrize(
    ("asked", "promised", "named"),
    [
        (ASKED, True, None),
        (ASKED, True, ""),
        (ASKED, True, "https://attacker.example.org"),
        (ASKED, False, "https://attacker.example.org"),
        (ASKED, True, f"{ASKED}/"),
        ("", True, ASKED),
    ],
)
def test_an_answer_of_another_server_is_refused_as_rfc_9207_says(asked: str, promised: bool, named: str | None) -> None:
    with pytest.raises(LaunchError, match="did not confirm"):
        launch.check_sender(Pending("t", "fhir", "s", "v", "n", asked, promised), named)


def test_what_the_server_promises_of_its_answers_is_read_from_its_configuration() -> None:
    document = {
        "issuer": ASKED,
        "authorization_endpoint": "a",
        "token_endpoint": "t",
        "code_challenge_methods_supported": ["S256"],
    }
    assert launch.endpoints(document) == Endpoints("a", "t", ASKED)
    named = launch.endpoints(document | {"authorization_response_iss_parameter_supported": True})
    assert named == Endpoints("a", "t", ASKED, answers_name_issuer=True)

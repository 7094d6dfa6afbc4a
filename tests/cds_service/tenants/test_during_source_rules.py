"""What a tenant's file may say of the server that tells of its operations."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from cds_service.tenants import during_source_rules
from cds_service.tenants.tenant import Tenant
from cds_service.tenants.tenant_files import demo_tenant
from cds_service.tenants.tenant_parts import During, DuringPoll, DuringSource

BASE = "https://fhir.example.org/r4"


def a_tenant(source: DuringSource | None, poll: DuringPoll | None = None) -> Tenant:
    tenant = replace(demo_tenant("http://127.0.0.1:8000"), fhir_base_urls=(BASE,), clients=())
    return replace(tenant, during=During(mode="live", source=source, poll=poll))


def wrong(**members: Any) -> list[str]:
    source = DuringSource(**{"base_url": BASE, "header_variable": "SECRET"} | members)
    return list(during_source_rules.complaints(a_tenant(source)))


def test_a_source_that_says_what_it_has_to() -> None:
    assert wrong(subscriptions=("vitals",)) == []
    assert wrong(base_url=f"{BASE}/", rest_hook=True, searches=("Observation?category=vital-signs",)) == []
    assert wrong(searches=("Observation?patient={patient}&code=8867-4", "Encounter?_id={encounter}")) == []


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"base_url": "https://fhir.example.org/r4b"}, "fhir_base_urls"),
        ({"base_url": "https://other.example.org/r4"}, "fhir_base_urls"),
        ({"header": "A header"}, "header"),
        ({"header_variable": None}, "header_variable"),
        ({"subscriptions": ("a/b",)}, "no id of FHIR"),
        ({"subscriptions": ("search:",)}, "no id of FHIR"),
        ({"subscriptions": tuple(f"s{number}" for number in range(21))}, "at most 20"),
        ({"rest_hook": True}, "searches"),
        ({"searches": ("Patient?name=x",)}, "Observation"),
        ({"searches": ("Observation?_lastUpdated=gt2020",)}, "_lastUpdated"),
        ({"searches": ("Observation?patient={id}",)}, "in braces"),
        ({"searches": ("Observation?x=y z",)}, "Observation"),
        ({"searches": ("Observation?a=b",) * 11}, "at most 10"),
    ],
)
def test_what_is_wrong_is_named(members: dict[str, Any], says: str) -> None:
    assert [one for one in wrong(**members) if says in one]


def test_to_poll_names_whom() -> None:
    assert list(during_source_rules.complaints(a_tenant(None, DuringPoll()))) != []
    assert list(during_source_rules.complaints(a_tenant(None))) == []

"""A CDS Hooks call as Medplum's own client makes it, for a surgeon and an order of ours."""

from __future__ import annotations

from typing import Any

from cds_service.ehr import caller
from tests.end_to_end import node_tools
from tests.end_to_end.people import Person

SURGEON = {"resourceType": "Practitioner", "id": "demo-surgeon", "name": [{"family": "Surgeon"}]}


def call(base: str, service: str, person: Person, *, hook: str = "order-select", token: str = "") -> Any:
    """`service`, `request` and `response`: what discovery found, what was sent and what was answered."""
    context = caller.request(caller.Ehr(service_url=service, fhir_url=base), person.id, person.order, hook=hook)[
        "context"
    ]
    told = {
        "ehr": base.removesuffix("fhir/R4"),
        "services": f"{service}/cds-services",
        "hook": hook,
        "user": SURGEON["id"],
        "context": context,
        "token": token,
    }
    return node_tools.run("medplum_call.mjs", told=told)

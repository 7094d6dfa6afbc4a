"""A request in the shape that Epic's own documents show, with the token that they describe.

Source: Epic's "CDS Hooks" tutorial (fhir.epic.com/Documentation?docId=cds-hooks), read in public reprints: fhirServer
always, a version 1 hookInstance, a PractitionerRole as user, absolute references, an empty search as an entry that is
an OperationOutcome, the trigger of the advisory as an extension; RS384, `jku` beside `kid`, 900 s, and `nbf` five
minutes before `iat`. No request of an Epic system was seen for it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import jwt

from tests.acceptance import requests
from tests.cds_service.trust.signing import key, public

ISSUER = "https://ehr.example.org/interconnect/api/FHIR/R4"
CLIENT = {"issuer": ISSUER, "jwks": {"keys": [public("RS384")]}}
_NOTHING = {
    "resource": {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "warning", "code": "processing", "details": {"text": "No results for this request."}}],
    },
    "search": {"mode": "outcome"},
}


def request(at: datetime) -> dict[str, Any]:
    """An order for a fusion, entered on this day, for a man of 72 with anaemia and diabetes."""
    day = (at - timedelta(days=10)).date().isoformat()
    results = (
        requests.a_result("718-7", 10.9, "g/dL"),
        requests.a_result("2160-0", 1.1, "mg/dL"),
    )
    tested = [_absolute(one) | {"effectiveDateTime": day} for one in results]
    observed = [_absolute(requests.an_asa_class()) | {"effectiveDateTime": day}]
    born = at.date().replace(year=at.year - 72, day=1)
    nothing = requests.bundle() | {"total": 0, "entry": [_NOTHING]}
    return {
        "hook": "order-select",
        "hookInstance": "f399c67c-c703-11ea-af16-460231621f93",
        "fhirServer": ISSUER,
        "context": {
            "userId": "PractitionerRole/role-7",
            "patientId": "pt-b",
            "encounterId": "enc-902",
            "selections": ["ServiceRequest/fusion"],
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": requests.an_order()}]},
        },
        "prefetch": {
            "patient": requests.a_patient() | {"birthDate": born.isoformat()},
            "conditions": requests.bundle(_absolute(requests.a_condition("E11.9"))),
            "labs": requests.bundle(*tested),
            "observations": requests.bundle(*observed),
            "medications": nothing,
            "procedures": nothing,
            "orders": nothing,
        },
        "extension": {
            "com.epic.cdshooks.request.bpa-trigger-action": "18",
            "com.epic.cdshooks.request.fhir-version": "R4",
            "com.epic.cdshooks.request.criteria-id": "1000",
        },
    }


def _absolute(resource: dict[str, Any]) -> dict[str, Any]:
    return resource | {"subject": {"reference": f"{ISSUER}/Patient/pt-b"}}


def token(audience: str, at: datetime) -> str:
    """For one call at this instant."""
    now = at.timestamp()
    claims = {
        "iss": ISSUER,
        "sub": "5d4dc9d7-3a3d-4e0e-9a52-000000000000",
        "aud": audience,
        "iat": now,
        "nbf": now - 300,
        "exp": now + 900,
        "jti": "d27ba2c1-5ba8-4b3c-9c61-000000000001",
    }
    head = {"typ": "JWT", "kid": "key-RS384", "jku": f"{ISSUER}/.well-known/jwks.json"}
    return jwt.encode(claims, key("RS384"), algorithm="RS384", headers=head)

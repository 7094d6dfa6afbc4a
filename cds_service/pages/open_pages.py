"""Which assessment a browser has open: for minutes, and for this one only, it may read it as FHIR (R-C05)."""

from __future__ import annotations

from flask import Response, request

from cds_service.pages.prefix import prefix_of
from cds_service.tenants.tenant import Tenant
from cds_service.trust.seal import Seal

SECONDS = 900
_COOKIE = "open-assessment"


def remember(response: Response, tenant: Tenant, assessment_id: str, seal: Seal) -> None:
    """Let this browser read this assessment: the cookie goes to no other address and no script reads it."""
    secure = tenant.public_url.startswith("https://")
    framed = secure and bool(tenant.smart.frame_ancestors)
    response.set_cookie(
        _COOKIE,
        seal.close(assessment_id, tenant.id),
        max_age=SECONDS,
        path=f"{prefix_of(tenant.public_url)}/risk-assessments/{assessment_id}",
        httponly=True,
        secure=secure,
        samesite="None" if framed else "Strict",
    )


def tenant_of(assessment_id: str, seal: Seal) -> str | None:
    """The id of the tenant whose profile this browser has open; None where it has not, or no longer."""
    return seal.open(assessment_id, request.cookies.get(_COOKIE, ""), str, seconds=SECONDS)

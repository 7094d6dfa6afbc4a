"""Requests that were refused for somebody's safety, counted by one of our own words.

A caller that proved nothing is counted apart (`surgical_risk_refused_callers_total`).
"""

from __future__ import annotations

from cds_service.operations import metrics
from cds_service.tenants.tenant import Tenant
from cds_service.trust.errors import Forbidden, ServiceError, TooLarge, TooManyRequests, TooSlow
from fhir_mappings.patient.patient_record import WrongPatientError

_KINDS: dict[type[ServiceError], str] = {
    Forbidden: "forbidden",
    TooLarge: "too-large",
    TooSlow: "slow-body",
    TooManyRequests: "too-many",
}


def kind(error: ServiceError) -> str | None:
    """What of it endangers somebody; None for a mistake that endangers nobody."""
    if isinstance(error.__cause__, WrongPatientError):
        return "wrong-patient"
    return _KINDS.get(type(error))


def count(error: ServiceError, tenant: Tenant | None) -> None:
    """Count it, under the tenant that the caller proved, if it did."""
    if (found := kind(error)) is not None:
        metrics.security.labels(tenant.id if tenant else "", found).inc()

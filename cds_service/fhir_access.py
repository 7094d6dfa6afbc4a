"""Whether the EHR's FHIR server may be asked for what the prefetch left out (DEC-15)."""

from __future__ import annotations

from cds_service.hooks.request import HookRequest
from cds_service.patient_data.fhir_client import Access
from cds_service.tenant_runtime import TenantRuntime
from cds_service.trust import egress


def access(request: HookRequest, site: TenantRuntime) -> Access | None:
    """Where to fetch from; None where no usable server or token was lent.

    Without a token only demo and dev tenants ask: an open server is a sandbox habit (F-06).
    """
    if request.fhir_server is None:
        return None
    if request.authorization is None and site.tenant.is_production:
        return None
    base = egress.allowed(request.fhir_server, site.tenant)
    if base is None:
        return None
    token = request.authorization.token if request.authorization else None
    return Access(base=base.url, token=token, door=site.fhir)

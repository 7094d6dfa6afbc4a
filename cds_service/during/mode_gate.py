"""What the mode of a tenant lets in, and what it lets be shown: the table of docs/during.md over HTTP."""

from __future__ import annotations

from datetime import datetime

from cds_service.answering import gate
from cds_service.records.records import Records
from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants import during_rules
from cds_service.tenants.during_rules import DuringAnswer
from cds_service.tenants.tenant import Tenant
from cds_service.trust.errors import NotReady, UnknownService


def reads(tenant: Tenant) -> bool:
    """Whether the mode of a tenant lets anything be read at all."""
    return during_rules.reads(tenant.during, tenant.environment)


def is_off(site: TenantRuntime | None, at: datetime) -> bool:
    """Whether there is nothing here: no such tenant, one that reads nothing, or one whose service has ended."""
    return site is None or gate.has_ended(site.tenant, site.zone, at) or not reads(site.tenant)


def check_open(site: TenantRuntime | None, records: Records, at: datetime) -> TenantRuntime:
    """The site, where something may come in. Raises UnknownService as if there were nothing, Forbidden, NotReady.

    What is switched off for a while takes nothing: whoever sends tries again, and nothing is lost.
    """
    if site is None or is_off(site, at):
        raise UnknownService("Not Found")
    gate.check_region(site.tenant)
    if gate.is_killed(site.tenant, gate.switches_now(records, site.tenant)):
        raise NotReady("The service is switched off.", retry_after_s=60)
    return site


def shown(site: TenantRuntime, records: Records, at: datetime, *, ended: bool) -> DuringAnswer:
    """What may be shown of a case now. Raises Forbidden, NotReady."""
    speaks = gate.is_open_to_all(site.tenant, site.zone, at, gate.switches_now(records, site.tenant))
    return during_rules.may_show(site.tenant.during, site.tenant.environment, gates_open=speaks, ended=ended)

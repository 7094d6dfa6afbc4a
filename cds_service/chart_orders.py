"""The open orders of the chart: what advice is about where a hook names no operation (R-D03, DEC-47).

patient-view names no order at all. A tenant may want the same of an order hook whose drafts hold no operation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from cds_service.fhir_access import access
from cds_service.hooks.context import InsteadOf, Place, order
from cds_service.hooks.request import HookRequest
from cds_service.patient_data import prefetch
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.patient_data.gather import cut_short, resolve, wait
from cds_service.tenant_runtime import TenantRuntime
from cds_service.trust.errors import DataUnobtainable
from fhir_mappings.features import queries
from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.orders import open_operations
from fhir_mappings.orders.procedures import NoProcedure

HOOK = "patient-view"
ORDER_HOOKS = ("order-select", "order-sign")
# Drafts of which none is an operation that is known; one that is ambiguous or out of scope is spoken of as such.
_NO_OPERATION: dict[str, InsteadOf] = {"not-surgical": "not-surgical", "unmapped-procedure": "unmapped-procedure"}
KEY = "orders"
# A draft that stands in the chart is an operation to come as much as a signed order is (sandboxes save drafts).
# Not narrowed to known codes: an operation whose code is unknown is to be told (`unmapped-procedure`), not overlooked.
TEMPLATE = "ServiceRequest?patient={{context.patientId}}&status=draft,active,on-hold&_count=100"


def templates(hook: str, site: TenantRuntime) -> Mapping[str, str]:
    """The prefetch templates that a hook lists for this tenant: at most eight (R-D07)."""
    if hook == HOOK or _may_be_of_chart(hook, site):
        return queries.listed({**site.templates, KEY: TEMPLATE}, left_to_a_fetch="reports")
    return queries.listed(site.templates, left_to_a_fetch=KEY)


def with_open_orders(
    request: HookRequest, site: TenantRuntime, client: FhirClient, *, started: float, as_of: datetime
) -> HookRequest:
    """The request with the chart's open orders as what advice is about; another hook's request as it is.

    What was fetched takes its place in the prefetch. Raises DataUnobtainable (412) where the orders were neither sent
    nor can be had: an operation that could not be looked for is not "none" (DEC-03).
    """
    if request.hook != HOOK:
        return request
    found, place = _search(request, site, client, started)
    return _about(request, found, place, site, as_of)


def beside_drafts(
    request: HookRequest, none: NoProcedure, site: TenantRuntime, client: FhirClient, *, started: float, as_of: datetime
) -> HookRequest | None:
    """An order hook's request about the chart's open orders beside its own; None where it is about its drafts alone.

    `none`: why these hold no operation. A chart that the client neither sent nor lends is not looked at; one that was
    asked and did not answer whole raises DataUnobtainable (412), as at patient-view.
    """
    reason, context = _NO_OPERATION.get(none.reason), request.context
    if reason is None or not _may_be_of_chart(request.hook, site):
        return None
    found, place = _search(request, site, client, started)
    if found.failure == "not-provided":
        return None
    about = _about(request, found, place, site, as_of)
    considered = (*context.considered, *about.context.considered)
    return msgspec.structs.replace(
        about, context=msgspec.structs.replace(about.context, considered=considered, instead_of=reason)
    )


def _may_be_of_chart(hook: str, site: TenantRuntime) -> bool:
    return hook in ORDER_HOOKS and site.tenant.speaks_of_chart


def _about(
    request: HookRequest, found: SearchResult, place: Place, site: TenantRuntime, as_of: datetime
) -> HookRequest:
    if not found.succeeded:
        raise DataUnobtainable(
            "The open orders could not be obtained.", diagnostics=f"prefetch key '{KEY}': {found.failure}"
        )
    planned = open_operations.still_planned(found.resources, as_of=as_of, zone=site.zone)
    if not planned and not found.whole:
        raise DataUnobtainable("The open orders are not all there.", diagnostics=f"prefetch key '{KEY}': incomplete")
    orders = tuple(each for resource in planned if (each := order(resource)) is not None)
    sent = request.prefetch if place == "prefetch" else {**request.prefetch, KEY: _bundle(found)}
    context = msgspec.structs.replace(request.context, considered=orders, place=place)
    return msgspec.structs.replace(request, context=context, prefetch=sent)


def _search(
    request: HookRequest, site: TenantRuntime, client: FhirClient, started: float
) -> tuple[SearchResult, Place]:
    allowed = access(request, site)
    query = resolve(TEMPLATE, {"context.patientId": request.context.patient_id}) if allowed is not None else None
    page = prefetch.sent(request.prefetch[KEY], TEMPLATE) if KEY in request.prefetch else None
    if page is not None and not (page.other and query) and (page.next_url is None or allowed is None):
        return cut_short(page), "prefetch"
    if allowed is None or query is None:
        return SearchResult(failure="not-provided", supplied="not-provided"), "prefetch"
    timeout_s, until = site.tenant.fetch_timeout_s, started + site.tenant.fetch_budget_s
    if page is not None and page.next_url is not None:
        return wait(client.resume(allowed, page, call_timeout_s=timeout_s, deadline=until), until), "fetched"
    return wait(client.start(allowed, query, call_timeout_s=timeout_s, deadline=until), until, query), "fetched"


def _bundle(found: SearchResult) -> msgspec.Raw:
    """What was found, as a Bundle that still says how much of it did not come or could not be read."""
    entries = [{"resource": resource} for resource in found.resources]
    total = len(entries) + found.not_sent + found.unread_entries
    return msgspec.Raw(
        msgspec.json.encode({"resourceType": "Bundle", "type": "searchset", "total": total, "entry": entries})
    )

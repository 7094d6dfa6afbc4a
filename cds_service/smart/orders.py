"""About which operation a profile is: the order of the card that was clicked, else the patient's open orders."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec

from cds_service.hooks.request import HookOrder
from cds_service.patient_data.fhir_client import MAX_ANSWER_BYTES
from cds_service.records.rows import EvaluationRow
from cds_service.smart.faults import EhrError, LaunchError
from cds_service.smart.launch import Granted
from cds_service.tenant_runtime import TenantRuntime
from cds_service.trust.outbound import OutboundError
from fhir_mappings.orders.open_operations import still_planned

_MOST = 50


class _OrderEntry(msgspec.Struct):
    resource: dict[str, Any] = {}


class _OrderLink(msgspec.Struct):
    relation: str | None = None


class _OrderBundle(msgspec.Struct):
    resourceType: Literal["Bundle"]
    entry: tuple[_OrderEntry, ...] = ()
    link: tuple[_OrderLink, ...] = ()


def considered(
    granted: Granted, kept: EvaluationRow | None, site: TenantRuntime, as_of: datetime
) -> tuple[HookOrder, ...]:
    """The order of the card where it is still known here; otherwise what is open in the chart. Raises LaunchError."""
    if kept is not None and kept.result is not None:
        return (_order(_draft(kept.result["procedure"], granted.patient_id)),)
    found = _from_chart(granted, site, as_of)
    if not found:
        raise LaunchError(
            "no-operation", "No operation: the patient has no open order, and the card's order is no longer known here."
        )
    return found


def _draft(procedure: dict[str, Any], patient_id: str) -> dict[str, Any]:
    """The draft as it was told to the card: it may never have been saved, so the EHR cannot be asked for it."""
    draft = {
        "resourceType": "ServiceRequest",
        "id": str(procedure.get("order", "")).rpartition("/")[2] or "order",
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": procedure["system"], "code": procedure["code"]}]},
        "subject": {"reference": f"Patient/{patient_id}"},
    }
    return draft | _when(procedure.get("occurrence", ""), procedure.get("durationHours"))


def _when(occurrence: str, hours: float | None) -> dict[str, Any]:
    if hours is None:
        return {"occurrenceDateTime": occurrence} if occurrence else {}
    begin = datetime.fromisoformat(occurrence)
    return {"occurrencePeriod": {"start": occurrence, "end": (begin + timedelta(hours=hours)).isoformat()}}


def _from_chart(granted: Granted, site: TenantRuntime, as_of: datetime) -> tuple[HookOrder, ...]:
    """The patient's orders that are still open and to come; which of them are operations is told later."""
    query = urlencode({"patient": granted.patient_id, "_count": str(_MOST)})
    headers = {"Accept": "application/fhir+json", "Authorization": f"Bearer {granted.token.reveal()}"}
    until = time.monotonic() + site.tenant.fetch_timeout_s
    try:
        url = f"{granted.issuer.rstrip('/')}/ServiceRequest?{query}"
        reply = site.fhir.get(url, until=until, at_most_bytes=MAX_ANSWER_BYTES, headers=headers)
        if reply.status != HTTPStatus.OK:
            raise _unread()
        bundle = msgspec.json.decode(reply.body, type=_OrderBundle)
    except (OutboundError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _unread() from error
    requests = [entry.resource for entry in bundle.entry if entry.resource.get("resourceType") == "ServiceRequest"]
    orders = [_order(resource) for resource in requests]
    found = tuple(one for one in orders if still_planned((one.resource,), as_of=as_of, zone=site.zone))
    if not found and any(link.relation == "next" for link in bundle.link):  # those that were not read may be open
        raise EhrError("orders-unread", "Not all of the patient's orders could be read; none of those read is open.")
    return found


def _unread() -> EhrError:
    return EhrError("orders-unread", "The patient's orders could not be read. Please try again.")


def _order(resource: dict[str, Any]) -> HookOrder:
    return HookOrder(resource["resourceType"], resource.get("id"), msgspec.Raw(msgspec.json.encode(resource)))

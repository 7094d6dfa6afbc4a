"""From a granted launch to the assessment: the order the card was about, else the patient's open surgical orders."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import msgspec

from cds_service.answer import Answer, answer
from cds_service.hooks.request import Authorization, HookRequest, Order, OrderContext
from cds_service.models_in_force import InForce
from cds_service.pages.smart.launch import Granted, LaunchError
from cds_service.records.records import Records
from cds_service.site import Site

_USER = "Practitioner/unknown"  # the profile asks for no identity: who may open it is the EHR's decision
_OPEN = ("draft", "active", "on-hold")
_ORDERS = 50
_TIMEOUT_S = 5.0


class Desk(msgspec.Struct, frozen=True):
    """What the profile needs: the tenant, the models, and the record of earlier answers."""

    site: Site
    in_force: InForce
    records: Records


def assess(granted: Granted, desk: Desk, received: datetime) -> Answer:
    """The same way as the card's, with data fetched now. Raises LaunchError where no operation can be found."""
    orders = _from_card(granted, desk) or _from_chart(granted, desk.site)
    if not orders:
        raise LaunchError("No operation: the patient has no open order, and the card's order is no longer known here.")
    request = HookRequest(
        hook="order-sign",
        hook_instance=str(uuid.uuid4()),
        context=OrderContext(
            user_id=_USER,
            patient_id=granted.patient_id,
            encounter_id=granted.encounter_id,
            considered=orders,
            drafts=orders,
        ),
        prefetch={},
        fhir_server=granted.issuer,
        authorization=Authorization(token=granted.token, expires_in_s=granted.expires_in_s),
    )
    return answer(request, site=desk.site, knowledge=desk.in_force.knowledge, received=received)


def _from_card(granted: Granted, desk: Desk) -> tuple[Order, ...]:
    """The operation of the card that was clicked: only of this tenant, and only for the patient who is open."""
    if granted.app_context is None:
        return ()
    kept = desk.records.evaluation(granted.app_context)
    if kept is None or kept.result is None or kept.tenant_id != desk.site.tenant.id:
        return ()
    if kept.patient_id != granted.patient_id:
        raise LaunchError("The card was about another patient than the one who is open. Please open the card again.")
    procedure = kept.result["procedure"]
    return (_order(_draft(procedure, granted.patient_id)),)


def _draft(procedure: dict[str, Any], patient_id: str) -> dict[str, Any]:
    return {
        "resourceType": "ServiceRequest",
        "id": str(procedure.get("order", "")).rpartition("/")[2] or "order",
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": procedure["system"], "code": procedure["code"]}]},
        "subject": {"reference": f"Patient/{patient_id}"},
    }


def _from_chart(granted: Granted, site: Site) -> tuple[Order, ...]:
    """The patient's orders that are still open; which of them are operations is told later."""
    url = f"{granted.issuer.rstrip('/')}/ServiceRequest"
    try:
        answer = site.session.get(
            url,
            params={"patient": granted.patient_id, "_count": str(_ORDERS)},
            headers={"Accept": "application/fhir+json", "Authorization": f"Bearer {granted.token.reveal()}"},
            timeout=_TIMEOUT_S,
        )
        entries = answer.json().get("entry", []) if answer.status_code == 200 else []
    except (OSError, ValueError) as error:
        raise LaunchError("The patient's orders could not be read. Please try again.") from error
    resources = [entry.get("resource", {}) for entry in entries]
    return tuple(
        _order(resource)
        for resource in resources
        if resource.get("resourceType") == "ServiceRequest" and resource.get("status") in _OPEN
    )


def _order(resource: dict[str, Any]) -> Order:
    return Order(resource["resourceType"], resource.get("id"), msgspec.Raw(msgspec.json.encode(resource)))

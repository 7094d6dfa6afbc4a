"""About which operation a profile is: the order of the card that was clicked, else the patient's open orders."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from cds_service.hooks.request import Order
from cds_service.pages.smart.launch import Granted, LaunchError
from cds_service.records.rows import EvaluationRow
from cds_service.site import Site

_OPEN = ("draft", "active", "on-hold")
_MOST = 50
_TIMEOUT_S = 5.0


def considered(granted: Granted, kept: EvaluationRow | None, site: Site) -> tuple[Order, ...]:
    """The order of the card where it is still known here; otherwise what is open in the chart. Raises LaunchError."""
    if kept is not None and kept.result is not None:
        return (_order(_draft(kept.result["procedure"], granted.patient_id)),)
    found = _from_chart(granted, site)
    if not found:
        raise LaunchError(
            "No operation: the patient has no open order, and the card's order is no longer known here.", "no-operation"
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


def _from_chart(granted: Granted, site: Site) -> tuple[Order, ...]:
    """The patient's orders that are still open; which of them are operations is told later."""
    url = f"{granted.issuer.rstrip('/')}/ServiceRequest"
    try:
        answer = site.session.get(
            url,
            params={"patient": granted.patient_id, "_count": str(_MOST)},
            headers={"Accept": "application/fhir+json", "Authorization": f"Bearer {granted.token.reveal()}"},
            timeout=_TIMEOUT_S,
        )
        entries = answer.json().get("entry", []) if answer.status_code == 200 else []
    except (OSError, ValueError) as error:
        raise LaunchError("The patient's orders could not be read. Please try again.", "no-answer") from error
    resources = [entry.get("resource", {}) for entry in entries]
    return tuple(
        _order(resource)
        for resource in resources
        if resource.get("resourceType") == "ServiceRequest" and resource.get("status") in _OPEN
    )


def _order(resource: dict[str, Any]) -> Order:
    return Order(resource["resourceType"], resource.get("id"), msgspec.Raw(msgspec.json.encode(resource)))

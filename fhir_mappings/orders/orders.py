"""From the JSON of an order to its facts, whatever shape it has: R4, the two STU3 shapes, appointments, procedures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from fhir_mappings.fhir.elements import Period
from fhir_mappings.fhir.resources import Procedure
from fhir_mappings.orders.order_resources import (
    Appointment,
    OperationRequest,
    Order,
    ReferralRequest,
    beginning,
    first_text,
    hours,
    target,
    written_priority,
)

# Requests of DSTU2 that could be an operation. Source: https://hl7.org/fhir/DSTU2/resourcelist.html
_DSTU2_ORDERS = frozenset({"Order", "ProcedureOrder", "ServiceOrder"})


class UnsupportedVersionError(Exception):
    """A possible surgical order in a FHIR version that is not read (DEC-16)."""


def read_order(raw: Raw) -> Order | None:
    """The facts of an order; None for a resource that cannot be an operation (drugs, devices, diets, tasks).

    Raises UnsupportedVersionError for a possible operation in another FHIR version, and msgspec's errors for one
    that has the right name and cannot be read.
    """
    content = msgspec.json.decode(raw)
    kind = content.get("resourceType") if isinstance(content, dict) else None
    if kind in _DSTU2_ORDERS:
        raise UnsupportedVersionError
    match kind:
        case "ServiceRequest":
            return _service_request(content)
        case "ProcedureRequest":
            _require_stu3(content)
            return _from_request(kind, _request(content))
        case "ReferralRequest":
            _require_stu3(content)
            return _referral(msgspec.convert(content, ReferralRequest))
        case "Appointment":
            return _appointment(msgspec.convert(content, Appointment))
        case "Procedure":
            return _procedure(msgspec.convert(content, Procedure))
    return None


def _require_stu3(content: Mapping[str, Any]) -> None:
    """STU3 made `intent` mandatory; DSTU2 has no such member. https://hl7.org/fhir/STU3/procedurerequest.html"""
    if "intent" not in content:
        raise UnsupportedVersionError


def _service_request(content: Mapping[str, Any]) -> Order:
    code = content.get("code")
    if "reason" in content or (isinstance(code, dict) and ("concept" in code or "reference" in code)):
        raise UnsupportedVersionError  # R5: CodeableReference
    return _from_request("ServiceRequest", _request(content))


def _request(content: Mapping[str, Any]) -> OperationRequest:
    """The order; `category` alone instead of in a list, as the public CDS Hooks sandbox sends it, is that category."""
    category = content.get("category")
    if isinstance(category, dict):
        content = {**content, "category": [category]}
    return msgspec.convert(content, OperationRequest)


def _from_request(kind: str, request: OperationRequest) -> Order:
    return Order(
        reference=f"{kind}/{request.id or ''}",
        status=request.status or "",
        intent=request.intent,
        forbidden=bool(request.do_not_perform),
        priority=written_priority(request.priority),
        categories=request.category,
        codes=(request.code,),
        encounter=first_text(target(request.encounter), target(request.context)),
        occurrence=first_text(
            request.occurrence_date_time, beginning(request.occurrence_period, request.occurrence_timing)
        ),
        duration_h=hours(request.occurrence_period),
        reasons=request.reason_code,
    )


def _referral(request: ReferralRequest) -> Order:
    return Order(
        reference=f"ReferralRequest/{request.id or ''}",
        status=request.status or "",
        intent=request.intent,
        priority=written_priority(request.priority),
        codes=request.service_requested,
        encounter=target(request.context),
        occurrence=first_text(request.occurrence_date_time, beginning(request.occurrence_period)),
        reasons=request.reason_code,
    )


def _appointment(appointment: Appointment) -> Order:
    return Order(
        reference=f"Appointment/{appointment.id or ''}",
        status=appointment.status or "",
        codes=appointment.service_type + appointment.reason_code,
        occurrence=appointment.start or "",
        duration_h=_length(appointment),
        reasons=appointment.reason_code,
    )


def _length(appointment: Appointment) -> float | None:
    if appointment.minutes_duration is not None:
        return appointment.minutes_duration / 60
    return hours(Period(appointment.start, appointment.end))


def _procedure(procedure: Procedure) -> Order | None:
    if procedure.status not in ("preparation", "not-done"):
        return None  # one that is under way or done is not being planned
    return Order(
        reference=f"Procedure/{procedure.id or ''}",
        status=procedure.status,
        codes=(procedure.code,),
        encounter=target(procedure.encounter),
        occurrence=first_text(procedure.performed_date_time, beginning(procedure.performed_period)),
        reasons=procedure.reason_code,
    )

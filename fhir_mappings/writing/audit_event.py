"""One evaluation as FHIR AuditEvent: who asked about whom, when, and what became of it (R-C09; shaped after BALP)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_TYPE = {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"}
_PATIENT_ROLE = {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "1"}
_REPORT_ROLE = {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "3"}


class Evaluated(msgspec.Struct, frozen=True, kw_only=True):
    """What an AuditEvent tells. `decision`: card, silence or error; `reason` and `versions` are words of ours."""

    evaluation_id: str
    recorded: datetime
    tenant_id: str
    hook: str
    decision: str
    reason: str | None = None
    issuer: str | None = None
    user: str | None = None
    patient_id: str | None = None
    versions: tuple[str, ...] = ()


def audit_event(told: Evaluated) -> dict[str, Any]:
    """The AuditEvent as JSON members, validated as R4B. Raises ValueError."""
    from fhir.resources.R4B.auditevent import AuditEvent  # noqa: PLC0415 — slow to import, used by an export only

    client = {"type": _coding("110153", "Source Role ID"), "requestor": told.user is None}
    agents: list[dict[str, Any]] = [{**client, "name": told.issuer or "client without proof"}]
    if told.user:
        agents.append({"requestor": True, "who": {"identifier": {"value": told.user}}})
    details = [{"type": "hook", "valueString": told.hook}, {"type": "tenant", "valueString": told.tenant_id}]
    details += [{"type": "reason", "valueString": told.reason}] if told.reason else []
    details += [{"type": "model", "valueString": version} for version in told.versions]
    entities: list[dict[str, Any]] = [
        {"what": {"identifier": {"value": told.evaluation_id}}, "role": _REPORT_ROLE, "detail": details}
    ]
    if told.patient_id:
        entities.append({"what": {"identifier": {"value": told.patient_id}}, "role": _PATIENT_ROLE})
    resource = AuditEvent.model_validate(
        {
            "resourceType": "AuditEvent",
            "id": told.evaluation_id,
            "type": _TYPE,
            "action": "E",
            "recorded": told.recorded,
            "outcome": "8" if told.decision == "error" else "0",
            "outcomeDesc": told.decision,
            "agent": agents,
            "source": {"observer": {"display": "surgical-risk"}},
            "entity": entities,
        }
    )
    members: dict[str, Any] = msgspec.json.decode(resource.model_dump_json())
    return members


def _coding(code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": _DICOM, "code": code, "display": display}]}

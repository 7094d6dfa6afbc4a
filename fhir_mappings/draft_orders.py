"""Draft orders: what the EHR would create if a clinician accepted a suggestion. Built by fhir.resources (R4B)."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Intent = Literal["proposal", "order", "plan"]


class OrderCode(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What is ordered, in a code that the EHR can order by."""

    system: str
    code: str
    display: str | None = None


class DraftOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One order to be proposed. `reason` is our own text; `about` the operation's order, `Type/id`."""

    code: OrderCode
    text: str
    patient_id: str
    reason: str
    intent: Intent = "proposal"
    encounter_id: str | None = None
    requester: str | None = None
    about: str | None = None


def service_request(draft: DraftOrder) -> dict[str, Any]:
    """A ServiceRequest in status draft, as JSON, without an id: the EHR gives it one (R-C03).

    Raises ValueError where the result would not be a ServiceRequest.
    """
    # Imported where the first resource is written: the library takes 0.2 s that no start should wait for.
    from fhir.resources.R4B.servicerequest import ServiceRequest  # noqa: PLC0415

    resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": draft.intent,
        "code": {"coding": [msgspec.to_builtins(draft.code)], "text": draft.text},
        "subject": {"reference": f"Patient/{draft.patient_id}"},
        "reasonCode": [{"text": draft.reason}],
    }
    if draft.encounter_id is not None:
        resource["encounter"] = {"reference": f"Encounter/{draft.encounter_id}"}
    if draft.requester is not None and _is_practitioner(draft.requester):
        resource["requester"] = {"reference": draft.requester}
    if draft.about is not None:
        resource["supportingInfo"] = [{"reference": draft.about}]
    return _json(ServiceRequest.model_validate(resource).model_dump_json())


def _is_practitioner(user_id: str) -> bool:
    return user_id.partition("/")[0] in ("Practitioner", "PractitionerRole")


def _json(text: str) -> dict[str, Any]:
    return msgspec.json.decode(text, type=dict[str, Any])

"""Draft orders: what the EHR would create if a clinician accepted a suggestion. Built by fhir.resources (R4B)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal

import msgspec

Intent = Literal["proposal", "order", "plan"]
# https://hl7.org/fhir/R4/references.html#literal; ids are told apart by their own rule, wider than FHIR's (Epic: `_`).
# With this begins the reason of each draft of ours, by which it is known again.
REASON = "Before surgery: "
_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9._-]{1,128}", re.ASCII)


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

    Raises ValueError where the result would not be a ServiceRequest. What of it does not differ from patient to
    patient is built and validated once: the library takes a millisecond, which no answer should wait for.
    """
    requester = draft.requester if draft.requester is not None and _is_practitioner(draft.requester) else None
    references = {
        "subject": f"Patient/{draft.patient_id}",
        "encounter": f"Encounter/{draft.encounter_id}" if draft.encounter_id is not None else None,
        "requester": requester,
        "supportingInfo": draft.about,
    }
    given = {name: reference for name, reference in references.items() if reference is not None}
    if not draft.reason.strip() or not all(_REFERENCE.fullmatch(reference) for reference in given.values()):
        raise ValueError("a draft order needs a reason, and references of the form Type/id")
    resource = _built(draft.code, draft.text, draft.intent, tuple(given))
    resource["reasonCode"] = [{"text": draft.reason}]
    for name, reference in given.items():
        resource[name] = [{"reference": reference}] if name == "supportingInfo" else {"reference": reference}
    return resource


class _Subject(msgspec.Struct, frozen=True, gc=False):
    reference: str = ""


class _Reason(msgspec.Struct, gc=False):
    text: str = ""


class _Draft(msgspec.Struct, gc=False):
    resourceType: str
    status: str = ""
    subject: _Subject = _Subject()
    reasonCode: list[_Reason] = []


_drafts = msgspec.json.Decoder(_Draft)
_resources = msgspec.json.Decoder(dict[str, Any])


def is_ours(resource: msgspec.Raw, patient_id: str) -> bool:
    """Whether it is a draft that this service proposed for this patient, and nobody signed yet: its reason tells."""
    try:
        draft = _drafts.decode(resource)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    told = (draft.resourceType, draft.status, draft.subject.reference)
    if told != ("ServiceRequest", "draft", f"Patient/{patient_id}"):
        return False
    return any(one.text.startswith(REASON) for one in draft.reasonCode)


def prepare() -> None:
    """Import and use the library once, so that the first suggestion is not slow."""
    code = OrderCode(system="http://loinc.org", code="4548-4")
    service_request(DraftOrder(code=code, text="Hemoglobin A1c", patient_id="nobody", reason="Preparation"))


def _built(code: OrderCode, text: str, intent: Intent, members: tuple[str, ...]) -> dict[str, Any]:
    """The validated resource with a stand-in wherever patients differ; one of its own for each who asks."""
    return _resources.decode(_validated(code, text, intent, members))


@lru_cache(maxsize=1024)
def _validated(code: OrderCode, text: str, intent: Intent, members: tuple[str, ...]) -> bytes:
    # Imported where the first resource is written: the library takes 0.2 s that no start should wait for.
    from fhir.resources.R4B.servicerequest import ServiceRequest  # noqa: PLC0415

    stand_in = {"reference": "Patient/stand-in"}
    resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": intent,
        "code": {"coding": [msgspec.to_builtins(code)], "text": text},
        "reasonCode": [{"text": "stand-in"}],
    } | {name: [stand_in] if name == "supportingInfo" else stand_in for name in members}
    return ServiceRequest.model_validate(resource).model_dump_json().encode()


def _is_practitioner(user_id: str) -> bool:
    return user_id.partition("/")[0] in ("Practitioner", "PractitionerRole")

"""Fire a hook as an EHR would: discovery, prefetch from a FHIR server, one order or appointment, POST."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from cds_service.hooks.services import SERVICE_ID
from cds_service.patient_data.gather import resolve

if TYPE_CHECKING:
    import requests

TIMEOUT_S = 30.0
HOOKS = ("order-select", "order-sign", "appointment-book", "patient-view")
PATIENT_VIEW = "patient-view"
DRAFT = "draft-operation"
_USER = "Practitioner/demo-surgeon"

# What a code of this shape is taken for where the caller does not say.
CPT = "http://www.ama-assn.org/go/cpt"
ICD_10_PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
SNOMED_CT = "http://snomed.info/sct"


class Ehr(msgspec.Struct, frozen=True, kw_only=True):
    """Where the service is, where the patients are, and the tokens for both."""

    service_url: str
    fhir_url: str
    fhir_token: str | None = None
    client_jwt: str | None = None


class CallError(Exception):
    """The call could not be made, or was answered with an error; the message says which and how."""


def answers(url: str) -> bool:
    """Whether a GET of `url` is answered with 200 within a second."""
    import requests  # noqa: PLC0415 — 5 MB that no worker of the service needs, though it imports this file

    try:
        return requests.get(url, timeout=1).ok
    except requests.RequestException:
        return False


def code_system(ehr: Ehr, patient_id: str, code: str) -> str:
    """The code system of a procedure code: by its shape, or as an open order of the patient has it.

    Raises CallError for a code of no known shape that no order has.
    """
    if len(code) == 5 and code[:4].isdigit():
        return CPT
    if len(code) == 7 and code.isalnum():
        return ICD_10_PCS
    if code.isdigit() and 6 <= len(code) <= 18:  # https://confluence.ihtsdotools.org/display/DOCRELFMT/6+SCTID
        return SNOMED_CT
    query = f"ServiceRequest?patient={quote(patient_id, safe='')}&status=active&_count=100"
    chart = _content(_send("GET", f"{ehr.fhir_url.rstrip('/')}/{query}", token=ehr.fhir_token))
    if system := _system_in(chart, code):
        return system
    raise CallError(f"{code}: of which code system? No open order of {patient_id} has it; name it with --system URI")


def _system_in(chart: dict[str, Any], code: str) -> str:
    """The system under which an order of a searchset has the code; "" where none has, or they cannot be read."""
    try:
        orders = [entry["resource"] for entry in chart.get("entry", ())]
        codings = [coding for order in orders for coding in order.get("code", {}).get("coding", ())]
        return next((str(one["system"]) for one in codings if one.get("code") == code and one.get("system")), "")
    except (AttributeError, KeyError, TypeError):
        return ""


def call(
    ehr: Ehr, patient_id: str, coding: tuple[str, str], *, hook: str = "order-select", prefetch: bool = True
) -> dict[str, Any]:
    """The answer to one order of (system, code) for this patient. Raises CallError."""
    service = _service(ehr, hook)
    body = request(ehr, patient_id, coding, hook=hook)
    if prefetch:
        found = prefetched(ehr, service.get("prefetch", {}), patient_id)
        body["prefetch"] = with_open_order(found, patient_id, coding) if hook == PATIENT_VIEW else found
    response = _send("POST", f"{_base(ehr)}/cds-services/{SERVICE_ID}", token=ehr.client_jwt, body=body)
    answer = _content(response)
    if response.status_code != 200:
        raise CallError(f"The service answered {response.status_code}: {_told(answer)}")
    return answer


def request(
    ehr: Ehr,
    patient_id: str,
    coding: tuple[str, str],
    *,
    hook: str = "order-select",
    encounter_id: str | None = None,
) -> dict[str, Any]:
    """The body of the call, without prefetch."""
    visit = {"encounterId": encounter_id} if encounter_id else {}
    body: dict[str, Any] = {
        "hook": hook,
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": _USER, "patientId": patient_id, **visit, **_session(patient_id, coding, hook)},
        "fhirServer": ehr.fhir_url,
    }
    if ehr.fhir_token:
        body["fhirAuthorization"] = {
            "access_token": ehr.fhir_token,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "user/*.rs",
            "subject": SERVICE_ID,
        }
    return body


def _session(patient_id: str, coding: tuple[str, str], hook: str) -> dict[str, Any]:
    """What the hook's context holds beside user and patient; patient-view names no order."""
    if hook == PATIENT_VIEW:
        return {}
    if hook == "appointment-book":
        return {"appointments": _bundle("collection", proposed_appointment(patient_id, coding))}
    order = draft_order(patient_id, coding)
    drafts = {"draftOrders": _bundle("collection", order)}
    return drafts | ({"selections": [f"ServiceRequest/{order['id']}"]} if hook == "order-select" else {})


def draft_order(patient_id: str, coding: tuple[str, str], *, days_ahead: int = 21) -> dict[str, Any]:
    """An elective draft ServiceRequest for an operation in three weeks."""
    system, code = coding
    day = datetime.now(UTC).date() + timedelta(days=days_ahead)
    return {
        "resourceType": "ServiceRequest",
        "id": DRAFT,
        "status": "draft",
        "intent": "order",
        "priority": "routine",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": f"Patient/{patient_id}"},
        "occurrenceDateTime": day.isoformat(),
    }


def open_order(patient_id: str, coding: tuple[str, str]) -> dict[str, Any]:
    """The same order once it is signed and stands in the chart."""
    return {**draft_order(patient_id, coding), "id": f"{patient_id}-operation", "status": "active"}


def proposed_appointment(patient_id: str, coding: tuple[str, str], *, days_ahead: int = 21) -> dict[str, Any]:
    """An appointment for an operation in three weeks, two hours long, not booked yet."""
    system, code = coding
    begin = (datetime.now(UTC) + timedelta(days=days_ahead)).replace(hour=9, minute=0, second=0, microsecond=0)
    return {
        "resourceType": "Appointment",
        "id": "proposed-operation",
        "status": "proposed",
        "serviceType": [{"coding": [{"system": system, "code": code}]}],
        "start": begin.isoformat(),
        "end": (begin + timedelta(hours=2)).isoformat(),
        "participant": [{"actor": {"reference": f"Patient/{patient_id}"}, "status": "needs-action"}],
    }


def with_open_order(found: dict[str, Any], patient_id: str, coding: tuple[str, str]) -> dict[str, Any]:
    """The prefetch of a chart in which this operation is the planned one: it takes the place of an earlier one."""
    order = open_order(patient_id, coding)
    others = [entry["resource"] for entry in found.get("orders", {}).get("entry", ())]
    kept = [other for other in others if other.get("id") != order["id"]]
    return {**found, "orders": _bundle("searchset", order, *kept)}


def _bundle(kind: str, *resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": resource} for resource in resources]}


def prefetched(ehr: Ehr, templates: dict[str, str], patient_id: str) -> dict[str, Any]:
    """Each template resolved against the FHIR server; a key that cannot be had is left out, as clients do."""
    found: dict[str, Any] = {}
    for key, template in templates.items():
        query = resolve(template, {"context.patientId": patient_id, "context.userId": _USER})
        if query is None:
            continue
        response = _send("GET", f"{ehr.fhir_url.rstrip('/')}/{query}", token=ehr.fhir_token)
        if response.status_code == 200:
            found[key] = _content(response)
    return found


def _service(ehr: Ehr, hook: str) -> dict[str, Any]:
    discovered = _content(_send("GET", f"{_base(ehr)}/cds-services", token=None))
    services: list[dict[str, Any]] = discovered.get("services", [])
    for service in services:
        if service.get("id") in (SERVICE_ID, f"{SERVICE_ID}-{hook}") and service.get("hook") == hook:
            return service
    raise CallError(f"The service at {_base(ehr)} does not offer {hook}.")


def _send(method: str, url: str, *, token: str | None, body: dict[str, Any] | None = None) -> requests.Response:
    import requests  # noqa: PLC0415 — as above

    headers = {"Accept": "application/fhir+json, application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        return requests.request(
            method, url, headers=headers, data=None if body is None else json.dumps(body), timeout=TIMEOUT_S
        )
    except requests.RequestException as error:
        raise CallError(f"No answer from {url.partition('?')[0]}: {_why(error)}") from error


def _why(error: requests.RequestException) -> str:
    import requests  # noqa: PLC0415 — as above

    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not accepted"
    if isinstance(error, requests.Timeout):
        return f"it did not answer within {TIMEOUT_S:g} s"
    return "that is no URL" if isinstance(error, ValueError) else "nothing listens there, or it hung up"


def _content(response: requests.Response) -> dict[str, Any]:
    """The JSON object that came, whatever its status; CallError for anything else."""
    try:
        content = response.json()
    except ValueError:
        content = None
    if not isinstance(content, dict):
        where = response.url.partition("?")[0]
        raise CallError(f"{where} answered {response.status_code} and no JSON object: is this the right address?")
    return content


def _base(ehr: Ehr) -> str:
    return ehr.service_url.rstrip("/")


def _told(outcome: dict[str, Any]) -> str:
    issue = (outcome.get("issue") or [{}])[0]
    text = issue.get("details", {}).get("text", "no reason given")
    return f"{text} {issue.get('diagnostics', '')}".strip()

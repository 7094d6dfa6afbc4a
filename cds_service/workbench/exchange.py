"""The workbench as an EHR: it asks this very service through its own front door, and a FHIR server by tenant rules."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from flask import current_app

from cds_service import chart_orders
from cds_service.ehr import caller
from cds_service.hooks.services import SERVICE_ID
from cds_service.patient_data.fhir_client import MAX_ANSWER_BYTES
from cds_service.patient_data.gather import resolve
from cds_service.tenant_runtime import TenantRuntime
from cds_service.trust import egress
from cds_service.trust.outbound import OutboundError

USER = "Practitioner/demo-surgeon"
_FETCH_S = 2.0
_ACCEPT = {"Accept": "application/fhir+json"}


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request of the workbench and the answer to it, as both went over HTTP."""

    method: str
    path: str
    sent: str
    status: int
    answer: str
    milliseconds: float
    timing: tuple[tuple[str, float], ...] = ()

    @property
    def body(self) -> dict[str, Any]:
        """The answer as JSON; empty where it is none."""
        try:
            read = json.loads(self.answer)
        except json.JSONDecodeError:
            return {}
        return read if isinstance(read, dict) else {}

    @property
    def patient_id(self) -> str:
        """Whom the request is about, as it was sent; "" where it does not say."""
        try:
            return str(json.loads(self.sent)["context"]["patientId"])
        except (json.JSONDecodeError, RecursionError, KeyError, TypeError, IndexError):
            return ""


class FetchError(Exception):
    """The FHIR server may not be asked, or did not answer; the message says which."""


def post(path: str, sent: str, *, client_jwt: str = "") -> Exchange:
    """POST `sent` to this service, byte for byte as an EHR would."""
    headers = {"Content-Type": "application/json"}
    if client_jwt:  # what no header can hold is sent as the token that it is not
        headers["Authorization"] = f"Bearer {client_jwt.encode('ascii', 'replace').decode()}"
    started = time.perf_counter()
    response = current_app.test_client().post(path, data=sent.encode(), headers=headers)
    spent = 1000 * (time.perf_counter() - started)
    return Exchange(
        method="POST",
        path=path,
        sent=sent,
        status=response.status_code,
        answer=_pretty(response.get_data(as_text=True)),
        milliseconds=spent,
        timing=_timing(response.headers.get("Server-Timing", "")),
    )


def order(
    site: TenantRuntime,
    fhir: str,
    patient_id: str,
    coding: tuple[str, str],
    *,
    hook: str,
    prefetch: bool,
    encounter_id: str,
) -> str:
    """The body of the hook for this operation, with what its prefetch templates ask for. Raises FetchError."""
    ehr = caller.Ehr(service_url=site.tenant.public_url, fhir_url=fhir)
    body = caller.request(ehr, patient_id, coding, hook=hook, encounter_id=encounter_id)
    if prefetch:
        found = _prefetched(site, fhir, patient_id, hook)
        if hook == caller.PATIENT_VIEW:
            found = caller.with_open_order(found, patient_id, coding)
        body["prefetch"] = found
    return json.dumps(body, indent=2, ensure_ascii=False)


def _prefetched(site: TenantRuntime, fhir: str, patient_id: str, hook: str) -> dict[str, Any]:
    """Each template resolved; a search that fails is left out, as clients do."""
    found = {}
    for key, template in chart_orders.templates(hook, site).items():
        query = resolve(template, {"context.patientId": patient_id, "context.userId": USER})
        if query is not None and (body := fetch(site, f"{fhir.rstrip('/')}/{query}")) is not None:
            found[key] = body
    return found


def fetch(site: TenantRuntime, url: str) -> Any:
    """A FHIR GET; None where the server says no. Our own demo store is asked without a network."""
    own = f"{site.tenant.public_url.rstrip('/')}/demo/fhir/"
    if url.startswith(own):
        response = current_app.test_client().get(f"/demo/fhir/{url.removeprefix(own)}")
        return response.get_json() if response.status_code == 200 else None
    if egress.allowed(url.partition("?")[0], site.tenant) is None:
        raise FetchError("This tenant does not allow that FHIR server.")
    try:
        until = time.monotonic() + _FETCH_S
        reply = site.fhir.get(url, until=until, at_most_bytes=MAX_ANSWER_BYTES, headers=_ACCEPT)
        return json.loads(reply.body) if reply.status == HTTPStatus.OK else None
    except (OutboundError, ValueError, RecursionError) as error:
        raise FetchError("The FHIR server did not answer.") from error


def feedback(card_uuid: str, told: Mapping[str, Any]) -> str:
    """The body of the feedback on one card."""
    return json.dumps({"feedback": [{"card": card_uuid, **told}]}, indent=2, ensure_ascii=False)


FEEDBACK_PATH = f"/cds-services/{SERVICE_ID}/feedback"
SERVICE_PATH = f"/cds-services/{SERVICE_ID}"


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except json.JSONDecodeError:
        return text


def _timing(header: str) -> tuple[tuple[str, float], ...]:
    """The steps of a Server-Timing header: `name;dur=1.2, …`."""
    steps = []
    for part in filter(None, (piece.strip() for piece in header.split(","))):
        name, _, rest = part.partition(";")
        if rest.startswith("dur="):
            steps.append((name, float(rest.removeprefix("dur="))))
    return tuple(steps)

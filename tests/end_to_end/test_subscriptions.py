"""A real HAPI tells of an operation by criteria-based Subscriptions (FHIR R4, rest-hook), and the page shows it."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from tests.end_to_end import servers

pytestmark = pytest.mark.end_to_end
SECRET, VARIABLE, TENANT = "what-hapi-shows", "HAPI_SHOWS", "hooked"
# Whoever needs no proof (a dev tenant without clients); a browser would have signed in.
ANYBODY = {"Authorization": "Bearer nobody"}


@pytest.fixture(params=["application/fhir+json", None], ids=["with payload", "without"])
def hooked(request: pytest.FixtureRequest, hapi: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """The service and the id of a case, of which two active Subscriptions at HAPI tell."""
    monkeypatch.setenv(VARIABLE, SECRET)
    with telling(hapi, request.param) as found:
        yield found


@contextlib.contextmanager
def telling(hapi: str, payload: str | None) -> Iterator[tuple[str, str]]:
    case = f"case-{uuid.uuid4()}"
    known(hapi, case)
    criteria = [f"{kind}?encounter=Encounter/{case}" for kind in ("Observation", "Procedure")]
    source = {"base_url": hapi, "header_variable": VARIABLE, "rest_hook": True, "searches": criteria}
    tenant: dict[str, Any] = {
        "id": TENANT, "environment": "dev", "mode": "on", "fhir_base_urls": [hapi],
        "during": {"mode": "live", "source": source, "poll": {"every_s": 3600}},
    }  # fmt: skip
    with servers.service(tenant) as url:
        made = [subscribed(hapi, f"{url}/during/{TENANT}/hook", one, payload) for one in criteria]
        yield url, case
        for one in made:
            requests.delete(f"{hapi}/Subscription/{one}", timeout=30)


def subscribed(base: str, endpoint: str, criteria: str, payload: str | None) -> str:
    """The id of a Subscription that is active."""
    channel: dict[str, Any] = {"type": "rest-hook", "endpoint": endpoint, "header": [f"Authorization: Bearer {SECRET}"]}
    asked = {
        "resourceType": "Subscription", "status": "requested", "reason": "operations", "criteria": criteria,
        "channel": channel | ({"payload": payload} if payload else {}),
    }  # fmt: skip
    own = str(written(base, asked, method="POST")["id"])
    until_true(lambda: requests.get(f"{base}/Subscription/{own}", timeout=30).json()["status"] == "active")
    return own


def known(base: str, case: str) -> None:
    """The patient and the encounter of the case: HAPI finds nothing by a reference to what it does not hold."""
    written(base, {"resourceType": "Patient", "id": case})
    subject, kind = {"reference": f"Patient/{case}"}, {"code": "IMP"}
    stay = {"resourceType": "Encounter", "id": case, "status": "in-progress", "class": kind, "subject": subject}
    written(base, stay)


def written(base: str, resource: dict[str, Any], *, method: str = "PUT") -> dict[str, Any]:
    name = resource["resourceType"] + (f"/{resource['id']}" if method == "PUT" else "")
    answer = requests.request(method, f"{base}/{name}", json=resource, timeout=60)
    assert answer.status_code in (200, 201), answer.text[:500]
    found: dict[str, Any] = answer.json()
    return found


def until_true(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.2)


def heart_rate(case: str, number: int, value: float, at: datetime) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": f"{case}-{number}", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{case}"}, "encounter": {"reference": f"Encounter/{case}"},
        "effectiveDateTime": at.isoformat(),
        "valueQuantity": {"value": value, "code": "/min", "system": "http://unitsofmeasure.org"},
    }  # fmt: skip


def operation(case: str, begun: datetime) -> dict[str, Any]:
    return {
        "resourceType": "Procedure", "id": f"{case}-op", "status": "in-progress",
        "subject": {"reference": f"Patient/{case}"}, "encounter": {"reference": f"Encounter/{case}"},
        "performedPeriod": {"start": begun.isoformat()},
    }  # fmt: skip


def page(url: str) -> str:
    """The only case that has an encounter, or the list where there is none yet."""
    listed = requests.get(f"{url}/during/{TENANT}", headers=ANYBODY, timeout=30)
    assert listed.status_code == 200, listed.text[:500]
    cases = [part.split('"')[0] for part in listed.text.split(f"/during/{TENANT}/")[1:]]
    return requests.get(f"{url}/during/{TENANT}/{cases[0]}", headers=ANYBODY, timeout=30).text if cases else listed.text


def test_what_hapi_tells_stands_on_the_page(hapi: str, hooked: tuple[str, str]) -> None:
    url, case = hooked
    now = datetime.now(UTC)
    written(hapi, operation(case, now - timedelta(minutes=30)))
    for number, value in enumerate((158, 159, 161)):
        written(hapi, heart_rate(case, number, value, now - timedelta(seconds=20 - 10 * number)))
    until_true(lambda: "<strong>161</strong>" in page(url))
    written(hapi, heart_rate(case, 2, 141, now))
    until_true(lambda: "<strong>141</strong>" in page(url))

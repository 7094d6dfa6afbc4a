"""The messy cases, answered live from what was sent and again from the same resources as an export holds them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from cds_service.answer import answer
from cds_service.hooks import request as hook_request
from cds_service.hooks.request import HookRequest
from cds_service.hooks.services import HOOKS
from cds_service.replay import patient
from cds_service.replay.chart import KEY_OF
from tests.cds_service.replay import charts
from tests.fhir_mappings.cohorts import FOLDERS

# What no export can say, or says as it is today.
DIFFERENT = {
    "next-page-elsewhere": "the client sent a list cut short; an export is whole",
    "outcome-entries": "the client told of entries that it could not give",
    "odd-times": "live a clock may be a day ahead, in replay none may (inputs 1.2)",
    "patient-as-user": "who asked is not in the export",
    "revoked-and-on-hold": "of an order that is revoked today nobody knows since when; then it was signed",
}


def case_of(path: Path) -> tuple[dict[str, Any], datetime]:
    body = json.loads(path.read_text())
    for name in ("fhirServer", "fhirAuthorization"):
        body.pop(name, None)
    return body, datetime.fromisoformat(yaml.safe_load(path.with_name("expected.yaml").read_text())["as_of"])


def exported(prefetch: dict[str, Any]) -> tuple[list[dict[str, Any]], frozenset[str]]:
    """The resources, and the types of the lists that were sent."""
    found, keys = [], set()
    for key, value in prefetch.items():
        entries = value.get("entry", ()) if isinstance(value, dict) else ()
        is_list = isinstance(value, dict) and value.get("resourceType") == "Bundle"
        found += [one["resource"] for one in entries if "resource" in one] if is_list else [value] if value else []
        keys.add(key.replace("labs", "observations"))
    return found, frozenset(kind for kind, key in KEY_OF.items() if key in keys)


def signed(request: HookRequest, as_of: datetime) -> list[dict[str, Any]]:
    visit = {"encounter": {"reference": f"Encounter/{request.context.encounter_id}"}}
    return [
        (visit if request.context.encounter_id else {}) | msgspec.json.decode(one.resource)
        | {("created" if one.resource_type == "Appointment" else "authoredOn"): as_of.isoformat()}
        for one in request.context.considered
    ]  # fmt: skip


# Refused live, or of no order that was signed: there is nothing to answer again.
NOT_ANSWERED = ("appointments-as-array", "dstu2-order", "patient-url", "wrong-patient")
CASES = [path for path in sorted(FOLDERS.glob("*/request.json")) if path.parent.name not in NOT_ANSWERED]


@pytest.mark.parametrize("path", CASES, ids=lambda one: one.parent.name)
def test_a_messy_case_is_answered_alike(path: Path) -> None:
    body, as_of = case_of(path)
    using = charts.setting()
    request = hook_request.read_request(json.dumps(body).encode(), offered=HOOKS)
    given = answer(request, site=using.site, knowledge=using.knowledge, received=as_of)
    resources, provided = exported(body["prefetch"])
    raws = [charts.raw(one) for one in (*resources, *signed(request, as_of))]
    rows = patient.replay(request.context.patient_id, raws, charts.setting(provided=provided)).rows
    told = (given.silence, given.card and given.card.summary, given.card and given.card.detail)
    again = [(row["reason"], row["summary"], row["detail"]) for row in map(json.loads, rows)]
    assert (told in (again or [("not-surgical", None, None)])) == (path.parent.name not in DIFFERENT)

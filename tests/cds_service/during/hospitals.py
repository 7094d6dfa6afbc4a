"""Hospitals whose mode a test states, and resources of one operation as an anaesthesia record sends them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import Flask

from tests.conformance.conftest import a_tenant_file, a_token, an_app
from tests.fhir_mappings.during.observed import HEART_RATE, MAP_INVASIVE, at, observation

POSTED = "/during/general-hospital/observations"
CLEARED = {"authority": "an authority", "number": "1", "approved_by": "a person"}
Resource = dict[str, Any]


def an_hospital(folder: Path, mode: str = "closed-case", **members: Any) -> Flask:
    """The application of one production tenant in this mode of during; `during` may name more of it."""
    during = {"mode": mode, **members.pop("during", {})}
    tenants = a_tenant_file(folder / "tenants", during=during, **members)
    return an_app(folder, tenants=tenants)


def a_value(code: str = HEART_RATE, value: float = 80, seconds: float = 60, **members: Any) -> Resource:
    """One value of patient p1 in encounter e1."""
    unit = "/min" if code == HEART_RATE else "mm[Hg]"
    told = {"encounter": {"reference": "Encounter/e1"}} | members
    found: Resource = json.loads(observation(code, value, unit, seconds=seconds, **told))
    return found


def an_operation(ended: float | None = None, **members: Any) -> Resource:
    """The Procedure of patient p1 in encounter e1, begun at 0 s."""
    period = {"start": at(0)} | ({"end": at(ended)} if ended is not None else {})
    return {
        "resourceType": "Procedure",
        "id": "op1",
        "status": "in-progress" if ended is None else "completed",
        "subject": {"reference": "Patient/p1"},
        "encounter": {"reference": "Encounter/e1"},
        "performedPeriod": period,
    } | members


def a_bundle(*resources: Resource) -> Resource:
    """A collection of them."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def an_hour(*, ended: bool = True) -> Resource:
    """An hour of heart rate and pressure, a value a minute, the pressure low for its second quarter."""
    minutes = range(60)
    low = [a_value(MAP_INVASIVE, 55 if 15 <= minute < 30 else 80, 60.0 * minute) for minute in minutes]
    rates = [a_value(HEART_RATE, 70 + minute % 5, 60.0 * minute) for minute in minutes]
    return a_bundle(*low, *rates, an_operation(3600 if ended else None))


def send(app: Flask, bundle: Any, **claims: Any) -> Any:
    """POST it as the client of the tenant."""
    return app.test_client().post(POSTED, json=bundle, headers=a_token(POSTED, **claims))

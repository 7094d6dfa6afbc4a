"""Hospitals whose mode a test states, and resources of one operation as an anaesthesia record sends them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants.tenant import Tenant
from cds_service.web.app import RECORDS, create_app
from cds_service.web.settings import Settings
from tests.conformance.conftest import a_tenant_file, a_token
from tests.fhir_mappings.during.observed import HEART_RATE, MAP_INVASIVE, at, observation

SESSION_KEY = "k" * 40
POSTED = "/during/general-hospital/observations"
CLEARED = {"authority": "an authority", "number": "1", "approved_by": "a person"}
Resource = dict[str, Any]


def an_hospital(folder: Path, reads: str = "closed-case", *, at: datetime | None = None, **members: Any) -> Flask:
    """The application of one dev tenant in this mode; `during` may name more of it, `at` is its clock."""
    during = {"mode": reads, **members.pop("during", {})}
    folder.mkdir(exist_ok=True)
    tenants = a_tenant_file(folder / "tenants", during=during, **{"environment": "dev"} | members)
    database = f"sqlite:///{folder}/record.sqlite3"
    settings = Settings(database_url=database, state_directory=folder, tenants=tenants, session_key=SESSION_KEY)
    app = create_app(settings, clock=lambda: at) if at is not None else create_app(settings)
    app.extensions["at"] = at
    return app


def a_tenant_of(app: Flask) -> Tenant:
    """The tenant that the application answers for."""
    sites: Sequence[TenantRuntime] = app.extensions["surgical-risk-tenants"].sites
    return sites[0].tenant


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
    low = [a_value(MAP_INVASIVE, (55 if 15 <= minute < 30 else 80) + minute % 3, 60.0 * minute) for minute in minutes]
    rates = [a_value(HEART_RATE, 70 + minute % 5, 60.0 * minute) for minute in minutes]
    return a_bundle(*low, *rates, an_operation(3600 if ended else None))


def send(app: Flask, bundle: Any, **claims: Any) -> Any:
    """POST it as the client of the tenant, at the time of the application's clock."""
    if at := app.extensions["at"]:
        claims = {"iat": at.timestamp(), "exp": at.timestamp() + 300} | claims
    return app.test_client().post(POSTED, json=bundle, headers=a_token(POSTED, **claims))


def case_id(app: Flask) -> str:
    """The case that has an encounter."""
    every = app.extensions[RECORDS].during_cases.of_tenant("general-hospital")
    return next(one.id for one in every if one.key.encounter_id)


def look(app: Flask, path: str = "", **options: Any) -> TestResponse:
    """What a client of the tenant is shown, or whoever sends these headers."""
    headers = options.pop("headers", None)
    return app.test_client().get(f"/during/general-hospital{path}", headers=a_token() if headers is None else headers)

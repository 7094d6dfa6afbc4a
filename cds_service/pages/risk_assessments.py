"""`/risk-assessments/{id}`: one result from the record as a FHIR RiskAssessment, for the tenant whose it is (R-C05)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from flask import Blueprint, Response, abort, request

from cds_service.advice import chart
from cds_service.advice.chart import Owner
from cds_service.pages import open_pages
from cds_service.records.rows import EvaluationRow
from cds_service.tenant import Tenant
from cds_service.trust.seal import Seal

Find = Callable[[str], EvaluationRow | None]
# The tenant that this Authorization header proves; raises Unauthorized.
Proven = Callable[[str | None], Tenant]
# What a mode withheld was never told to anybody, and is not told here either.
_WITHHELD = frozenset({"kill-switch", "mode-off", "mode-silent", "mode-canary"})


class Doors(msgspec.Struct, frozen=True):
    """Who may read: a client by its JWT, or the browser in which the risk profile is open."""

    proven: Proven
    seal: Seal
    tenants: Mapping[str, Tenant]


def blueprint(find: Find, doors: Doors) -> Blueprint:
    """The one URL; it reads and keeps nothing. Another tenant's result, one that was withheld or has no number and one
    that never was are all not found (R-G15).
    """
    pages = Blueprint("risk-assessments", __name__)

    @pages.get("/risk-assessments/<uuid:assessment_id>")
    def risk_assessment(assessment_id: object) -> Response:
        tenant = _reader(str(assessment_id), doors)
        row = find(str(assessment_id))
        if row is None or row.tenant_id != tenant.id or row.reason in _WITHHELD:
            abort(404)
        if row.result is None or row.patient_id is None:
            abort(404)
        owner = Owner(row.patient_id, row.encounter_id)
        resource = chart.resource(row.result, owner, public_url=tenant.public_url)
        response = Response(msgspec.json.encode(resource), mimetype="application/fhir+json")
        response.headers["Cache-Control"] = "no-store"
        return response

    return pages


def _reader(assessment_id: str, doors: Doors) -> Tenant:
    """Whoever sends a header is judged by it; a browser by what it has open. Raises Unauthorized."""
    if "Authorization" not in request.headers:
        opened = open_pages.tenant_of(assessment_id, doors.seal)
        if opened is not None and opened in doors.tenants:
            return doors.tenants[opened]
    return doors.proven(request.headers.get("Authorization"))

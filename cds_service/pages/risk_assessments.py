"""`/risk-assessments/{id}`: one result from the record as a FHIR RiskAssessment, for the tenant whose it is (R-C05)."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from flask import Blueprint, Response, abort, request

from cds_service.advice import chart
from cds_service.advice.chart import Owner
from cds_service.records.rows import EvaluationRow
from cds_service.tenant import Tenant

Find = Callable[[str], EvaluationRow | None]
# The tenant that this Authorization header proves; raises Unauthorized.
Proven = Callable[[str | None], Tenant]


def blueprint(find: Find, proven: Proven) -> Blueprint:
    """The one URL. Another tenant's result, one without a number and one that never was are all not found (R-G15)."""
    pages = Blueprint("risk-assessments", __name__)

    @pages.get("/risk-assessments/<uuid:assessment_id>")
    def risk_assessment(assessment_id: object) -> Response:
        tenant = proven(request.headers.get("Authorization"))
        row = find(str(assessment_id))
        if row is None or row.tenant_id != tenant.id or row.result is None or row.patient_id is None:
            abort(404)
        owner = Owner(row.patient_id, row.encounter_id)
        resource = chart.resource(row.result, owner, public_url=tenant.public_url)
        response = Response(msgspec.json.encode(resource), mimetype="application/fhir+json")
        response.headers["Cache-Control"] = "no-store"
        return response

    return pages
